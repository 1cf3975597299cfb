"""Read annotation CSVs so that every complaint names the file, the row and what to do.

Any CSV that a spreadsheet writes is fine: with or without a byte-order mark, Unix or Windows line
ends, separated by commas, semicolons or tabs, quoted fields, blank lines, empty cells at the end of
a row, columns in any order, columns that nobody asked for. One row is one line: where a quoted
field has a line break, a quote that somebody forgot cannot be told from it, and would swallow rows.
"""

import csv
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

UTF_16 = (b'\xff\xfe', b'\xfe\xff')
WHOLE_NUMBER = re.compile(r'[+-]?[0-9]{1,18}')  # int() takes more: 1_000, and any script's digits
# What pandas writes into a column of whole numbers that has gaps.
WHOLE_FLOAT = re.compile(r'-?[0-9]{1,18}\.0')
NO_NUMBER = ('', 'nan', '<na>')
LONGEST_CLIP = 24 * 3600 * 60


@dataclass(frozen=True, slots=True)
class Row:
    """One line of an annotation file.

    Args:
        path: The file, for error messages.
        line: 1-based line of the file.
        values: Column name to stripped text.
        unit: What `line` counts: the entries of a file that is no CSV.
    """

    path: str
    line: int
    values: dict[str, str]
    unit: str = 'line'

    def text(self, column: str) -> str:
        """The text in `column`; ValueError if it is empty."""
        value = self.values[column]
        if not value:
            raise self.error(f'column {column!r} is empty; expected some text')
        return value

    def integer(self, column: str) -> int:
        """The whole number in `column`; ValueError if it is none."""
        value = self.values[column]
        if WHOLE_NUMBER.fullmatch(value):
            return int(value)
        remedy = ''
        if WHOLE_FLOAT.fullmatch(value) or value.lower() in NO_NUMBER[1:]:
            name = f'df[{column!r}]'
            remedy = f'; pandas writes a column with gaps so: {name} = {name}.astype("Int64")'
        raise self.error(f'column {column!r} holds {value!r}; expected a whole number{remedy}')

    def integer_or_none(self, column: str) -> int | None:
        """As `integer`, of a column with gaps: nan, -1 or nothing is none, and 2.0 is 2."""
        value = self.values[column]
        if value.lower() in (*NO_NUMBER, '-1', '-1.0'):
            return None
        return int(value[:-2]) if WHOLE_FLOAT.fullmatch(value) else self.integer(column)

    def error(self, problem: str) -> ValueError:
        """The error to raise for this row: its file, its line, then `problem`."""
        return ValueError(f'{self.path}, {self.unit} {self.line}: {problem}.')


def read_rows(path: str | Path, required: Iterable[str]) -> list[Row]:
    """Read all rows of a CSV that has at least the `required` columns.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: Columns are missing or double, a row has too few or too many fields or a quote
            that is not closed, the file holds no rows or is not UTF-8 text.
    """
    path = str(path)
    if not Path(path).is_file():
        found = f' ({path} is a folder)' if Path(path).is_dir() else ''
        raise FileNotFoundError(
            f'There is no annotation file {path!r}{found}; check data_root and the '
            'name of the file.'
        )
    lines = re.split('\r\n|\r|\n', _text_of(path))
    top = next(number for number, line in enumerate(lines, start=1) if line.strip())
    separator = max(',;\t', key=lines[top - 1].count)
    header = [name.strip() for name in _fields(path, top, lines[top - 1], separator, ())]
    _check_header(path, header, sorted(set(required)))
    rows = []
    for number, line in enumerate(lines[top:], start=top + 1):
        fields = [field.strip() for field in _fields(path, number, line, separator, header)]
        if not any(fields):
            continue
        row = Row(path, number, dict(zip(header, fields, strict=False)))
        # A spreadsheet ends rows with empty cells, as many as its widest row has.
        if len(fields) < len(header) or any(fields[len(header) :]):
            raise row.error(
                f'expected {len(header)} fields ({", ".join(header)}), found {len(fields)}'
            )
        rows.append(row)
    if not rows:
        raise ValueError(f'{path} holds a header but no rows; expected one row per clip or class.')
    return rows


def _text_of(path: str) -> str:
    content = Path(path).read_bytes()
    if content.startswith(UTF_16):
        raise ValueError(f'{path} is UTF-16 text; save it as UTF-8.')
    try:
        text = content.decode('utf-8-sig')
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b'\n') + 1
        raise ValueError(
            f'{path}, line {line}: not UTF-8 text ({error}); save it as UTF-8.'
        ) from error
    if '\0' in text:
        line = text[: text.index('\0')].count('\n') + 1
        raise ValueError(
            f'{path}, line {line}: a NUL byte; the file is damaged or UTF-16, save it as UTF-8.'
        )
    if not text.strip():
        raise ValueError(f'{path} is empty; expected a header and one row per clip or class.')
    return text


def _fields(path: str, number: int, line: str, separator: str, header: Sequence[str]) -> list[str]:
    """The fields of one line."""
    if len(line) > csv.field_size_limit():
        raise ValueError(f'{path}, line {number}: {len(line)} characters; expected a row of a CSV.')
    try:
        return next(csv.reader([line], delimiter=separator, strict=True), [])
    except csv.Error as error:
        problem = str(error)
    # Without `strict`, a field that is still open at the end keeps the line's end.
    *before, last = next(csv.reader([f'{line}\n'], delimiter=separator))
    if not last.endswith('\n'):
        raise ValueError(f'{path}, line {number}: cannot be read as CSV ({problem}).')
    column = repr(header[len(before)]) if len(before) < len(header) else f'{len(before) + 1}'
    raise ValueError(
        f'{path}, line {number}, column {column}: a quote opens here that the line does not close. '
        'Close it, or take the line break out of the cell.'
    )


def _check_header(path: str, header: list[str], required: Sequence[str]) -> None:
    """Take unnamed columns off the end; raise ValueError where columns are missing or double."""
    while header and not header[-1]:
        del header[-1]
    missing = [name for name in required if name not in header]
    if missing:
        raise ValueError(
            f'{path} lacks the columns {missing}: expected at least {list(required)}, '
            f'found {header}. Add them to the header and to every row.'
        )
    if len(set(header)) < len(header):
        raise ValueError(f'{path} names a column twice: {header}. Rename or remove one of them.')


def segment_of(row: Row, sample_id: str, start: int, stop: int) -> dict[str, int]:
    """The segment's part of a record; frames 0-based, stop exclusive.

    Raises:
        ValueError: It is empty, inverted, begins before its video or is longer than any clip.
    """
    if start < 0 or stop <= start:
        kind = 'a negative' if start < 0 else 'an empty' if start == stop else 'an inverted'
        raise row.error(
            f'sample {sample_id!r} has {kind} segment, frames {start} to {stop} (exclusive); '
            'expected 0 <= start_frame < stop_frame'
        )
    if stop - start > LONGEST_CLIP:
        raise row.error(
            f'sample {sample_id!r} has {stop - start} frames, {start} to {stop}, more than a day '
            'of 60 per second; expected frame numbers of its video'
        )
    return dict(start_frame=start, stop_frame=stop, total_frames=stop - start, start_index=start)


def read_class_names(path: str | Path, name_columns: Sequence[str] = ('name',)) -> list[str]:
    """Read the class names of one task, ordered by the column `id`.

    Args:
        path: CSV with the column `id` (0 to K-1, each once, in any order) and a name column.
        name_columns: The first of these that the file has holds the names.

    Raises:
        ValueError: No name column, or the ids are not exactly 0 to K-1.
    """
    rows = read_rows(path, ['id'])
    columns = list(rows[0].values)
    name_column = next((name for name in name_columns if name in columns), None)
    if name_column is None:
        raise ValueError(
            f'{path} has no column with class names: expected one of {list(name_columns)} '
            f'beside id, found {columns}.'
        )
    names: dict[int, str] = {}
    for row in rows:
        class_id = row.integer('id')
        if class_id in names:
            raise row.error(f'class id {class_id} stands here for the second time')
        names[class_id] = row.text(name_column)
    gaps = [class_id for class_id in range(len(names)) if class_id not in names]
    if gaps:
        raise ValueError(
            f'{path} must number its {len(names)} classes 0 to {len(names) - 1}, '
            f'but these ids are missing: {gaps[:3]}{" ..." if len(gaps) > 3 else ""}.'
        )
    return [names[class_id] for class_id in range(len(names))]


def check_unique(rows: Sequence[Row], sample_ids: Sequence[str]) -> None:
    """Raise ValueError, which names both lines, where two rows have one id."""
    first_line: dict[str, int] = {}
    for row, sample_id in zip(rows, sample_ids, strict=True):
        first = first_line.setdefault(sample_id, row.line)
        if first != row.line:
            raise row.error(
                f'sample id {sample_id!r} is taken by line {first} already; ids must be unique, so '
                'rename or remove one (without a column sample_id the id is video_id, start_frame '
                'and stop_frame: add one)'
            )
