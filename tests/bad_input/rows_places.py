"""Places that cannot be written or read: found before the work, named, and nothing left there.

Permissions do not bind the root user; /proc takes no files from anybody, /dev/full is always full.
"""

from pathlib import Path

from bad_row import Row

FOLDER = 'a folder is there where a file is meant'
FILE = 'a part of the path is a file where a folder is meant'
PROC = r'^error: /proc/\S* could not be written \(No such file or directory\)'
FULL = r'out\.\w+ could not be written \(No space left on device\): make room and try again'
LONG = 'n' * 256

# Tool to command line, and whether what its last word names is a folder or the ending of a file.
WRITERS = {
    'tools/train.py': ('expert.py --work-dir', 'folder'),
    'tools/test.py': ('expert.py expert.pth --out', '.json'),
    'tools/cache_teacher.py': ('distill.py', 'folder'),
    'tools/sweep.py': (
        'distill.py --cache cache --grid temperature=1 --work-dir',
        'folder',
    ),
    'projects/demo/__main__.py': ('--work-dir', 'folder'),
    'projects/demo/results.py': ('--finished --out', 'folder'),
    'tools/data/check.py': ('expert.py --num 0 --out-dir', 'folder'),
    'projects/demo/karmma.py': ('--work-dir', 'folder'),
    'projects/demo/draw_sheet.py': ('', '.png'),
    'projects/demo/draw_clip.py': ('videos/P01_01.mp4', '.webp'),
    'tools/data/extract_audio.py': (
        '--videos videos/P01_01.mp4 --workers 0 --out-template',
        '/{video_id}.flac',
    ),
    'tools/data/extract_detections.py': (
        'detector.py detector.pth --videos videos/P01_01.mp4 --workers 0 --out',
        '.h5',
    ),
    'tools/data/extract_flow.py': (
        '--videos videos/P01_01.mp4 --workers 0 --out-template',
        '/{video_id}',
    ),
    'tools/data/pack_hdf5.py': ('--folders frames/P01_01 --out', '.h5'),
    'projects/demo/render.py': ('--train 2 --val 1', 'folder'),
    'tools/analysis/compare.py': ('scores.npz other.npz --resamples 2 --out', 'folder'),
    'tools/analysis/cost.py': ('rgb=expert.py --repeats 1 --out', ''),
    'tools/analysis/report.py': ('report.py --out', 'folder'),
    'tools/analysis/temperature_scaling.py': (
        '--holdout holdout.npz --resamples 2 --out',
        '.json',
    ),
    'tools/analysis/views.py': ('scores.npz --out', ''),
}
REPORT = "models = dict(a=dict(role='student', test='.'))\n"
# What a folder in the place of a file, or a file in the place of a folder, makes of an input.
READERS = {
    'tools/train.py': [
        ('a folder as config', 'videos', "no config 'videos'"),
        ('a folder as checkpoint', 'expert.py --resume videos', 'no checkpoint videos'),
    ],
    'tools/test.py': [
        ('a folder as config', 'videos expert.pth', "no config 'videos'"),
        ('a folder as checkpoint', 'expert.py videos', 'no checkpoint videos'),
    ],
    'tools/cache_teacher.py': [('a config below a file', 'train.csv/x.py new', 'no config')],
    'tools/sweep.py': [
        (
            'a file as cache',
            'distill.py --cache train.csv --grid temperature=1 --work-dir new',
            'train.csv',
        )
    ],
    'tools/data/check.py': [('a folder as config', 'videos', "no config 'videos'")],
    'tools/data/unpack_tars.py': [('a folder as tar', '--tars frames', 'frames is a folder')],
    'tools/analysis/compare.py': [('a folder as dump', 'videos other.npz', 'videos')],
    'tools/analysis/cost.py': [('a folder as config', 'a=videos --out new', "no config 'videos'")],
    'tools/analysis/epic_submission.py': [
        ('a folder as submission', '--check videos', 'videos'),
        ('a file on the way', 'scores.npz train.csv/x.zip --sls-pt 1 --sls-tl 1 --sls-td 1', FILE),
        ('a folder as annotations', '--check x.zip --ann videos', 'videos'),
    ],
    'tools/analysis/report.py': [('a folder as config', 'videos', "no config 'videos'")],
    'tools/analysis/rescore.py': [
        ('a folder as dump', 'videos', 'no dump videos'),
        ('a folder as temperatures', 'scores.npz --temperatures videos', 'videos'),
    ],
    'tools/analysis/temperature_scaling.py': [('a folder as dump', '--holdout videos', 'videos')],
    'tools/analysis/views.py': [('a folder as dump', 'a=videos --out new', 'no dump videos')],
}


def spoil(here: Path) -> None:
    (here / 'report.py').write_text(REPORT)
    (here / 'nowhere').symlink_to('gone/far')


def place_rows() -> list[Row]:
    """A file on the way, a link to nothing, and a file system that takes no files; every tool."""
    rows = []
    for tool, (words, ending) in WRITERS.items():
        tail = {'folder': ''}.get(ending, ending if '/' in ending else f'/out{ending}')
        for what, place, expected in (
            ('a file on the way', 'train.csv/new', 'train.csv/new.*' + FILE),
            ('a link to nothing', 'nowhere', 'nowhere is a link to a place that is not there'),
            ('a place that takes no files', '/proc/new', PROC),
        ):
            rows.append(Row(tool, what, f'{words} {place}{tail}', expected, prepare=spoil))
        name = f'{LONG}{tail or "/run"}'
        long = (tool, 'a name that is too long', f'{words} {name}', 'shorten the name')
        rows.append(Row(*long, prepare=spoil))
    return rows


def file_rows() -> list[Row]:
    """A folder where a file is meant, and a disk that fills while the result is written."""
    rows = []
    for tool, (words, ending) in WRITERS.items():
        if not ending.startswith('.') or ending == '.h5':  # which are never written over
            continue
        name = f'out{ending}'

        def folder(here: Path, name: str = name) -> None:
            (here / name).mkdir()

        def full(here: Path, name: str = name) -> None:
            (here / name).symlink_to('/dev/full')

        left = ['work_dirs/**']
        rows.append(Row(tool, 'a folder as output', f'{words} {name}', FOLDER, prepare=folder))
        rows.append(Row(tool, 'a full disk', f'{words} {name}', FULL, prepare=full, left=left))
    return rows


ROWS = [
    *place_rows(),
    *file_rows(),
    *(Row(tool, *row, left=['new.h5.parts/**']) for tool, rows in READERS.items() for row in rows),
]
