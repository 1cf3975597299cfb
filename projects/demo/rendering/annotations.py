"""The demo's annotation files, in the columns EPIC-KITCHENS-100 publishes, and COCO boxes.

https://github.com/epic-kitchens/epic-kitchens-100-annotations
"""

import csv
import json
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from .motion import VERBS
from .nouns import NOUNS

SEGMENT_COLUMNS = (
    'narration_id',
    'participant_id',
    'video_id',
    'narration_timestamp',
    'start_timestamp',
    'stop_timestamp',
    'start_frame',
    'stop_frame',
    'narration',
    'verb',
    'verb_class',
    'noun',
    'noun_class',
    'all_nouns',
    'all_noun_classes',
)
DETECTOR_CLASSES = ('hand', *NOUNS)
_NARRATIONS = {
    'put-down': 'put down {0}',
    'move-closer': 'move {0} closer to {1}',
    'move-apart': 'move {0} away from {1}',
    'pretend': 'pretend to move {0}',
}


@dataclass(frozen=True)
class Segment:
    """A labelled clip; `start` is its first frame in the video, counted from 0."""

    video_id: str
    index: int  # within the video
    start: int
    frames: int
    verb: str
    noun: str
    companion: str


def with_slips(
    segments: Iterable[Segment], verb_slips: float, noun_slips: float, rng: Generator
) -> list[Segment]:
    """The segments as a hurried narrator names them.

    Args:
        verb_slips: Probability that a segment gets one of the other verbs, all alike.
        noun_slips: The same for nouns.
    """
    return [
        replace(
            segment,
            verb=_named(segment.verb, list(VERBS), verb_slips, rng),
            noun=_named(segment.noun, list(NOUNS), noun_slips, rng),
        )
        for segment in segments
    ]


def _named(name: str, names: list[str], slips: float, rng: Generator) -> str:
    other = str(rng.choice([other for other in names if other != name]))
    return other if rng.uniform() < slips else name


def write_segments(path: Path, segments: Iterable[Segment], fps: float) -> None:
    """Write EPIC_100_validation.csv: frames counted from 1, stop_frame exclusive."""
    rows = [_segment_row(segment, fps) for segment in segments]
    _write_csv(path, SEGMENT_COLUMNS, rows)


def write_training(
    path: Path,
    labelled: Iterable[Segment],
    unlabelled: Iterable[Segment],
    fps: float,
    held_out: Collection[str],
) -> None:
    """Write a training file: the official columns, and `split`, 'train' or 'holdout'.

    Args:
        labelled: Segments with their labels.
        unlabelled: Segments of which only the times are told.
        held_out: Videos of the holdout.
    """
    blank = SEGMENT_COLUMNS.index('narration')
    rows = []
    for segments, told in ((labelled, None), (unlabelled, blank)):
        for segment in segments:
            row = _segment_row(segment, fps)[:told]
            split = 'holdout' if segment.video_id in held_out else 'train'
            rows.append((*row, *[''] * (len(SEGMENT_COLUMNS) - len(row)), split))
    _write_csv(path, (*SEGMENT_COLUMNS, 'split'), rows)


def _segment_row(segment: Segment, fps: float) -> tuple:
    verb, noun = segment.verb, segment.noun
    nouns = [noun, segment.companion] if verb in ('move-closer', 'move-apart') else [noun]
    stop = segment.start + segment.frames
    narration = _NARRATIONS.get(verb, f'{verb} {{0}}').format(noun, segment.companion)
    return (
        f'{segment.video_id}_{segment.index}',
        segment.video_id.split('_')[0],
        segment.video_id,
        _timestamp(segment.start / fps, 3),
        _timestamp(segment.start / fps, 2),
        _timestamp(stop / fps, 2),
        segment.start + 1,
        stop + 1,
        narration,
        verb,
        list(VERBS).index(verb),
        noun,
        list(NOUNS).index(noun),
        nouns,
        [list(NOUNS).index(name) for name in nouns],
    )


def _timestamp(seconds: float, decimals: int) -> str:
    minutes, rest = divmod(round(seconds, decimals), 60)
    hours, minutes = divmod(int(minutes), 60)
    return f'{hours:02d}:{minutes:02d}:{rest:0{3 + decimals}.{decimals}f}'


def write_classes(folder: Path) -> None:
    """Write the verb and noun class files."""
    columns = ('id', 'key', 'instances', 'category')
    verbs = [(i, key, [key], category) for i, (key, category) in enumerate(VERBS.items())]
    nouns = [(i, key, [key], entry.category) for i, (key, entry) in enumerate(NOUNS.items())]
    _write_csv(folder / 'EPIC_100_verb_classes.csv', columns, verbs)
    _write_csv(folder / 'EPIC_100_noun_classes.csv', columns, nouns)


def write_tails(folder: Path, train: Sequence[Segment], share: float) -> None:
    """Write the lists of tail classes: the rarest that together hold at most `share` of train."""
    for task, names in (('verb', list(VERBS)), ('noun', list(NOUNS))):
        counts = Counter({name: 0 for name in names})
        counts.update(getattr(segment, task) for segment in train)
        tail, held = [], 0
        for name in sorted(names, key=lambda name: (counts[name], -names.index(name))):
            held += counts[name]
            if held > share * len(train):
                break
            tail.append((names.index(name),))
        _write_csv(folder / f'EPIC_100_tail_{task}s.csv', (task,), sorted(tail))


def write_unseen(folder: Path, participants: Iterable[str]) -> None:
    """Write the list of participants who are in validation only."""
    path = folder / 'EPIC_100_unseen_participant_ids_validation.csv'
    _write_csv(path, ('participant_id',), [(participant,) for participant in participants])


def write_video_info(
    folder: Path, lengths: dict[str, int], fps: float, size: tuple[int, int]
) -> None:
    """Write duration, frame rate and resolution per video; `lengths` in frames."""
    rows = [(v, n / fps, fps, f'{size[0]}x{size[1]}') for v, n in lengths.items()]
    columns = ('video_id', 'duration', 'fps', 'resolution')
    _write_csv(folder / 'EPIC_100_video_info.csv', columns, rows)


def _write_csv(path: Path, columns: Sequence[str], rows: Iterable[Sequence]) -> None:
    with path.open('w', newline='', encoding='utf-8') as file:
        writer = csv.writer(file, lineterminator='\n')
        writer.writerow(columns)
        writer.writerows(rows)


class CocoBoxes:
    """Collects images and boxes and writes them as COCO JSON.

    Args:
        size: Width and height of the images.
        visible: Boxes with a smaller share of their area inside the image are left out.
    """

    def __init__(self, size: tuple[int, int], visible: float):
        self.size = size
        self.visible = visible
        self.images: list[dict] = []
        self.annotations: list[dict] = []

    def add(self, file_name: str, boxes: Iterable[tuple[str, NDArray]]) -> None:
        """Add an image and its boxes (class name, x1 y1 x2 y2 in pixels), clipped to the frame."""
        width, height = self.size
        image = dict(id=len(self.images) + 1, file_name=file_name, width=width, height=height)
        self.images.append(image)
        for name, box in boxes:
            clipped = np.clip(box, 0, (width, height, width, height))
            x, y, w, h = (round(float(v), 2) for v in (*clipped[:2], *(clipped[2:] - clipped[:2])))
            whole = float((box[2] - box[0]) * (box[3] - box[1]))
            if w * h < self.visible * whole or min(w, h) < 2:
                continue
            self.annotations.append(
                dict(
                    id=len(self.annotations) + 1,
                    image_id=image['id'],
                    category_id=DETECTOR_CLASSES.index(name) + 1,
                    bbox=[x, y, w, h],
                    area=round(w * h, 2),
                    iscrowd=0,
                )
            )

    def write(self, path: Path) -> None:
        """Write the JSON; category 1 is the hand, noun k is category k + 2."""
        categories = [dict(id=i + 1, name=name) for i, name in enumerate(DETECTOR_CLASSES)]
        content = dict(images=self.images, annotations=self.annotations, categories=categories)
        path.write_text(json.dumps(content), encoding='utf-8')
