"""Make small videos of all kinds whose every picture carries its own number.

    python tests/video_files/make_videos.py FOLDER

`truth.json` beside them says what every reader must find in each: the numbers of the pictures as a
player shows them, their times, and width and height. `clips.csv` and `config.py` are for
tools/data/check.py. All are made by PyAV alone, but Theora, which needs FFmpeg's program.
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
# What tools/data/check.py reads: the pictures and the sound of all of them, and flow of some.
CONFIG = """media = dict(rgb='{{video_id}}', audio='{{video_id}}', flow='flow/{{video_id}}')
kinds = dict(rgb=dict(type='RGBModality'), audio=dict(type='AudioModality', optional=True),
             flow=dict(type='FlowModality', optional=True))
pipeline = [dict(type='mmdistill.LoadModalities', modalities=kinds)]
train_dataloader = dict(dataset=dict(type='mmdistill.MultimodalDataset', ann_file='clips.csv',
                        data_root={root!r}, media=media, pipeline=pipeline, labelled=False))
"""
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
    rows = [f'{kind.name},0,{max(1, len(kind.shown))}' for kind in made]
    (folder / 'clips.csv').write_text('\n'.join(['video_id,start_frame,stop_frame', *rows, '']))
    (folder / 'config.py').write_text(CONFIG.format(root=str(folder.resolve())))
    print(f'{folder}: {len(made)} videos, truth.json, clips.csv and config.py')


if __name__ == '__main__':
    main()
