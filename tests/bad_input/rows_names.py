"""Paths and patterns: what matches nothing, or too much, is named; results have one place each."""

import os
import shutil
from pathlib import Path

from bad_row import Row

FLOW, AUDIO, BOXES, PACK, TARS = (
    f'tools/data/{name}.py'
    for name in ('extract_flow', 'extract_audio', 'extract_detections', 'pack_hdf5', 'unpack_tars')
)
# Tool to command line with the place of its inputs.
INPUTS = {
    FLOW: '--videos {} --out-template new/{{video_id}} --workers 0',
    AUDIO: '--videos {} --out-template new/{{video_id}}.flac --workers 0',
    BOXES: 'detector.py detector.pth --videos {} --out new.h5 --device cpu --workers 0',
    PACK: '--folders {} --out new.h5',
    TARS: '--tars {} --workers 0',
}
NOTHING = ["'gone/*.mp4'", "'cooking [dQw4w9WgXcQ].mp4'", "''"]
ROWS = [
    Row(tool, f'nothing at {path}', words.format(path), f'^error: Nothing matches {expected}')
    for tool, words in INPUTS.items()
    for path, expected in zip(
        NOTHING, [r"'gone/\*\.mp4'", r"'cooking \[dQw4w9WgXcQ\]\.mp4'", "''"], strict=True
    )
]
ROWS += [
    Row(
        tool,
        'one of two patterns matches nothing',
        words.format('videos/P01_01.mp4 videos/P03*'),
        r"^error: Nothing matches 'videos/P03\*'",
    )
    for tool, words in INPUTS.items()
]
ROWS += [
    Row(
        tool,
        'a name that is not UTF-8',
        words.format("'videos/*'"),
        r"^error: The name 'videos/caf\\udce9.mp4' is not UTF-8 text: rename the file",
        prepare=lambda here: Path(here, os.fsdecode(b'videos/caf\xe9.mp4')).touch(),
    )
    for tool, words in INPUTS.items()
]


def same_names(here: Path) -> None:
    shutil.copytree(here / 'videos', here / 'more')
    shutil.copytree(here / 'frames/P01_01', here / 'more/P01_01')


def ids(*names: str):
    """What makes these the videos of the CSV."""
    lines = ['video_id,start_frame,stop_frame', *(f'{name},0,4' for name in names)]
    return lambda here: (here / 'train.csv').write_text('\n'.join(lines) + '\n')


ROWS += [
    Row(tool, 'two files of one name', words.format(path), expected, prepare=same_names)
    for tool, words, path, expected in (
        (FLOW, INPUTS[FLOW], "'*/P*.mp4'", "have the same video id 'P01_01'; rename one"),
        (AUDIO, INPUTS[AUDIO], "'*/P*.mp4'", "have the same video id 'P01_01'; rename one"),
        (BOXES, INPUTS[BOXES], "'*/P*.mp4'", "have the same video id 'P01_01'; rename one"),
        (PACK, INPUTS[PACK], 'frames/P01_01 more/P01_01', "both called 'P01_01'; rename one"),
    )
]
TEMPLATES = [
    ('no placeholder', 'new', ('a', 'b'), 'gives several videos the same path'),
    ('an unknown placeholder', 'new/{kitchen}', ('a',), 'placeholders that exist are.*video_id'),
    ('an open brace', 'new/{video_id', ('a',), 'cannot be filled in.*a brace .* written twice'),
    ('a result in another', 'new/{video_id}', ('a', 'a/b'), 'inside the result .*new/a of another'),
    ('an id that leads out', 'new/{video_id}', ('../a',), r'leads out of its folder: new/\.\./a'),
    (
        'a key that differs',
        'new/{start_frame}/{sample_id}',
        ('a', 'a'),
        r"video 'a' \(KeyError",
    ),
]
ROWS += [
    Row(
        tool,
        f'a template with {what}',
        ['--ann', 'train.csv', '--out-template', f'{template}{ending}', '--workers', '0'],
        expected.replace('new/a of', f'new/a{ending} of'),
        prepare=ids(*names)
        if what != 'a key that differs'
        else lambda here: (here / 'train.csv').write_text(
            'video_id,start_frame,stop_frame\na,0,4\na,4,8\n'
        ),
    )
    for tool, ending in ((FLOW, ''), (AUDIO, '.flac'))
    for what, template, names, expected in TEMPLATES
    if not (ending and what == 'a result in another')
]
ROWS += [
    Row(
        PACK,
        'an id inside another',
        '--videos --ann train.csv --out new.h5',
        "'a/b' would lie inside 'a' in the file; rename one",
        prepare=ids('a', 'a/b'),
    ),
    Row(
        PACK,
        '--ann and patterns',
        '--flow flow/* --ann train.csv --out new.h5',
        'patterns, or --ann',
        2,
    ),
    *(
        Row(
            PACK,
            f'a narration with {what}',
            '--folders frames/P01_01 --segments train.csv --out new.h5',
            rf"train\.csv, line 2: sample 'n1' has {expected}",
            prepare=lambda here, stop=stop: (here / 'train.csv').write_text(
                f'narration_id,video_id,start_frame,stop_frame\nn1,P01_01,3,{stop}\n'
            ),
        )
        for what, stop, expected in (
            ('an inverted segment', 1, 'an inverted segment'),
            ('99999999 frames', 99999999, '99999997 frames, .*of its video'),
        )
    ),
    Row(PACK, 'neither --ann nor patterns', '--flow --out new.h5', 'give files or patterns', 2),
    Row(PACK, '--ann without --media', '--flow --ann train.csv --out new.h5', 'needs --media', 2),
    Row(
        FLOW,
        '--ann and --videos',
        '--videos videos/*.mp4 --ann train.csv --out-template new/{video_id}',
        'not allowed with argument',
        2,
    ),
    Row(FLOW, 'neither --ann nor --videos', '--out-template new/{video_id}', 'is required', 2),
    *(
        Row(
            tool,
            'a CSV that is missing',
            words.replace('--videos {}', '--ann gone.csv').replace('{{', '{').replace('}}', '}'),
            "^error: Nothing matches 'gone.csv'",
        )
        for tool, words in INPUTS.items()
        if '--videos' in words
    ),
]

# Checkpoints and dumps by pattern.
TWO = r'2 files match the {} \*\.pth \(detector\.pth, expert\.pth\), expected exactly one'
ROWS += [
    Row('tools/test.py', 'two checkpoints', 'expert.py *.pth', TWO.format('checkpoint')),
    Row(
        'tools/train.py',
        'two checkpoints',
        'expert.py --work-dir new --cfg-options load_from=*.pth',
        TWO.format('checkpoint'),
    ),
    Row(
        'tools/train.py',
        'two checkpoints of an expert',
        'distill.py --work-dir new --cfg-options teacher.experts.one.checkpoint=*.pth',
        TWO.format("checkpoint of expert 'one'"),
        left=['new', 'new/**'],
    ),
    Row(
        'tools/train.py',
        'no checkpoint of an expert',
        'distill.py --work-dir new --cfg-options teacher.experts.one.checkpoint=best_*.pth',
        r"no checkpoint of expert 'one' best_\*\.pth \(\. holds .*\): train it with .*expert\.py",
        left=['new', 'new/**'],
    ),
    Row(
        BOXES,
        'two checkpoints',
        'detector.py *.pth --videos videos/*.mp4 --out new.h5',
        TWO.format('checkpoint'),
    ),
    Row(
        BOXES,
        'no checkpoint',
        'detector.py best_*.pth --videos videos/*.mp4 --out new.h5',
        r'no checkpoint best_\*\.pth \(\. holds detector\.pth, expert\.pth\): train one',
    ),
    Row(
        'tools/analysis/temperature_scaling.py',
        'two checkpoints',
        'expert.py *.pth --holdout holdout.npz',
        TWO.format('checkpoint'),
    ),
    Row(
        'tools/analysis/cost.py',
        'two checkpoints of the detector',
        'rgb=expert.py --detector detector.py *.pth --out new',
        TWO.format('detector checkpoint'),
    ),
    Row(
        'tools/analysis/rescore.py',
        'several dumps',
        '*.npz',
        r'3 files match the dump \*\.npz \(holdout\.npz, other\.npz, scores\.npz\)',
    ),
    Row(
        'tools/analysis/rescore.py',
        'no file of temperatures',
        'scores.npz --temperatures gone*.json',
        r'no file of temperatures gone\*\.json .*temperature-scaling',
    ),
    Row(
        'tools/analysis/compare.py',
        'a run that is missing',
        'scores.npz seeds=gone*/scores.npz --resamples 2',
        r'no dump gone\*/scores\.npz .*write one with `mmdistill test',
    ),
    Row(
        'tools/analysis/views.py',
        'a run that is missing',
        'student=gone=1.npz --out new',
        r'no dump gone=1\.npz .*write one with',
    ),
]
