"""CSV reading: what spreadsheets write just works, everything else is named with file and line."""

import re

import pytest

from mmdistill.datasets.annotation_csv import Row, read_class_names, read_rows, segment_of


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
        b'a;b\n1;x\n2;y, z\n',  # of a spreadsheet where the comma is the decimal point
        b'a\tb\r\n1\tx\r\n2\ty, z\r\n',
        b'a,b,\n1,x,\n2,"y, z",,\n,,\n',  # as wide as the widest row, and an empty one
        b'a,b\r1,x\r2,"y, z"\r',
        b'\n\n,a,b\n0,1,x\n1,2,"y, z"\n',  # blank lines first, and the index of pandas
        '\ufeffa,b\n1,x\n2,"y, z"\n'.encode(),
    ],
)
def test_every_common_way_to_write_a_csv(tmp_path, content):
    rows = read_rows(write(tmp_path / 'ann.csv', content), ['a', 'b'])
    assert [(row.integer('a'), row.text('b')) for row in rows] == [(1, 'x'), (2, 'y, z')]


def test_line_numbers_are_those_of_an_editor(tmp_path):
    path = write(tmp_path / 'ann.csv', '\na\n1\n\n"two\u2028lines"\n5\n')
    assert [row.line for row in read_rows(path, ['a'])] == [3, 5, 6]


def test_missing_columns_name_file_expected_and_found(tmp_path):
    path = write(tmp_path / 'ann.csv', 'begin;end\n1;2\n')
    with pytest.raises(ValueError) as error:
        read_rows(path, ['start', 'stop'])
    for part in (path, "lacks the columns ['start', 'stop']", "found ['begin', 'end']"):
        assert part in str(error.value)


@pytest.mark.parametrize(
    ('content', 'message'),
    [
        ('', 'is empty; expected a header'),
        ('\ufeff \n\n', 'is empty; expected a header'),
        (',,\n1,2,3\n', "lacks the columns ['a'].*found []"),
        ('a\n', 'no rows'),
        ('a\n\n,\n', 'no rows'),
        ('a,b\n1,"x\n2,y\n', "line 2, column 'b': a quote opens here.*Close it"),
        ('a,b\n1,x\n"2,y', "line 3, column 'a': a quote opens here"),
        ('a,b\n1,"x\n2","y"\n', "line 2, column 'b': a quote opens here"),
        ('a,b\n1,"two\nlines"\n2,y\n', "line 2, column 'b': a quote opens here"),
        ('a,b\n' + 200_000 * 'x', 'line 2: 200000 characters; expected a row of a CSV'),
        ('a,"b\n1,2\n', 'line 1, column 2: a quote opens here'),
        ('a,b\n1,"x"y\n', 'line 2: cannot be read as CSV'),
        ('a,b\n1,x\0\n', 'line 2: a NUL byte'),
        ('a,b\n1,x\n'.encode('utf-16'), 'is UTF-16 text; save it as UTF-8'),
        ('a,b\n1,x\n'.encode('utf-16-le'), 'line 1: a NUL byte; the file is damaged or UTF-16'),
        ('a,a\n1,2\n', 'names a column twice'),
        ('a,b\n1,2\n3\n', 'line 3: expected 2 fields (a, b), found 1'),
        ('a,b\n1,2,3\n', 'line 2: expected 2 fields (a, b), found 3'),
        (b'a\n\xff\xfe\n', 'line 2: not UTF-8 text'),
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
    with pytest.raises(FileNotFoundError, match=r'no annotation file .* is a folder\)'):
        read_rows(tmp_path, ['a'])


def test_a_quote_that_is_never_closed_in_a_large_file(tmp_path):
    rows = '\n'.join(f'{i},x' for i in range(60_000))
    path = write(tmp_path / 'ann.csv', f'a,b\n0,"x\n{rows}\n')
    with pytest.raises(ValueError, match="line 2, column 'b': a quote opens here"):
        read_rows(path, ['a'])


@pytest.mark.parametrize('text', ['', '1.0', 'one', '1e3', '2.5', 'True', '1_000', '٣', '9' * 30])
def test_a_cell_that_is_no_whole_number(tmp_path, text):
    (row,) = read_rows(write(tmp_path / 'ann.csv', f'a,b\n{text},x\n'), ['a'])
    with pytest.raises(ValueError, match=rf"ann.csv, line 2: column 'a' holds '{text}'; expected"):
        row.integer('a')


@pytest.mark.parametrize('text', ['1.0', 'nan', 'NaN', '<NA>'])
def test_what_pandas_writes_into_a_column_with_gaps_is_told(tmp_path, text):
    (row,) = read_rows(write(tmp_path / 'ann.csv', f'a,b\n{text},x\n'), ['a'])
    with pytest.raises(ValueError, match=r"df\['a'\] = df\['a'\].astype\(.Int64.\)"):
        row.integer('a')


@pytest.mark.parametrize(
    ('text', 'expected'),
    [('2', 2), ('2.0', 2), ('', None), ('nan', None), ('<NA>', None), ('-1', None), ('-1.0', None)],
)
def test_a_column_with_gaps(tmp_path, text, expected):
    (row,) = read_rows(write(tmp_path / 'ann.csv', f'a,b\n{text},x\n'), ['a'])
    assert row.integer_or_none('a') == expected


@pytest.mark.parametrize('text', ['2.5', '1e3', 'True', 'none', '1_0'])
def test_a_column_with_gaps_holds_no_other_things(tmp_path, text):
    (row,) = read_rows(write(tmp_path / 'ann.csv', f'a,b\n{text},x\n'), ['a'])
    with pytest.raises(ValueError, match=f"holds '{text}'; expected a whole number"):
        row.integer_or_none('a')


def test_a_segment_longer_than_any_video():
    row = Row('ann.csv', 2, {})
    assert segment_of(row, 'a', 3, 5_000_003)['total_frames'] == 5_000_000
    with pytest.raises(ValueError, match='line 2: .* has 99999999 frames.*frame numbers of its'):
        segment_of(row, 'a', 0, 99_999_999)


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
        ('id,name\n0,a\n1,"b\n2,c\n', "line 3, column 'name': a quote opens here"),
        ('id,name\n0.0,a\n', "line 2: column 'id' holds '0.0'"),
        ('id,name\n-1,a\n', 'ids are missing: [0]'),
    ],
)
def test_broken_class_files(tmp_path, content, message):
    with pytest.raises(ValueError, match='classes.csv.*' + re.escape(message)):
        read_class_names(write(tmp_path / 'classes.csv', content))
