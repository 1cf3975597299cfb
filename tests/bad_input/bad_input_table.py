"""The table of bad inputs; as Markdown: `python tests/bad_input/bad_input_table.py`."""

import importlib
from pathlib import Path

TOPICS = sorted(path.stem for path in Path(__file__).parent.glob('rows_*.py'))
TABLE = [(topic, row) for topic in TOPICS for row in importlib.import_module(topic).ROWS]


def as_markdown() -> str:
    """A line per bad input."""
    lines = ['| tool | input | sentence | exit code | left behind |', '|---|---|---|---|---|']
    for _, row in TABLE:
        left = ', '.join(f'`{pattern}`' for pattern in row.left)
        sentence = row.expected.replace('|', '\\|')
        lines.append(f'| {row.tool} | {row.what} | `{sentence}` | {row.code} | {left} |')
    return '\n'.join(lines)


if __name__ == '__main__':
    print(as_markdown())
    print(f'\n{len(TABLE)} bad inputs of {len({row.tool for _, row in TABLE})} tools.')
