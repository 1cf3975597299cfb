"""Something-Else's human boxes, read from the owners' JSON files without loading them whole.

The boxes of 180,049 videos come in four files (bounding_box_smthsmth_part1.json to part4) of the
form `{"<video id>": [frame, …], …}`. A frame is `{"name": "2/0001.jpg", "labels": [box, …], …}`, a
box `{"box2d": {"x1": …, "y1": …, "x2": …, "y2": …}, "category": "pillow", "standard_category":
"0000"}` in pixels of the video. Names count from 1, at 12 frames per second; frames may be missing.
`standard_category` is 'hand' or the number of an object; the files' first release has `category`
alone. https://github.com/joaanna/something_else

Shape legend: M boxes of a frame.
"""

import json
import mmap
import os
import re
from pathlib import Path
from typing import Any

import numpy as np

from .video_detections import LARGEST_SCORE

CLASSES = ('hand', 'object')
HAND, OBJECT = range(len(CLASSES))
COORDINATES = ('x1', 'y1', 'x2', 'y2')
# Where a video begins. Nothing inside of a video's list has a key made of digits alone.
VIDEO = re.compile(rb'"(?P<id>\d+)"\s*:\s*(?P<entry>\[)')
ADVICE = 'download it again from the page of Something-Else'


class BoxAnnotations:
    """The boxes of all videos in one JSON file, or in a folder with several.

    Files are searched once per process for where each video begins; a video is parsed when it is
    asked for. A subclass reads files of another layout: what begins a video, how the file ends, and
    `parse`.

    Raises (at first use):
        FileNotFoundError: There is no such file, or no JSON file in the folder.
        ValueError: A file is none of Something-Else's or cut short, or a video is in two files.
    """

    video = VIDEO
    end = b'}'
    described = (
        'Something-Else: found no video id, expected {"<video id>": [frame, …]}. It may be a split '
        'or a labels file'
    )

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        self._index: dict[str, tuple[Path, int, int]] | None = None

    @property
    def video_ids(self) -> list[str]:
        return list(self._places())

    def has(self, video_id: str) -> bool:
        return video_id in self._places()

    def read(self, video_id: str) -> dict[int, np.ndarray]:
        """The boxes of a video: 0-based frame to (M, 6) float32.

        A row is x1 y1 x2 y2 in pixels, the score (1 unless the file has one) and the label, an
        index into `CLASSES`.

        Raises:
            KeyError: The files do not know the video.
            ValueError: Its entry is not as described; names file, video and frame.
        """
        return self.parse(self._entry(video_id), video_id, self._where(video_id))

    def size(self, video_id: str) -> tuple[int, int] | None:
        """Width and height of the video in pixels; None where the files do not tell.

        Raises:
            KeyError, ValueError: As `read`.
        """
        return None

    def parse(self, frames: list[Any], video_id: str, where: str) -> dict[int, np.ndarray]:
        """What `read` returns, from what stands in the file; errors begin with `where`."""
        found: dict[int, np.ndarray] = {}
        for frame in frames:
            number = _frame_number(frame, video_id, where)
            if number in found:
                raise ValueError(f'{where}: frame {frame["name"]!r} is there twice; {ADVICE}.')
            rows = [row_of(box, f'{where}, frame {frame["name"]!r}') for box in frame['labels']]
            found[number] = np.array(rows, np.float32).reshape(-1, 6)
        return found

    def _entry(self, video_id: str) -> Any:
        """What stands in the file for a video."""
        if not self.has(video_id):
            known = self.video_ids
            raise KeyError(
                f'{self.path} has no boxes of video {video_id!r}; its {len(known)} videos are '
                f'{", ".join(known[:3])}{", …" if len(known) > 3 else ""}. Put all parts of the '
                'annotation into one folder, or set optional=True on the modality.'
            )
        path, first, last = self._places()[video_id]
        with path.open('rb') as file:
            file.seek(first)
            text = file.read(last - first).decode('utf-8')
        try:
            return json.JSONDecoder().raw_decode(text)[0]
        except (ValueError, RecursionError) as error:
            raise ValueError(f'{self._where(video_id)}: not JSON ({error}); {ADVICE}.') from error

    def _where(self, video_id: str) -> str:
        return f'{self._places()[video_id][0]}, video {video_id}'

    def _places(self) -> dict[str, tuple[Path, int, int]]:
        """Video to file, first and last byte of its list."""
        if self._index is None:
            self._index = {}
            for path in _json_files(self.path):
                for video_id, place in self._find_videos(path).items():
                    if video_id in self._index:
                        raise ValueError(
                            f'Video {video_id!r} is in {self._index[video_id][0]} and in {path}: '
                            f'keep one of them in {self.path}.'
                        )
                    self._index[video_id] = (path, *place)
        return self._index

    def _find_videos(self, path: Path) -> dict[str, tuple[int, int]]:
        """Video to the first byte of its entry, and the last that can belong to it."""
        size = os.path.getsize(path)
        with path.open('rb') as file:
            file.seek(max(size - 64, 0))
            if not file.read().rstrip().endswith(self.end):
                raise ValueError(f'{path} does not end as JSON does, it is cut short: {ADVICE}.')
            with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
                found = [
                    (m['id'].decode(), m.start(), m.start('entry'))
                    for m in self.video.finditer(content)
                ]
        if not found:
            raise ValueError(f'{path} is no box annotation of {self.described}.')
        ends = [start for _, start, _ in found[1:]] + [size]
        places = {name: (first, last) for (name, _, first), last in zip(found, ends, strict=True)}
        if len(places) < len(found):
            raise ValueError(f'{path} has {len(found) - len(places)} videos twice; {ADVICE}.')
        return places


def _json_files(path: Path) -> list[Path]:
    files = sorted(path.glob('*.json')) if path.is_dir() else [path]
    if not files or not all(file.is_file() for file in files):
        raise FileNotFoundError(
            f'There is no box annotation at {path}: expected a JSON file of Something-Else, or a '
            'folder with its parts.'
        )
    return files


def _frame_number(frame: dict[str, Any], video_id: str, where: str) -> int:
    name = frame.get('name') if isinstance(frame, dict) else None
    named = re.fullmatch(rf'{re.escape(video_id)}/(\d+)\.\w+', str(name))
    if not named or int(named[1]) < 1 or not isinstance(frame.get('labels'), list):
        raise ValueError(
            f'{where}: expected frames with "name": "{video_id}/0001.jpg" and "labels": […], '
            f'got {str(frame)[:80]}; {ADVICE}.'
        )
    return int(named[1]) - 1


def row_of(box: dict[str, Any], where: str) -> tuple[float, ...]:
    """x1 y1 x2 y2, score and label of a box; errors begin with `where`."""
    try:
        x1, y1, x2, y2 = (float(box['box2d'][key]) for key in COORDINATES)
        score = float(box.get('score', 1.0))
        if not np.isfinite((x1, y1, x2, y2)).all() or not 0 <= score <= LARGEST_SCORE:
            raise ValueError('NaN, infinite, or a score beyond 0 to 1')
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        raise ValueError(
            f'{where}: expected "box2d" with numbers x1, y1, x2, y2 and a score from 0 to 1, got '
            f'{str(box)[:80]}; {ADVICE}.'
        ) from error
    # A box that was drawn from its lower right corner has its corners the other way round.
    corners = min(x1, x2), min(y1, y2), max(x1, x2), max(y1, y2)
    return *corners, score, _label(box, where)


def _label(box: dict[str, Any], where: str) -> int:
    standard = box.get('standard_category')
    if standard is None:
        if not box.get('category'):
            raise ValueError(f'{where}: a box has neither standard_category nor category.')
        return HAND if box['category'] == 'hand' else OBJECT
    if standard == 'hand':
        return HAND
    if not re.fullmatch(r'\d{4}', str(standard)):
        raise ValueError(
            f"{where}: the standard_category {standard!r} is unknown; expected 'hand' or the "
            "number of an object such as '0000'."
        )
    return OBJECT
