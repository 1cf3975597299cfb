"""A new project over one's own files: what the lists, the media or the folder may lack."""

from bad_row import Row

NEW = 'tools/data/new_project.py'
LISTS = '--train train.csv --test val.csv --classes classes.csv'
RGB = "--media 'rgb=videos/{video_id}.mp4'"


def new(what: str, words: str, expected: str, code: int = 1, **options) -> Row:
    """Into the folder `new`; nothing of it may be left."""
    return Row(NEW, what, words if 'new' in words.split() else f'new {words}', expected, code,
               **options)  # fmt: skip


ROWS = [
    new('no test clips', '--train train.csv --classes classes.csv --media rgb=a', '--test', 2),
    new(
        'no such CSV',
        f'--train gone.csv --test val.csv --classes classes.csv {RGB}',
        "There is no annotation file '.*gone.csv'",
    ),
    new(
        'no such class file',
        f'--train train.csv --test val.csv --classes gone.csv {RGB}',
        r'gone\.csv',
    ),
    new('no RGB', f'{LISTS} --media flow=flow/{{video_id}}', 'expected rgb and any of'),
    new('an unknown modality', f'{LISTS} {RGB} smell=a', r"names \['rgb', 'smell'\]; expected rgb"),
    new('a modality twice', f'{LISTS} {RGB} rgb=b', "--media 'rgb=b': expected NAME=VALUE"),
    new('a template without a file', f"{LISTS} --media 'rgb={{video_id}}.avi'", 'have no rgb'),
    new('a column that is not there', f'{LISTS} {RGB} --holdout fold', 'fold.*column|column.*fold'),
    new('no such group', f'{LISTS} {RGB} --group kitchen', 'kitchen.*column|column.*kitchen'),
    new('a share of nan', f'{LISTS} {RGB} --ratio nan', 'argument --ratio', 2),
    new('no frames', f'{LISTS} {RGB} --frames 0', 'argument --frames', 2),
    new('a size below 0', f'{LISTS} {RGB} --size -4', 'argument --size', 2),
    new(
        'boxes that are text',
        f'{LISTS} {RGB} obj=train.csv',
        r'train\.csv .*HDF5',
    ),
    Row(NEW, 'a folder with files', f'videos {LISTS} {RGB}', 'videos is there already and not em'),
    Row(NEW, 'a file in place of the folder', f'train.csv {LISTS} {RGB}', 'train.csv is there'),
]  # fmt: skip
