"""CSV reading: what spreadsheets write just works, everything else is named with file and line."""

import re

import pytest

from mmdistill.datasets.annotation_csv import read_class_names, read_rows


def write(path, text: str | bytes) -> str:
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return str(path)


@pytest.mark.parametrize(
    'content',
    [
        b'a,b\n1,x\n2,"y, z"\n',
        b'\xef\xbb\xbfa,b\r\n1,x\r\n2,"y, z"\r\n',  # byte-order mark and Windows line ends
        b'a,b\r\n1,x\n2,"y, z"',  # mixed, no line end at the end
        b' a , b\n\n1, x \n\n2,"y, z"\n\n',  # blanks and blank lines
        b'b,a\nx,1\n"y, z",2\n',
    ],
)
def test_every_common_way_to_write_a_csv(tmp_path, content):
    rows = read_rows(write(tmp_path / 'ann.csv', content), ['a', 'b'])
    assert [(row.integer('a'), row.text('b')) for row in rows] == [(1, 'x'), (2, 'y, z')]


def test_line_numbers_are_those_of_an_editor(tmp_path):
    path = write(tmp_path / 'ann.csv', 'a\n1\n\n"two\nlines"\n5\n')
    assert [row.line for row in read_rows(path, ['a'])] == [2, 5, 6]


def test_missing_columns_name_file_expected_and_found(tmp_path):
    path = write(tmp_path / 'ann.csv', 'start;stop\n1;2\n')
    with pytest.raises(ValueError) as error:
        read_rows(path, ['start', 'stop'])
    for part in (path, "lacks the columns ['start', 'stop']", "found ['start;stop']"):
        assert part in str(error.value)


@pytest.mark.parametrize(
    ('content', 'message'),
    [
        ('', "lacks the columns ['a'].*found []"),
        ('a\n', 'no rows'),
        ('a,a\n1,2\n', 'names a column twice'),
        ('a,b\n1,2\n3\n', 'line 3: expected 2 fields (a, b), found 1'),
        ('a,b\n1,2,3\n', 'line 2: expected 2 fields (a, b), found 3'),
        (b'a\n\xff\xfe\n', 'not UTF-8'),
    ],
)
def test_broken_files(tmp_path, content, message):
    path = write(tmp_path / 'ann.csv', content)
    pattern = re.escape(path) + '.*' + '.*'.join(map(re.escape, message.split('.*')))
    with pytest.raises(ValueError, match=pattern):
        read_rows(path, ['a'])


def test_missing_file(tmp_path):
    with pytest.raises(FileNotFoundError, match='no annotation file.*nowhere.csv.*data_root'):
        read_rows(tmp_path / 'nowhere.csv', ['a'])


@pytest.mark.parametrize('text', ['', '1.0', 'one'])
def test_a_cell_that_is_no_whole_number(tmp_path, text):
    (row,) = read_rows(write(tmp_path / 'ann.csv', f'a,b\n{text},x\n'), ['a'])
    with pytest.raises(ValueError, match=rf"ann.csv, line 2: column 'a' holds '{text}'; expected"):
        row.integer('a')


def test_class_names_are_ordered_by_id(tmp_path):
    path = write(
        tmp_path / 'classes.csv', 'id,key,instances,category\n1,put,"[\'put\']",\n0,take,,x\n'
    )
    assert read_class_names(path, ('key', 'name')) == ['take', 'put']


@pytest.mark.parametrize(
    ('content', 'message'),
    [
        ('id,label\n0,a\n', "expected one of ['name'] beside id, found ['id', 'label']"),
        ('id,name\n0,a\n0,b\n', 'line 3: class id 0 stands here for the second time'),
        ('id,name\n1,a\n2,b\n', 'number its 2 classes 0 to 1, but these ids are missing: [0]'),
        ('id,name\n0,\n', "line 2: column 'name' is empty"),
    ],
)
def test_broken_class_files(tmp_path, content, message):
    with pytest.raises(ValueError, match='classes.csv.*' + re.escape(message)):
        read_class_names(write(tmp_path / 'classes.csv', content))
