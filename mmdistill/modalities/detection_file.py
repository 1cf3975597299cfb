"""Detections of a data set in one HDF5 file: the writer, and a reader for data loaders.

Shape legend: F processed frames of a video, M its boxes, T frames asked for, N boxes kept of a
frame, D numbers of an ROI feature (0 where the file has none).

Layout (version 1):
    file attributes: format, version, detector, checkpoint_sha256, classes (JSON list),
        settings (JSON: how frames were chosen and boxes kept)
    one group per video, attributes: width, height (pixels), num_frames, stride
        frames   (F,)   int32    processed frames, 0-based, increasing
        offsets  (F+1,) int64    rows of frame i: offsets[i] to offsets[i + 1]
        boxes    (M, 4) float32  x1 y1 x2 y2 in pixels
        scores   (M,)   float32
        labels   (M,)   int16    index into classes
        features (M, D) float16  optional
"""

import json
import warnings
from functools import lru_cache
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from ..files import remove
from . import video_detections as checks
from .hdf5_file import HDF5File, find
from .video_detections import SIZES, VideoDetections

FORMAT = 'mmdistill-detections'
VERSION = 1
DATASETS = ('frames', 'offsets', 'boxes', 'scores', 'labels')
ADVICE = 'Make one with mmdistill extract-detections.'


class DetectionWriter:
    """Write a detection file; it appears under its name only when `close` is reached.

    Args:
        path: The file to be; an existing one is replaced at `close`.
        classes: Names of the detector's classes, in the order of its labels.
        detector: The detector's config, as JSON.
        checkpoint_sha256: Which weights made the detections.
        settings: How frames were chosen and boxes kept.
    """

    def __init__(
        self,
        path: str | Path,
        classes: list[str],
        detector: str = '',
        checkpoint_sha256: str = '',
        settings: dict[str, Any] | None = None,
    ) -> None:
        self.path = Path(path)
        self.num_classes = len(classes)
        self._partial = self.path.with_name(f'{self.path.name}.partial')
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self._file = h5py.File(self._partial, 'w')
        self._file.attrs.update(
            format=FORMAT,
            version=VERSION,
            detector=detector,
            checkpoint_sha256=checkpoint_sha256,
            classes=json.dumps(list(classes)),
            settings=json.dumps(settings or {}, sort_keys=True),
        )

    def write(self, video_id: str, video: VideoDetections) -> None:
        """Add one video.

        Raises:
            ValueError: If the arrays do not fit each other, a box is none (`box_faults`), or the
                video is already there.
        """
        checks.check_video(video, self.num_classes, f'Video {video_id!r}')
        if video_id in self._file:
            raise ValueError(f'Video {video_id!r} is written twice to {self.path}.')
        group = self._file.create_group(video_id)
        group.attrs.update(
            width=video.width,
            height=video.height,
            num_frames=video.num_frames,
            stride=video.stride,
        )
        group.create_dataset('frames', data=video.frames_F, dtype='int32')
        group.create_dataset('offsets', data=video.offsets_F1, dtype='int64')
        group.create_dataset('boxes', data=video.boxes_M4, dtype='float32')
        group.create_dataset('scores', data=video.scores_M, dtype='float32')
        group.create_dataset('labels', data=video.labels_M, dtype='int16')
        if video.features_MD is not None:
            group.create_dataset('features', data=video.features_MD, dtype='float16')

    def close(self) -> None:
        """Finish the file and give it its name; where the disk is full, nothing is left."""
        try:
            self._file.close()
            self._partial.replace(self.path)
        finally:
            remove(self._partial)

    def __enter__(self) -> 'DetectionWriter':
        return self

    def __exit__(self, error_type: type | None, *_: object) -> None:
        if error_type is None:
            self.close()
        else:
            remove(self._partial)
            self._file.close()


class DetectionFile(HDF5File):
    """Read a detection file; opened at first use in each process, so it may enter loader workers.

    Raises (at first use):
        FileNotFoundError, ValueError: There is no file, it is no detection file, or another process
            is writing it.
    """

    def __init__(self, path: str | Path) -> None:
        super().__init__(path)
        self._index = lru_cache(maxsize=64)(self._read_index)

    def __getstate__(self) -> dict[str, Any]:
        return {'path': self.path}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__init__(state['path'])

    @property
    def classes(self) -> list[str]:
        return self.json_attribute('classes', list)

    @property
    def settings(self) -> dict[str, Any]:
        return self.json_attribute('settings', dict, '{}')

    @property
    def video_ids(self) -> list[str]:
        """All videos of the file, sorted."""
        found: list[str] = []

        def visit(name: str, node: h5py.Group | h5py.Dataset) -> None:
            if isinstance(node, h5py.Group) and find(node, 'offsets') is not None:
                found.append(name)

        self.file().visititems(visit)
        return sorted(found)

    @property
    def feature_dims(self) -> int:
        """Size of the ROI feature, 0 where the file has none."""
        videos = self.video_ids
        features = self.find(f'{videos[0]}/features') if videos else None
        return 0 if features is None else int(features.shape[1])

    def has(self, video_id: str) -> bool:
        return self.find(f'{video_id}/offsets') is not None

    def frame_shape(self, video_id: str) -> tuple[int, int]:
        """Height and width in pixels of the frames that the detector saw."""
        attrs = self._group(video_id).attrs
        return int(attrs['height']), int(attrs['width'])

    def frames(self, video_id: str) -> np.ndarray:
        """The processed frames of a video, 0-based and increasing."""
        return self._index(video_id)[0]

    def load(self, video_id: str) -> VideoDetections:
        """All of a video, as it was written.

        Raises:
            KeyError: If the file does not know the video.
            ValueError: If its arrays do not fit each other.
        """
        group = self._group(video_id)
        self._index(video_id)
        sizes = (int(group.attrs[key]) for key in SIZES)
        arrays = (group[key][:] for key in DATASETS)
        features = group['features'][:] if 'features' in group else None
        video = VideoDetections(*sizes, *arrays, features)
        checks.check_arrays(video, f'{self.path}, video {video_id!r}')
        return video

    def read(self, video_id: str, frame_inds: np.ndarray, max_boxes: int) -> np.ndarray:
        """Detections at some frames: (T, N, 6 + D) float32, rows by falling score.

        A row holds x1 y1 x2 y2 (fractions of the frame), score, label, feature. Rows that pad
        a frame to `max_boxes` have score 0 and label -1. A frame that the extraction's stride
        left out takes the nearest processed one. A box that is none (NaN, inverted, a score beyond
        0 to 1) is read as padding, with a warning.

        Args:
            frame_inds: 0-based frames, in any order, repeats allowed.
            max_boxes: N; only the best ones of a frame are kept.

        Raises:
            KeyError: If the file does not know the video.
            ValueError: If a frame is further from any processed one than the stride, the arrays do
                not fit each other, or a label is no class.
        """
        group = self._group(video_id)
        rows = self._nearest_rows(video_id, np.asarray(frame_inds, dtype=np.int64).reshape(-1))
        _, offsets_F1, _ = self._index(video_id)
        first, last = offsets_F1[rows.min()], offsets_F1[rows.max() + 1]
        height, width = self.frame_shape(video_id)
        columns = [group['boxes'][first:last] / np.float32([width, height, width, height])]
        columns += [group[name][first:last].reshape(-1, 1) for name in ('scores', 'labels')]
        if 'features' in group:
            columns.append(group['features'][first:last])
        table = np.concatenate(columns, axis=1, dtype=np.float32)
        self._pad_impossible(table, video_id)

        result = np.zeros((len(rows), max_boxes, table.shape[1]), dtype=np.float32)
        result[..., 5] = -1
        for slot, row in zip(result, rows, strict=True):
            found = table[offsets_F1[row] - first : offsets_F1[row + 1] - first]
            found = found[np.argsort(-found[:, 4], kind='stable')[:max_boxes]]
            slot[: len(found)] = found
        return result

    def _pad_impossible(self, table: np.ndarray, video_id: str) -> None:
        """Turn rows of (M, 6 + D) that are no boxes into padding, in place."""
        bad_M = checks.impossible_boxes(table[:, :4], table[:, 4])
        if bad_M.any():
            table[bad_M] = 0
            table[bad_M, 5] = -1
            warnings.warn(
                f'{self.path}: boxes of video {video_id!r} that are NaN, inverted or have a score '
                'beyond 0 to 1 are read as padding; mmdistill check counts them.',
                stacklevel=3,
            )
        if not (table[:, 5] < len(self.classes)).all():
            raise ValueError(
                f'{self.path}: video {video_id!r} has the label {table[:, 5].max():.0f}, but the '
                f'file names {len(self.classes)} classes. {ADVICE}'
            )

    def _nearest_rows(self, video_id: str, frame_inds_T: np.ndarray) -> np.ndarray:
        frames_F, _, stride = self._index(video_id)
        if not len(frames_F):
            raise ValueError(f'{self.path}: no frame of video {video_id!r} was processed.')
        if not len(frame_inds_T):
            raise ValueError(f'Asked for detections of video {video_id!r} at no frame at all.')
        right = np.minimum(np.searchsorted(frames_F, frame_inds_T), len(frames_F) - 1)
        left = np.maximum(right - 1, 0)
        nearer_left = frame_inds_T - frames_F[left] <= frames_F[right] - frame_inds_T
        rows = np.where(nearer_left, left, right)
        distance = np.abs(frames_F[rows] - frame_inds_T)
        if distance.max() > stride:
            worst = int(distance.argmax())
            raise ValueError(
                f'{self.path}: frame {frame_inds_T[worst]} of video {video_id!r} was left out; '
                f'the nearest one, {frames_F[rows[worst]]}, lies beyond the stride of {stride}. '
                'Run mmdistill extract-detections with the annotations that are read here.'
            )
        return rows

    def _read_index(self, video_id: str) -> tuple[np.ndarray, np.ndarray, int]:
        group, where = self._group(video_id), f'{self.path}, video {video_id!r}'
        found = {key: self.find(f'{video_id}/{key}') for key in (*DATASETS, 'features')}
        missing = [key for key in DATASETS if not isinstance(found[key], h5py.Dataset)]
        if missing:
            raise ValueError(f'{where}: {", ".join(missing)} are missing. {ADVICE}')
        checks.check_sizes(group.attrs, where)
        frames_F, offsets_F1 = group['frames'][()], group['offsets'][()]
        rows = {key: found[key] for key in (*DATASETS[2:], 'features') if found[key] is not None}
        checks.check_shapes(rows, where)
        checks.check_frames(frames_F, offsets_F1, len(group['boxes']), where)
        return frames_F.astype(np.int64), offsets_F1, int(group.attrs['stride'])

    def _group(self, video_id: str) -> h5py.Group:
        if not self.has(video_id):
            known = self.video_ids
            raise KeyError(
                f'{self.path} holds no detections of video {video_id!r}; its {len(known)} videos '
                f'are {", ".join(known[:3])}{", …" if len(known) > 3 else ""}. It looks like the '
                'detection file of another data set: correct the path, or run '
                'mmdistill extract-detections for this one.'
            )
        return self.find(video_id)

    def open(self) -> h5py.File:
        """Open it, and see that it is a detection file of this version."""
        if not self.path.is_file():
            raise FileNotFoundError(f'There is no detection file {self.path}. {ADVICE}')
        file = super().open()
        kind, version = file.attrs.get('format'), file.attrs.get('version')
        if kind != FORMAT or version != VERSION:
            raise ValueError(
                f'{self.path}: expected format {FORMAT!r} version {VERSION}, got {kind!r} version '
                f'{version}. {ADVICE}'
            )
        return file
