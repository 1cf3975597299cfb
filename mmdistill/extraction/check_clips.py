"""What may be wrong with the media of a clip: missing, cut short, or not fitting each other.

Shape legend: F = frames, M = boxes of a video.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from mmdistill.modalities import DetectionModality, FlowModality, Modality, RGBModality
from mmdistill.modalities.frame_pack import is_pack
from mmdistill.modalities.video_detections import VideoDetections, box_problems
from mmdistill.video import index_video

from .check_source import MAY_LACK, source_notes, source_problems
from .images import image_problem

# Frames that are decoded at a time; a whole clip of full HD would not fit into memory.
CHUNK = 16
# Sides are whole pixels, so a scaled frame has another shape by so much; also for boxes that a
# detector lets run over the edge.
TOLERANCE = 0.03

Complete = Callable[[dict[str, Any]], dict[str, Any]]


class Problem(NamedTuple):
    """Something to mend; `sample_id` and `modality` are empty where it concerns all of them."""

    loader: str
    sample_id: str
    modality: str
    text: str

    def __str__(self) -> str:
        where = [self.loader, self.sample_id and f'clip {self.sample_id}', self.modality]
        return f'{", ".join(part for part in where if part)}: {self.text}'


@dataclass
class VideoFindings:
    """What the check of some clips of a video found.

    Args:
        num_clips: Clips that were looked at.
        problems: What is wrong.
        absent: Modality -> clips that lack it and may, because it is `optional`.
        notes: What may be meant so.
    """

    num_clips: int
    problems: list[Problem] = field(default_factory=list)
    absent: Counter[str] = field(default_factory=Counter)
    notes: list[str] = field(default_factory=list)


def check_video(
    loader: str,
    modalities: Mapping[str, Modality],
    num_frames: int,
    records: Sequence[dict[str, Any]],
    complete: Complete = dict,
) -> VideoFindings:
    """Read what training reads of some clips of one video, and compare the modalities.

    Args:
        loader: Whose clips they are.
        modalities: By key, as LoadModalities built them.
        num_frames: Frames of each clip that are decoded, the first and the last among them; 0
            decodes all. Images are looked at one by one in any case.
        records: The clips.
        complete: `MultimodalDataset.complete` of their data set.
    """
    findings = VideoFindings(len(records))
    sizes: dict[str, tuple[int, int]] = {}
    for record in _completed(loader, records, complete, findings):
        for key, modality in modalities.items():
            try:
                if not modality.available(record):
                    findings.absent[key] += 1
                    continue
                found = list(_image_problems(modality, record))
                size = None if found else _read(modality, record, num_frames)
                found += _told_by(modality, 'problems', record) if size else []
                notes = _told_by(modality, 'notes', record) if size else []
                findings.notes += [note for note in notes if note not in findings.notes]
            # Whatever a modality may raise, of the user's own too: this clip would end a training.
            except Exception as error:
                found, size = [message_of(error)], None
            findings.problems += [Problem(loader, record['sample_id'], key, x) for x in found]
            if size:
                sizes.setdefault(key, size)
    readable = {key: modality for key, modality in modalities.items() if key in sizes}
    _compare(loader, readable, sizes, records[0], findings)
    return findings


def _completed(
    loader: str, records: Sequence[dict[str, Any]], complete: Complete, findings: VideoFindings
) -> list[dict[str, Any]]:
    """The records that can be completed; a problem for each other one."""
    whole = []
    for record in records:
        try:
            whole.append(complete(record))
        # It may open the video, to see how long it is.
        except Exception as error:
            problem = Problem(loader, record['sample_id'], '', message_of(error))
            findings.problems.append(problem)
    return whole


def _told_by(modality: Modality, method: str, record: dict[str, Any]) -> list[str]:
    """What a modality has to say of a clip, if it has the method `problems` or `notes`."""
    ask = getattr(modality, method, None)
    return list(ask(record)) if ask else []


def _read(modality: Modality, record: dict[str, Any], num_frames: int) -> tuple[int, int]:
    """Decode frames of the clip; height and width of what was read."""
    length = record['stop_frame'] - record['start_frame']
    count = min(num_frames or length, length)
    last = record['stop_frame'] - 1
    inds_F = np.linspace(record['start_frame'], last, count).round().astype(np.int64)
    # Beginning at the end: a file that is cut short is named at once.
    for chunk in np.array_split(inds_F, -(-count // CHUNK))[::-1]:
        frames = modality.read(record, chunk)
    return modality.frame_shape(record, frames)


def _image_problems(modality: Any, record: dict[str, Any]) -> Iterator[str]:
    """Images of the clip that are missing or cut short, a sentence per folder."""
    first, stop = record['start_frame'], record['stop_frame']
    stride = record.get('flow_stride', 1) if isinstance(modality, FlowModality) else 1
    for folder in _folders(modality, record):
        names = [
            modality.template.format(index=index + 1)
            for index in range(first // stride, (stop - 1) // stride + 1)
        ]
        bad = [(name, text) for name in names if (text := image_problem(folder / name))]
        if bad:
            name, text = bad[0]
            more = f' (and {len(bad) - 1} more of this clip)' if len(bad) > 1 else ''
            yield f'{folder / name} {text}{more}; extract it again'


def _folders(modality: Modality, record: dict[str, Any]) -> list[Path]:
    """The folders of images that a modality of ours reads; none where it reads a file."""
    if not isinstance(modality, (FlowModality, RGBModality)) or is_pack(modality.path(record)):
        return []
    if isinstance(modality, FlowModality):
        return [modality.path(record) / axis for axis in 'uv']
    return [modality.path(record)] if modality.path(record).is_dir() else []


def _compare(
    loader: str,
    modalities: Mapping[str, Modality],
    sizes: Mapping[str, tuple[int, int]],
    record: dict[str, Any],
    findings: VideoFindings,
) -> None:
    """Lengths and frame sizes of the modalities of one video against each other."""
    video_id = record['video_id']

    def add(key: str, text: str) -> None:
        findings.problems.append(Problem(loader, f'of video {video_id}', key, text))

    lengths: dict[str, int] = {}
    for key, modality in modalities.items():
        try:
            if isinstance(modality, DetectionModality):
                counts, found = _check_detections(modality, record)
                for text in found:
                    add(key, text)
            else:
                counts = _count_frames(modality, record)
        except (OSError, ValueError, KeyError) as error:
            add(key, message_of(error))
            continue
        if len(set(counts)) > 1:
            add(key, f'{modality.path(record)} has {counts[0]} images of u but {counts[1]} of v')
        if counts:
            lengths[key] = min(counts)
    _compare_lengths(lengths, record.get('flow_stride', 1), add)
    images = (RGBModality, FlowModality, DetectionModality)
    comparable = {key: sizes[key] for key, m in modalities.items() if isinstance(m, images)}
    findings.notes += _compare_sizes(comparable, add)
    try:
        for key, text in source_problems(modalities, record):
            add(key, text)
        findings.notes += source_notes(modalities, record)
    except (OSError, ValueError, KeyError) as error:
        add('', message_of(error))


def _check_detections(
    modality: DetectionModality, record: dict[str, Any]
) -> tuple[list[int], list[str]]:
    """Frames of the video, where the detections say so; what is wrong with its boxes."""
    file = modality.detection_file(record)
    if file is None:
        num_frames = modality.num_frames(record)
        return ([] if num_frames is None else [num_frames]), []
    video = file.load(record['video_id'])
    problems = _box_problems(video, len(file.classes))
    return [video.num_frames], [f'{file.path}: {text}' for text in problems]


def _count_frames(modality: Modality, record: dict[str, Any]) -> list[int]:
    """Frames of the video per folder, or of its file; [] where a modality has none of its own."""
    suffix = Path(getattr(modality, 'template', '')).suffix
    folders = _folders(modality, record)
    stride = record.get('flow_stride', 1) if isinstance(modality, FlowModality) else 1
    if folders:
        return [stride * sum(x.suffix == suffix for x in folder.iterdir()) for folder in folders]
    if not isinstance(modality, RGBModality) or is_pack(modality.path(record)):
        return []  # a pack may hold segments, and reading has found where it ends
    return [index_video(modality.path(record)).num_frames]


def _compare_lengths(lengths: Mapping[str, int], stride: int, add: Callable[..., None]) -> None:
    (reference, expected), *others = lengths.items() or [('', 0)]
    for key, length in others:
        if abs(length - expected) > MAY_LACK + stride - 1:
            add(
                key,
                f'has {length} frames where {reference} has {expected}: it was extracted from '
                'another version of the video, or not to its end',
            )


def _compare_sizes(sizes: Mapping[str, tuple[int, int]], add: Callable[..., None]) -> list[str]:
    notes = []
    (reference, (height, width)), *others = sizes.items() or [('', (1, 1))]
    for key, (other_height, other_width) in others:
        text = f'{key} was made at {other_width} x {other_height}, {reference} has'
        if abs(other_width / other_height * height / width - 1) > TOLERANCE:
            add(key, f'{text} {width} x {height}: another shape, so crops show other places')
        elif (other_height, other_width) != (height, width):
            notes.append(f'{text} {width} x {height}: the same shape, so they fit.')
    return notes


def _box_problems(video: VideoDetections, num_classes: int) -> list[str]:
    if not len(video.boxes_M4):
        return ['there is not a single box in this video']
    found = [f'{text}: extract it again' for text in box_problems(video, num_classes)]
    furthest = (video.boxes_M4 / np.tile([video.width, video.height], 2)).max()
    if furthest > 1 + TOLERANCE or video.boxes_M4.min() < -TOLERANCE * video.width:
        reach = np.abs(video.boxes_M4[:, 2:]).max(axis=0)
        found.append(
            f'boxes reach to {reach[0]:.0f} x {reach[1]:.0f} pixels, but the file says that frames '
            f'have {video.width} x {video.height}: they are of another resolution'
        )
    return found


def message_of(error: Exception) -> str:
    """An error as one line."""
    text = error.args[0] if len(error.args) == 1 and isinstance(error.args[0], str) else str(error)
    ours = isinstance(error, (ValueError, KeyError, OSError))
    return ' '.join((text if ours and text else f'{type(error).__name__}: {text}').split())
