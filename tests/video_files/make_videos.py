"""Make small videos of all kinds whose every picture carries its own number.

    python tests/video_files/make_videos.py FOLDER

`truth.json` beside them says what every reader must find in each: the numbers of the pictures as a
player shows them, their times, and width and height. All by PyAV alone, but Theora, which needs
FFmpeg's program.
"""

import argparse
import json
import os
import shutil
from collections.abc import Iterable
from pathlib import Path

# The AV1 encoder prints its settings otherwise; it reads this when it is loaded.
os.environ.setdefault('SVT_LOG', '1')

import containers
import damage
import oddities
from kinds import Kind
from linear import as_shown

KINDS = [*containers.KINDS, *oddities.KINDS, *damage.KINDS]
HAS_PROGRAM = shutil.which('ffmpeg') is not None


def make_videos(folder: Path, kinds: Iterable[Kind] = KINDS) -> list[Kind]:
    """Write videos into a folder; returns those that can be made here."""
    folder.mkdir(parents=True, exist_ok=True)
    made = []
    for kind in kinds:
        if HAS_PROGRAM or not kind.program:
            kind.make(folder / kind.name)
            made.append(as_shown(kind, folder / kind.name))
    return made


def truth(kind: Kind) -> dict:
    """What a reader must find."""
    width, height = kind.upright_size
    return dict(
        expected=kind.expected,
        what=kind.what,
        numbers=kind.shown,
        times=kind.times if kind.times_matter else None,
        width=width,
        height=height,
    )


def main() -> None:
    """Make all of them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('folder', type=Path)
    folder = parser.parse_args().folder
    made = make_videos(folder)
    content = {kind.name: truth(kind) for kind in made}
    (folder / 'truth.json').write_text(json.dumps(content, indent=1))
    print(f'{folder}: {len(made)} videos and truth.json')


if __name__ == '__main__':
    main()
