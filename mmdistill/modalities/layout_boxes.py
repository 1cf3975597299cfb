"""Boxes of Something-Something from the JSON lists of the paper's authors, as they are.

A list of clips, `[{"id": "2", "template": "…", "size": [427, 240], "frames": [[box, …], …]}, …]`,
which is their list of annotations, too. `frames` has an entry for each frame of the video, from the
first one; a box is `{"x1": …, "y1": …, "x2": …, "y2": …, "category": "hand", "score": 0.98}` in
pixels of the video, whose width and height are `size`. In the lists of their earlier work a frame
is `{"frame_objects": [box, …]}`, and there is no `size`.
https://github.com/gorjanradevski/multimodal-distillation, `src/modelling/dataset_layout.py`
https://github.com/gorjanradevski/revisiting-spatial-temporal-layouts
"""

import re
from typing import Any

import numpy as np

from ..ranges import ONE_OR_MORE
from ..registry import MODALITIES
from .box_annotations import BoxAnnotations, row_of
from .something_else import SomethingElseBoxes


class LayoutAnnotations(BoxAnnotations):
    """The boxes of all videos in one list, or in a folder with several (train and validation).

    Raises (at first use):
        FileNotFoundError, ValueError: As `BoxAnnotations`.
    """

    video = re.compile(rb'(?P<entry>\{)\s*"id"\s*:\s*"(?P<id>\d+)"')
    end = b']'
    described = (
        "the paper's authors: found no entry of a video, expected "
        '[{"id": "<video id>", …, "frames": [[box, …], …]}, …]'
    )

    def parse(self, entry: dict[str, Any], video_id: str, where: str) -> dict[int, np.ndarray]:
        """0-based frame to boxes (M, 6), from an entry of the list."""
        frames = entry.get('frames')
        if not isinstance(frames, list):
            raise ValueError(f'{where}: expected "frames": […], got the keys {sorted(entry)}.')
        found: dict[int, np.ndarray] = {}
        for number, frame in enumerate(frames):
            boxes = frame.get('frame_objects') if isinstance(frame, dict) else frame
            if not isinstance(boxes, list):
                raise ValueError(
                    f'{where}, frame {number}: expected a list of boxes, got {str(frame)[:80]}.'
                )
            rows = [_row(box, f'{where}, frame {number}') for box in boxes]
            found[number] = np.array(rows, np.float32).reshape(-1, 6)
        return found

    def size(self, video_id: str) -> tuple[int, int] | None:
        """Width and height of the video; None in the lists of the earlier work."""
        size = self._entry(video_id).get('size')
        if size is not None:
            ONE_OR_MORE.check_pair(**{f'{self._where(video_id)}: "size"': size})
        return None if size is None else tuple(size)


def _row(box: dict[str, Any], where: str) -> tuple[float, ...]:
    # The authors take any category with the word in it for a hand.
    hand = dict(category='hand') if 'hand' in str(box.get('category', '')) else {}
    return row_of({**box, **hand, 'box2d': box}, where)


@MODALITIES.register_module()
class LayoutBoxes(SomethingElseBoxes):
    """Detected boxes, as (T, N, 6) float32 of `DetectionModality`; label 0 hand, 1 object.

    Radevski et al., ICCV 2023, https://arxiv.org/abs/2307.07483.

    Args:
        **kwargs: Of `SomethingElseBoxes`; the entry `source` of `media` is one list, or the folder
            with those of training and validation.

    Raises:
        KeyError, ValueError: As `SomethingElseBoxes`.
    """

    annotations = LayoutAnnotations
    tolerance = 20.0  # a detector draws beyond the frame
