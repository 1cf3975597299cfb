"""The two videos of EPIC-KITCHENS-100 that were first published at a wrong frame rate.

Frames, flow, hands, objects and masks of P01_109 and P27_103 were extracted at 60 frames/s, while
the annotations count 50: image k shows another moment, by ten minutes at the end. The owners
have replaced the files. What tells the old ones is their length: 222,487 and 146,918 images where
3708.04 s and 2448.56 s at 50 frames/s make 185,402 and 122,428.
https://github.com/epic-kitchens/epic-kitchens-100-annotations ("Erratum")
https://github.com/epic-kitchens/epic-kitchens-download-scripts, `data/errata.csv`
"""

from collections.abc import Mapping
from pathlib import Path

PROPER_LENGTHS = dict(P01_109=185_402, P27_103=122_428)
# Two seconds more than there can be, where containers round their duration.
MARGIN = 100


def check_length(video_id: str, num_frames: int, path: str | Path) -> None:
    """Refuse what was made of the first frames of the two videos.

    Args:
        video_id: Any video; only two are looked at.
        num_frames: Frames, flow images or messages that `path` holds of it.
        path: What the error names.

    Raises:
        ValueError: They are too many.
    """
    proper = PROPER_LENGTHS.get(video_id)
    if proper is not None and num_frames > proper + MARGIN:
        raise ValueError(
            f'{path} is the first extraction of {video_id}, at 60 frames/s where the annotations '
            f'count 50: it holds more than the {proper} frames that the video has. The owners have '
            'replaced it: fetch it again with `epic_downloader.py --errata`.'
        )


def check_folders(video_id: str, media: Mapping[str, str], template: str) -> None:
    """As `check_length`, for folders of frames and of flow: one look at each.

    Raises:
        ValueError: An image is there that the video cannot have.
    """
    if video_id not in PROPER_LENGTHS:
        return
    beyond = PROPER_LENGTHS[video_id] + MARGIN + 1
    for path in map(Path, media.values()):
        for folder in (path, path / 'u', path / 'v'):
            if (folder / template.format(index=beyond)).exists():
                check_length(video_id, beyond, folder)
