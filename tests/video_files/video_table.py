"""Read videos of all kinds in all ways: the table of docs/video_files.md.

    python tests/video_files/video_table.py --write-docs

Exit code 1 if any reader gives something else than it was asked for.
"""

import argparse
import sys
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

import av
import containers
import damage
import oddities
from kinds import Kind
from make_videos import make_videos
from readers import READERS, REFUSED_AS, WRONG, cells_of

DOCS = Path(__file__).parents[2] / 'docs' / 'video_files.md'
BEGIN, END = '<!-- table: begin -->', '<!-- table: end -->'
PARTS = {
    'Containers and codecs': containers.KINDS,
    'Oddities': oddities.KINDS,
    'Damaged files, and what is no video': damage.KINDS,
}


class Row(NamedTuple):
    """A file and what each reader made of it."""

    kind: Kind
    cells: dict[str, str]

    @property
    def faults(self) -> dict[str, str]:
        """The cells that are not what the kind expects."""
        return {
            reader: text
            for reader, text in self.cells.items()
            if text.startswith(WRONG) or text.split(':')[0] not in f'{self.kind.expected} –'
        }


def rows_of(kinds: Iterable[Kind], readers: Sequence[str] = tuple(READERS)) -> list[Row]:
    """Make the files of some kinds and read each in the given ways."""
    with tempfile.TemporaryDirectory() as folder:
        made = make_videos(Path(folder), kinds)
        return [Row(kind, cells_of(Path(folder) / kind.name, kind, readers)) for kind in made]


def table(rows: Iterable[Row]) -> str:
    """Rows as Markdown; sentences stand below, once each."""
    lines = [f'| file | what | {" | ".join(READERS)} |', f'|---|---|{"---|" * len(READERS)}']
    sentences: dict[str, int] = {}
    for kind, cells in rows:
        texts = []
        for text in cells.values():
            if text.startswith((REFUSED_AS, WRONG)):
                verdict, _, sentence = text.partition(': ')
                number = sentences.setdefault(
                    sentence.replace(kind.name, 'FILE'), len(sentences) + 1
                )
                text = f'{verdict} ({number})'
            texts.append(text)
        lines.append(f'| `{kind.name}` | {kind.what} | {" | ".join(texts)} |')
    notes = [f'{number}. {sentence}' for sentence, number in sentences.items()]
    return '\n'.join([*lines, '', *notes])


def page(parts: dict[str, list[Row]]) -> str:
    """The page with its tables made anew."""
    text = DOCS.read_text()
    body = '\n\n'.join(f'### {title}\n\n{table(rows).strip()}' for title, rows in parts.items())
    count = sum(map(len, parts.values()))
    body = f'{count} files, read with PyAV {av.__version__}.\n\n{body}'
    return f'{text[: text.index(BEGIN)]}{BEGIN}\n\n{body}\n\n{text[text.index(END) :]}'


def main() -> int:
    """Read everything and print what is not as expected."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--write-docs', action='store_true', help=f'write {DOCS.name}')
    args = parser.parse_args()
    av.logging.set_level(None)
    parts = {title: rows_of(kinds) for title, kinds in PARTS.items()}
    faults = 0
    for kind, cells in (row for rows in parts.values() for row in rows):
        for reader, text in Row(kind, cells).faults.items():
            faults += 1
            print(f'{kind.name} ({kind.what}), {reader}: {text}')
    print(f'{sum(map(len, parts.values()))} files, {faults} faults.')
    if args.write_docs:
        DOCS.write_text(page(parts))
    return int(bool(faults))


if __name__ == '__main__':
    sys.exit(main())
