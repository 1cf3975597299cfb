"""A published model that predicts: from one file, without config, data set or clone.

Shape legend: B = clips, V = views, K = classes.
"""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from ..extras import require
from ..ranges import ONE_OR_MORE
from .clips import ClipReader
from .described import PublishedModel
from .live import LivePrediction, live_predictions
from .prediction import Prediction
from .segments import window_starts
from .sources import ArraySource, Source, VideoSource, is_array, is_live, video_paths

# Endings of the formats of `mmdistill export`: ONNX, OpenVINO, torch.export.
EXPORTED = ('.onnx', '.xml', '.pt2')
PRECISIONS = ('fp32', 'bf16', 'fp16')


def load_model(
    path: str | Path, device: str = 'auto', precision: str = 'fp32'
) -> 'ActionInferencer':
    """Load a model that `mmdistill publish` or `mmdistill export` wrote.

    Only the `.safetensors` of `publish` and the `.pt2` of `export` need PyTorch here.

    Args:
        path: `student.safetensors`, or an exported `student.onnx`, `.xml` or `.pt2`.
        device: 'cpu', 'cuda', 'cuda:1', …; 'auto' is CUDA where there is a GPU.
        precision: 'fp32', 'bf16' or 'fp16'; what the network of a `.safetensors` computes in. An
            exported file has its own.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: It is no model of ours, or device or precision is unknown.
        ImportError: What runs this format is not installed.
    """
    suffix = Path(path).suffix
    if suffix not in EXPORTED:
        require('', 'torch', 'mmaction')
        from .torch_network import load_torch

        return ActionInferencer(*load_torch(path, device, precision))
    if precision != 'fp32':
        raise ValueError(
            f'precision={precision!r}: {path} computes in what it was exported in; export it again '
            'with --precision.'
        )
    load: Any
    if suffix == '.onnx':
        from .onnx_network import load_onnx as load
    elif suffix == '.xml':
        from .openvino_network import load_openvino as load
    else:
        require('', 'torch')
        from .torch_program import load_program as load
    return ActionInferencer(*load(path, device))


class ActionInferencer:
    """Predict the actions of videos.

    Args:
        described: What is known of the model.
        network: From packed clips to logits.
    """

    def __init__(self, described: PublishedModel, network: Any) -> None:
        self.described, self.network = described, network

    @property
    def classes(self) -> dict[str, list[str]]:
        """Task to class names."""
        return self.described.classes

    def predict(
        self,
        videos: Any,
        clips: int | None = None,
        crops: int | None = None,
        batch_size: int = 8,
        frames_per_second: float = 30.0,
    ) -> Any:
        """One prediction per video, of its whole length: a list.

        Of a webcam or a stream there is no whole: an iterator of the predictions of its last
        seconds, which ends with it; `live` tells more.

        Args:
            videos: A path, pattern or folder, a list of them; or frames (F, H, W, 3) uint8 RGB, or
                a list of such arrays; or the number of a webcam, or `rtsp://…`, `http://…`.
            clips: Temporal clips per video; None: as in the tests of the training.
            crops: 1 or 3; None likewise.
            batch_size: Videos that are predicted at once.
            frames_per_second: Of arrays.

        Raises:
            FileNotFoundError: A path matches nothing.
            VideoError: A video cannot be read.
        """
        ONE_OR_MORE.check(batch_size=batch_size)
        if is_live(videos):
            return (found.prediction for found in self.live(videos))
        reader = ClipReader(self.described.clip, clips, crops)
        spans = ((s, 0, s.num_frames) for s in self.sources(videos, frames_per_second))
        return list(self._predicted(spans, reader, batch_size))

    def windows(
        self,
        video: Any,
        window: float = 2.0,
        stride: float = 1.0,
        batch_size: int = 8,
        frames_per_second: float = 30.0,
    ) -> Iterator[Prediction]:
        """Predictions of a window that slides over a video, one after the other.

        Frames are read as they are needed, so memory does not grow with the length.

        Args:
            video: A path, or frames (F, H, W, 3).
            window: Seconds that one prediction covers.
            stride: Seconds from one window to the next.
            batch_size: Windows that are predicted at once.
            frames_per_second: Of an array.
        """
        ONE_OR_MORE.check(batch_size=batch_size)
        reader = ClipReader(self.described.clip)
        for source in self.sources(video, frames_per_second):
            length, step = (max(1, round(x * source.frames_per_second)) for x in (window, stride))
            starts = window_starts(source.num_frames, length, step)
            spans = ((source, s, min(s + length, source.num_frames)) for s in starts)
            yield from self._predicted(spans, reader, batch_size)

    def live(
        self,
        address: int | str,
        window: float = 2.0,
        stride: float = 0.5,
        timeout: float = 10.0,
    ) -> Iterator[LivePrediction]:
        """Predict of a webcam's or stream's last seconds, for as long as it runs.

        Args:
            address: Number of a webcam, or `rtsp://…`, `http://…`.
            window: Seconds that one prediction sees.
            stride: Seconds from one prediction to the next, at least; see `live_predictions`.
            timeout: Seconds to wait for a frame.

        Raises:
            VideoError: The stream does not start, stalls or cannot be decoded.
        """
        return live_predictions(self, address, window, stride, timeout)

    def predict_source(self, source: Source, start: float = 0.0) -> Prediction:
        """One prediction of a whole source, which begins at a second of something longer."""
        reader = ClipReader(self.described.clip)
        [found] = self._predicted([(source, 0, source.num_frames)], reader, 1)
        return replace(found, start=found.start + start, stop=found.stop + start)

    def sources(self, videos: Any, frames_per_second: float = 30.0) -> Iterator[Source]:
        """What `predict` reads, one after the other."""
        if is_array(videos):
            arrays = [videos] if isinstance(videos, np.ndarray) else videos
            for number, array in enumerate(arrays):
                yield ArraySource(array, frames_per_second, f'array {number}')
            return
        for path in video_paths(videos):
            yield VideoSource(path)

    def _predicted(
        self, spans: Iterable[tuple[Source, int, int]], reader: ClipReader, batch_size: int
    ) -> Iterator[Prediction]:
        waiting: list[tuple[Source, int, int, np.ndarray]] = []
        for source, start, stop in spans:
            inputs = reader.inputs(source.read, start, stop, source.name)
            # Videos of another shape than those that wait are a batch of their own.
            if waiting and waiting[0][3].shape != inputs.shape:
                yield from self._answer(waiting)
                waiting = []
            waiting.append((source, start, stop, inputs))
            if len(waiting) == batch_size:
                yield from self._answer(waiting)
                waiting = []
        yield from self._answer(waiting)

    def _answer(self, waiting: list[tuple[Source, int, int, np.ndarray]]) -> Iterator[Prediction]:
        if not waiting:
            return
        logits = self.network.logits([inputs for *_, inputs in waiting])
        for number, (source, start, stop, _) in enumerate(waiting):
            yield Prediction(
                source=source.name,
                start=source.seconds(start),
                stop=source.seconds(stop),
                logits={task: x[number] for task, x in logits.items()},
                classes=self.described.classes,
                temperatures=self.described.temperatures,
            )
