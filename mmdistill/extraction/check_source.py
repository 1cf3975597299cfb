"""Whether flow and boxes were made of the very pictures that RGB reads now.

Earlier versions read videos otherwise: RGB did not turn the pictures of a phone, flow and boxes did
as OpenCV does, which knows no mirrored pictures and no turn that is said by the stream alone.

Shape legend: P = pairs of neighbouring frames.
"""

from collections.abc import Iterator, Mapping
from itertools import product
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from mmdistill.modalities import DetectionModality, FlowModality, Modality, RGBModality
from mmdistill.modalities.flow_encoding import NO_MOTION
from mmdistill.modalities.frame_pack import is_pack
from mmdistill.video import VideoIndex, index_video, read_frames
from mmdistill.video.orientation import Turn

from .flow import SETTINGS_FILE
from .flow_estimators import DIS

# Published flow has an image less than frames, or with a stride of 2 up to three.
MAY_LACK = 2
UPRIGHT = Turn()
NUM_PAIRS = 4
# How well flow fits that of turned pictures: correlation, and how much better than if upright.
FITS, BETTER = 0.6, 0.1
# Below this much motion, in codes, nothing can be told.
MOVES = 0.5


def source_problems(
    modalities: Mapping[str, Modality], record: dict[str, Any]
) -> Iterator[tuple[str, str]]:
    """Modality and sentence of whatever was made of other pictures than RGB reads.

    Args:
        modalities: By key; only where one reads RGB from a video file there is something to say.
        record: A clip of the video.
    """
    path = _video(modalities, record)
    if path is None:
        return
    index = index_video(path)
    if index.damage:
        key = next(key for key, m in modalities.items() if isinstance(m, RGBModality))
        yield key, f'{path} ends after {index.num_frames} frames: {index.damage}; fetch it again'
    for key, modality in modalities.items():
        if isinstance(modality, FlowModality) and record.get('flow_stride', 1) == 1:
            yield from ((key, text) for text in _flow_problems(modality, record, path, index))


def source_notes(modalities: Mapping[str, Modality], record: dict[str, Any]) -> Iterator[str]:
    """What may be meant so: which stream is read, and boxes that nothing tells the age of."""
    path = _video(modalities, record)
    if path is None:
        return
    index = index_video(path)
    if index.num_streams > 1:
        yield f'{path} has {index.num_streams} video streams; the default one is read'
    boxes = [key for key, m in modalities.items() if isinstance(m, DetectionModality)]
    if boxes and not _opencv_turns_alike(path, index.turn):
        yield (
            f'{path} is shown {_described(index.turn)}, which earlier versions did not know: '
            f'{", ".join(boxes)} of theirs are of other pictures; extract them again'
        )


def _video(modalities: Mapping[str, Modality], record: dict[str, Any]) -> Path | None:
    """The video file that is read as RGB, if one is."""
    for modality in modalities.values():
        if isinstance(modality, RGBModality):
            path = modality.path(record)
            return path if path.is_file() and not is_pack(path) else None
    return None


def _flow_problems(
    modality: FlowModality, record: dict[str, Any], path: Path, index: VideoIndex
) -> Iterator[str]:
    folder = modality.path(record)
    again = (
        f"remove {folder}, then: mmdistill extract-flow --videos '{path}' --out-template '{folder}'"
    )
    if (folder / SETTINGS_FILE).is_file():
        count = sum(name.suffix == '.jpg' for name in (folder / 'u').iterdir())
        # More is said where lengths are compared.
        if 0 < abs(count - index.num_frames) <= MAY_LACK:
            yield f'{folder} has {count} images of {index.num_frames} frames; {again}'
            return
    if index.turn == UPRIGHT or index.num_frames < 2:
        return
    found = turn_of_flow(modality, record, path, index)
    if found != UPRIGHT:
        stored = found == inverse(index.turn)
        how = 'as they are stored' if stored else f'{_described(found)} against how it is shown'
        yield f'{folder} was made of pictures of {path} {how}, not upright; {again}'


def turn_of_flow(
    modality: FlowModality, record: dict[str, Any], path: Path, index: VideoIndex
) -> Turn:
    """How the pictures were turned, against upright ones, of which the stored flow was made.

    Flow of a few pairs of frames is computed anew from pictures turned in each way that has the
    shape of what is stored, and compared.
    """
    firsts_P = np.unique(np.linspace(0, index.num_frames - 2, NUM_PAIRS).astype(np.int64))
    stored = modality.read(record, firsts_P)[..., :2].astype(np.float32) - NO_MOTION
    if np.sqrt(np.square(stored).mean()) < MOVES:
        return UPRIGHT
    numbers = np.unique([firsts_P, firsts_P + 1]).tolist()
    grey = {i: cv2.cvtColor(x, cv2.COLOR_BGR2GRAY) for i, x in read_frames(path, numbers)}
    fits = {}
    for turn in (Turn(*flags) for flags in product((False, True), repeat=3)):
        pairs = [(turn.apply(grey[i]), turn.apply(grey[i + 1])) for i in firsts_P.tolist()]
        fits[turn] = _likeness(pairs, stored)
    best = max(fits, key=fits.get)
    return best if fits[best] > max(FITS, fits[UPRIGHT] + BETTER) else UPRIGHT


def inverse(turn: Turn) -> Turn:
    """What undoes a turn."""
    if not turn.transpose:
        return turn
    return Turn(True, turn.flip_columns, turn.flip_rows)


def _likeness(pairs: list[tuple[np.ndarray, np.ndarray]], stored_PHW2: np.ndarray) -> float:
    """Correlation of the flow of some pairs of grey pictures with stored flow; -1: other shape."""
    height, width = stored_PHW2.shape[1:3]
    if abs(pairs[0][0].shape[1] / pairs[0][0].shape[0] * height / width - 1) > 0.05:
        return -1.0
    estimate = DIS('fast')
    anew = np.stack(
        [estimate(*(cv2.resize(picture, (width, height)) for picture in pair)) for pair in pairs]
    )
    scale = np.sqrt(np.square(anew).sum() * np.square(stored_PHW2).sum())
    return float((anew * stored_PHW2).sum() / max(scale, 1e-9))


def _opencv_turns_alike(path: Path, turn: Turn) -> bool:
    """Whether OpenCV, with which earlier versions extracted, turns the pictures as we do."""
    if turn == UPRIGHT:
        return True
    degrees = cv2.VideoCapture(str(path), cv2.CAP_FFMPEG).get(cv2.CAP_PROP_ORIENTATION_META)
    return not turn.mirrored and degrees == turn.degrees


def _described(turn: Turn) -> str:
    return f'turned by {turn.degrees}°{" and mirrored" if turn.mirrored else ""}'
