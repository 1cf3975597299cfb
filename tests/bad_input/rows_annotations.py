"""Annotation files and class files: what is wrong with a row is told with file, line and column."""

from collections.abc import Callable
from pathlib import Path

from bad_row import Row, replace_text

HEAD = 'video_id,start_frame,stop_frame,action\n'
GOOD = 'P01_01,0,6,0\nP01_02,0,6,1\nP02_01,0,6,2\n'
PANDAS = r"train\.csv, line 2: column 'action' holds .* pandas writes .*astype\(.Int64.\)"
NO_NUMBER = "train.csv, line 2: column '{}' holds '{}'; expected a whole number"
# Each tool that reads a CSV, by the file train.csv.
READERS = {
    'tools/train.py': 'expert.py --work-dir new',
    'tools/data/check.py': 'expert.py --num 0 --out-dir new',
    'tools/cache_teacher.py': 'distill.py new',
    'tools/data/extract_flow.py': '--ann train.csv --out-template new/{video_id} --workers 0',
    'tools/data/extract_audio.py': '--ann train.csv --out-template new/{video_id}.flac --workers 0',
    'tools/data/extract_detections.py': (
        'detector.py detector.pth --ann train.csv --out new.h5 --device cpu --workers 0'
    ),
    'tools/data/pack_hdf5.py': '--videos --ann train.csv --out new.h5',
}
LEFT = ('new', 'new/**')


def writes(content: str | bytes, name: str = 'train.csv') -> Callable[[Path], None]:
    """What makes this the content of a file of the toy."""
    data = content if isinstance(content, bytes) else content.encode()
    return lambda here: (here / name).write_bytes(data)


# Damaged as files: every reader says the same.
DAMAGED = [
    (
        'a quote that is never closed',
        f'{HEAD}P01_01,0,6,0\nP01_02,0,6,"1\nP02_01,0,6,2\n',
        r"train\.csv, line 3, column 'action': a quote opens .*Close it",
    ),
    (
        'a quote that another row closes',
        f'{HEAD}P01_01,0,6,"0\nP01_02,0,6,1"\n',
        r"train\.csv, line 2, column 'action': a quote opens",
    ),
    ('UTF-16', (HEAD + GOOD).encode('utf-16'), r'train\.csv is UTF-16 text; save it as UTF-8'),
    (
        'Latin-1',
        HEAD.encode() + b'K\xfcche,0,6,0\n',
        r'train\.csv, line 2: not UTF-8 text.*save it',
    ),
    (
        'NUL bytes',
        f'{HEAD}P01_01\0,0,6,0\n',
        r'train\.csv, line 2: a NUL byte; .*damaged or UTF-16',
    ),
    ('an empty file', '', r'train\.csv is empty; expected a header and one row'),
    ('a header alone', HEAD, r'train\.csv holds a header but no rows'),
    (
        'a column twice',
        HEAD.replace('\n', ',action\n') + GOOD,
        r'train\.csv names a column twice',
    ),
    ('too few cells', f'{HEAD}P01_01,0,6\n', r'train\.csv, line 2: expected 4 fields .*found 3'),
    (
        'too many cells',
        f'{HEAD}P01_01,0,6,0,1\n',
        r'train\.csv, line 2: expected 4 fields .*found 5',
    ),
]
ROWS = [
    Row(
        tool,
        what,
        words,
        expected,
        prepare=writes(content),
        left=LEFT,
        listed=tool == 'tools/data/check.py',
    )
    for number, (what, content, expected) in enumerate(DAMAGED)
    for tool, words in READERS.items()
    # Training reads all kinds; the others some, in turn.
    if tool == 'tools/train.py' or (number + list(READERS).index(tool)) % 5 == 0
]

# What a cell holds.
CELLS = [
    ('a label 2.0', 'P01_01,0,6,2.0', PANDAS),
    ('a label nan', 'P01_01,0,6,nan', r"line 2: sample 'P01_01_0_6' .* is nan; .*labelled='some'"),
    ('no label', 'P01_01,0,6,', r"line 2: sample 'P01_01_0_6' .* is empty; .*labelled='some'"),
    ('a label 2.5', 'P01_01,0,6,2.5', NO_NUMBER.format('action', r'2\.5')),
    ('a label 1e3', 'P01_01,0,6,1e3', NO_NUMBER.format('action', '1e3')),
    ('a label True', 'P01_01,0,6,True', NO_NUMBER.format('action', 'True')),
    ('a label -1', 'P01_01,0,6,-1', "action class -1 .*expected 0 to 2 as in .*labelled='some'"),
    (
        'a label beyond the class file',
        'P01_01,0,6,3',
        'class 3 .*expected 0 to 2 as in classes.csv',
    ),
    ('a label of 30 digits', f'P01_01,0,6,{"9" * 30}', NO_NUMBER.format('action', '9+')),
    ('a negative start', 'P01_01,-1,6,0', 'line 2: .* has a negative segment.*0 <= start_frame'),
    ('a stop at the start', 'P01_01,6,6,0', 'line 2: .* has an empty segment, frames 6 to 6'),
    ('a stop before the start', 'P01_01,6,2,0', 'line 2: .* has an inverted segment'),
    ('a start 0.5', 'P01_01,0.5,6,0', NO_NUMBER.format('start_frame', r'0\.5')),
    ('a stop 6.0', 'P01_01,0,6.0,0', "'stop_frame' holds '6.0'.*pandas"),
    ('a stop 1e12', 'P01_01,0,1e12,0', NO_NUMBER.format('stop_frame', '1e12')),
    ('a stop 99999999', 'P01_01,0,99999999,0', 'line 2: .* has 99999999 frames, .*of its video'),
    ('no video id', ',0,6,0', "line 2: column 'video_id' is empty"),
    (
        'a clip twice',
        'P01_01,0,6,0\nP01_01,0,6,1',
        "line 3: sample id 'P01_01_0_6' is taken by line",
    ),
    (
        'a video that is missing',
        'P09_[1],0,6,0\nP01_01,0,6,0',
        r'videos/P09_\[1\]\.mp4 \(rgb\).* Check data_root',
    ),
]
ROWS += [
    Row(
        'tools/train.py',
        what,
        READERS['tools/train.py'],
        expected,
        prepare=writes(f'{HEAD}{cells}\n'),
        left=LEFT,
    )
    for what, cells, expected in CELLS
]
ROWS += [
    Row(
        'tools/data/extract_detections.py',
        what,
        READERS['tools/data/extract_detections.py'],
        expected,
        prepare=writes(f'{HEAD}{cells}\n'),
    )
    for what, cells, expected in CELLS
    if what.startswith(('a stop', 'a start'))
]

# Labels, loaders and the model.
TRAIN = 'expert.py --work-dir new --cfg-options '
DATA = 'train_dataloader.dataset'
LOADERS = [
    (
        'labels from 1 to 3 without a class file',
        f'{TRAIN}{DATA}.tasks.action=None',
        'train_dataloader: .*labels from 1 to 3 .*Number the classes from 0, or set '
        'model.cls_head.num_classes=4',
        writes(HEAD + 'P01_01,0,6,1\nP01_02,0,6,2\nP02_01,0,6,3\n'),
    ),
    (
        'fewer classes in the model than in the data',
        f'{TRAIN}model.cls_head.num_classes=2',
        'train_dataloader: .*labels from 0 to 2 .*model.cls_head.num_classes=3',
        None,
    ),
    (
        "labelled='some' with a stock recognizer",
        f'{TRAIN}{DATA}.labelled=some',
        'train_dataloader: .*no label.*Recognizer3D learns.*StudentRecognizer .*MultitaskHead',
        writes(f'{HEAD}{GOOD}P01_01,6,12,\nP01_02,6,12,\nP02_01,6,12,\n'),
    ),
    (
        'no labels at all with a stock recognizer',
        f'{TRAIN}{DATA}.labelled=False',
        'train_dataloader: .*no label.*mmdistill.StudentRecognizer',
        None,
    ),
    (
        'verbs and nouns, and a head for actions',
        f'{TRAIN}{DATA}.tasks=None',
        r"train_dataloader: .*labels of \['noun', 'verb'\].*MultitaskHead",
        writes(HEAD.replace('action', 'verb,noun') + GOOD.replace('\n', ',0\n')),
    ),
    (
        'a last batch that is dropped, and larger than the data',
        f'{TRAIN}train_dataloader.batch_size=64 train_dataloader.drop_last=True',
        'train_dataloader gives no batch: drop_last=True.*Lower batch_size',
        None,
    ),
    ('indices=0', f'{TRAIN}{DATA}.indices=0', r'train\.csv: indices=0 chooses no clip', None),
    (
        'a media template with an unknown placeholder',
        f"{TRAIN}{DATA}.media.rgb='videos/{{kitchen}}.mp4'",
        "template rgb='videos/{kitchen}.mp4' cannot be filled in.*placeholders that exist",
        None,
    ),
    (
        'a media template with a brace in a folder',
        f"{TRAIN}{DATA}.media.rgb='videos{{1}}/{{video_id}}.mp4'",
        'cannot be filled in.*a brace that belongs to a name is written twice',
        None,
    ),
    (
        'a class file with an open quote',
        TRAIN.removesuffix(' --cfg-options '),
        r"classes\.csv, line 3, column 'name': a quote opens",
        lambda here: replace_text(here / 'classes.csv', '1,lift', '1,"lift'),
    ),
    (
        'a class file that begins with 1',
        TRAIN.removesuffix(' --cfg-options '),
        r'classes\.csv must number its 3 classes 0 to 2, .*missing: \[0\]',
        writes('id,name\n1,push\n2,lift\n3,touch\n', 'classes.csv'),
    ),
]
ROWS += [
    Row('tools/train.py', what, words, expected, prepare=prepare, left=LEFT)
    for what, words, expected, prepare in LOADERS
]
ROWS += [
    Row(
        'tools/test.py',
        'labels that the model has no class for',
        'expert.py expert.pth --work-dir new --cfg-options '
        'test_dataloader.dataset.tasks.action=None',
        'test_dataloader: .*labels from 5 to 5 .*model has 3 classes',
        prepare=writes(f'{HEAD}P01_01,0,6,5\n', 'val.csv'),
        left=LEFT,
    ),
    Row(
        'tools/cache_teacher.py',
        'a holdout without labelled clips',
        'distill.py new --cfg-options holdout_dataloader.dataset.labelled=some '
        'train_dataloader.dataset.labelled=some',
        "split='holdout': none of its .* clips has all labels: label some, or choose others",
        prepare=writes(f'{HEAD}P01_01,0,6,\nP01_02,0,6,\nP02_01,0,6,\n'),
        left=LEFT,
    ),
    Row(
        'tools/analysis/epic_submission.py',
        'a quote that is never closed',
        'scores.npz new.zip --sls-pt 1 --sls-tl 3 --sls-td 3 --ann train.csv',
        r"train\.csv, line 2, column 'narration_id': a quote opens",
        prepare=writes('narration_id\n"a\nb\n'),
    ),
    Row(
        'tools/analysis/compare.py',
        'a class file with an open quote',
        'scores.npz other.npz --resamples 2 --classes action=classes.csv',
        r"classes\.csv, line 3, column 'name': a quote opens",
        prepare=lambda here: replace_text(here / 'classes.csv', '1,lift', '1,"lift'),
    ),
]
