"""What a user's files are: clips, classes, frames, and which modalities the clips have."""

import os
import statistics
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..config_summary import SIDED
from ..datasets import MultimodalDataset
from ..modalities.detection_file import DetectionFile
from ..video import index_video

MODALITIES = ('rgb', 'flow', 'obj', 'audio')


@dataclass(frozen=True)
class Request:
    """What the user says.

    Args:
        train: CSV of the clips to learn from.
        test: CSV of the clips to report.
        classes: Task to CSV with its class names.
        media: Modality to path template.
        data_root: Folder below which the media are.
        frames: Frames that a recognizer sees of a clip.
        size: Pixels of the square that it sees.
        flip: Whether training may mirror clips.
        holdout: Arguments of `held_out_ids`.
        group: Column of what is drawn together in a bootstrap; None for the default.
    """

    train: Path
    test: Path
    classes: Mapping[str, Path]
    media: Mapping[str, str]
    data_root: Path
    frames: int = 16
    size: int = 224
    flip: bool = True
    holdout: Mapping[str, object] = field(default_factory=lambda: dict(ratio=0.1, seed=0))
    group: str | None = None


@dataclass(frozen=True)
class Found:
    """What the files say.

    Args:
        tasks: Task to its number of classes.
        clips: Split to its number of clips.
        length: Frames of the middle clip.
        height: Pixels of the first video.
        width: Likewise.
        optional: Modalities that some clips lack.
        box_categories: Of the detection file; 0 without one.
        mirrored: A class whose name tells left from right, '' if there is none.
    """

    tasks: Mapping[str, int]
    clips: Mapping[str, int]
    length: int
    height: int
    width: int
    optional: tuple[str, ...]
    box_categories: int
    mirrored: str


def look(request: Request) -> Found:
    """Read annotations, classes and the first media.

    Raises:
        FileNotFoundError: A file is missing: a CSV, the RGB of a clip, or a modality of all clips.
        ValueError: A modality is unknown, or a file is not as expected; names it.
    """
    unknown = sorted(request.media.keys() - set(MODALITIES))
    if unknown or 'rgb' not in request.media:
        raise ValueError(
            f'--media names {sorted(request.media)}; expected rgb and any of '
            f'{list(MODALITIES[1:])}. A modality of your own: see docs/custom_modality.md.'
        )
    paths = dict(train=request.train, holdout=request.train, test=request.test)
    sets = {name: _clips(request, path, name) for name, path in paths.items()}
    records = [data.load_record(i) for data in sets.values() for i in range(len(data))]
    optional = tuple(key for key in request.media if _is_optional(key, records))
    height, width = _frame_size(Path(records[0]['media']['rgb']))
    names = [name for task in sets['train'].classes.values() for name in task]
    return Found(
        tasks={task: len(names) for task, names in sets['train'].classes.items()},
        clips={name: len(data) for name, data in sets.items()},
        length=round(statistics.median(record['total_frames'] for record in records)),
        height=height,
        width=width,
        optional=optional,
        box_categories=_box_categories(records[0]['media'].get('obj')),
        mirrored=next((name for name in names if SIDED.search(name.lower())), ''),
    )


def _clips(request: Request, path: Path, name: str) -> MultimodalDataset:
    return MultimodalDataset(
        os.path.abspath(path),
        media=dict(request.media),
        data_root=os.path.abspath(request.data_root),
        tasks={task: os.path.abspath(file) for task, file in request.classes.items()},
        split=None if name == 'test' else name,
        holdout=dict(request.holdout),
        check_media=False,
        group=request.group,
    )


def _is_optional(modality: str, records: list[dict[str, Any]]) -> bool:
    """Whether some clips lack it."""
    missing = [r['media'][modality] for r in records if not Path(r['media'][modality]).exists()]
    if missing and (modality == 'rgb' or len(missing) == len(records)):
        raise FileNotFoundError(
            f'{len(missing)} of {len(records)} clips have no {modality}: there is no {missing[0]}. '
            'Correct --media or --data-root, or extract it first.'
        )
    return bool(missing)


def _frame_size(rgb: Path) -> tuple[int, int]:
    if not rgb.is_file():
        return 0, 0  # a folder of pictures: they are read as they are
    width, height = index_video(rgb).size
    return height, width


def _box_categories(path: str | None) -> int:
    return len(DetectionFile(path).classes) if path else 0
