"""Read annotation CSVs so that every complaint names the file, the row and what to do.

Any CSV that a spreadsheet writes is fine: with or without a byte-order mark, Unix or Windows line
ends, quoted fields, blank lines, columns in any order, columns that nobody asked for.
"""

import csv
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Row:
    """One line of an annotation file.

    Args:
        path: The file, for error messages.
        line: 1-based line of the file on which the row ends; the header is line 1.
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
        try:
            return int(self.values[column])
        except ValueError:
            raise self.error(
                f'column {column!r} holds {self.values[column]!r}; expected a whole number'
            ) from None

    def error(self, problem: str) -> ValueError:
        """The error to raise for this row: its file, its line, then `problem`."""
        return ValueError(f'{self.path}, {self.unit} {self.line}: {problem}.')


def read_rows(path: str | Path, required: Iterable[str]) -> list[Row]:
    """Read all rows of a CSV that has at least the `required` columns.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: Columns are missing or double, a row has too few or too many fields, the file
            holds no rows or is not UTF-8 text.
    """
    path = str(path)
    if not Path(path).is_file():
        raise FileNotFoundError(
            f'There is no annotation file {path!r}; check data_root and the name of the file.'
        )
    try:
        with open(path, encoding='utf-8-sig', newline='') as file:
            return _parse_rows(path, csv.reader(file), sorted(set(required)))
    except UnicodeDecodeError as error:
        raise ValueError(f'{path} is not UTF-8 text ({error}); save it as UTF-8.') from error
    except csv.Error as error:
        raise ValueError(f'{path} cannot be read as CSV: {error}.') from error


def _parse_rows(path: str, reader: Iterable[list[str]], required: Sequence[str]) -> list[Row]:
    header = [name.strip() for name in next(iter(reader), [])]
    missing = [name for name in required if name not in header]
    if missing:
        raise ValueError(
            f'{path} lacks the columns {missing}: expected at least {list(required)}, '
            f'found {header}. Add them to the header and to every row.'
        )
    if len(set(header)) < len(header):
        raise ValueError(f'{path} names a column twice: {header}. Rename or remove one of them.')
    rows = []
    for fields in reader:
        if not any(fields):
            continue
        row = Row(path, reader.line_num, dict(zip(header, map(str.strip, fields), strict=False)))
        if len(fields) != len(header):
            raise row.error(
                f'expected {len(header)} fields ({", ".join(header)}), found {len(fields)}'
            )
        rows.append(row)
    if not rows:
        raise ValueError(f'{path} holds a header but no rows; expected one row per clip or class.')
    return rows


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
