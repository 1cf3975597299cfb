"""What the user sees while stages run: a live table in a terminal, plain lines in a log."""

import contextlib
import time
from collections import deque
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from rich.console import Console, Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

MARKS = {
    'waiting': ('·', 'dim'),
    'running': ('▶', 'bold cyan'),
    'done': ('✓', 'green'),
    'skipped': ('✓', 'dim green'),
    'failed': ('✗', 'bold red'),
}


def clock(seconds: float) -> str:
    """Minutes and seconds, such as 3:07."""
    return f'{int(seconds) // 60}:{int(seconds) % 60:02d}'


def gigabytes(size: int) -> str:
    """A size in GB (10^9 bytes) with two digits."""
    return f'{size / 1e9:.2f} GB'


def last_lines(path: Path, count: int) -> list[str]:
    """The last lines of a text file; a progress bar's overwritten states count as lines."""
    if not path.exists():
        return []
    with path.open('rb') as file:
        file.seek(max(0, path.stat().st_size - 65536))
        text = file.read().decode(errors='replace').replace('\r', '\n')
    return list(deque((line.rstrip() for line in text.split('\n') if line.strip()), maxlen=count))


def log_end(path: Path) -> str:
    """The last words of a log, without the time stamp and logger name of MMEngine's lines."""
    lines = last_lines(path, 1)
    return lines[0].split(' - INFO - ')[-1] if lines else ''


class LineDisplay:
    """A line per event, and a sign of life every half minute."""

    heartbeat_seconds = 30.0

    def __init__(self, console: Console | None = None) -> None:
        self.console = console or Console(highlight=False, soft_wrap=True)
        self.begin = time.monotonic()
        self.last_seen: dict[str, float] = {}

    @contextlib.contextmanager
    def showing(self, names: list[str]) -> Iterator[None]:
        """Enclose the run."""
        self.begin = time.monotonic()
        yield

    def started(self, name: str, log: Path) -> None:
        self.last_seen[name] = time.monotonic()
        self._say(name, f'started, log in {log}')

    def progress(self, name: str, size: int, log: Path) -> None:
        if time.monotonic() - self.last_seen[name] >= self.heartbeat_seconds:
            self.last_seen[name] = time.monotonic()
            self._say(name, f'{gigabytes(size)}  {log_end(log)[:100]}')

    def finished(self, name: str, seconds: float, peak_bytes: int) -> None:
        self._say(name, f'done in {clock(seconds)}, peak {gigabytes(peak_bytes)}')

    def skipped(self, name: str, seconds: float, peak_bytes: int) -> None:
        self._say(name, f'finished before (took {clock(seconds)})')

    def failed(self, name: str) -> None:
        self._say(name, 'failed')

    def _say(self, name: str, text: str) -> None:
        elapsed = clock(time.monotonic() - self.begin)
        self.console.print(f'[{elapsed:>5}] {name:<18} {text}', markup=False)


class LiveDisplay(LineDisplay):
    """A table that is redrawn in place: one row per stage with its time and its last log line."""

    def __init__(self, console: Console | None = None) -> None:
        super().__init__(console or Console())
        self.rows: dict[str, dict[str, Any]] = {}

    @contextlib.contextmanager
    def showing(self, names: list[str]) -> Iterator[None]:
        self.begin = time.monotonic()
        self.rows = {name: {'state': 'waiting'} for name in names}
        with Live(
            get_renderable=self.table,
            console=self.console,
            refresh_per_second=2,
            vertical_overflow='visible',
        ):
            yield

    def started(self, name: str, log: Path) -> None:
        self.rows[name] = {'state': 'running', 'since': time.monotonic(), 'note': ''}

    def progress(self, name: str, size: int, log: Path) -> None:
        self.rows[name].update(size=size, note=log_end(log))

    def finished(self, name: str, seconds: float, peak_bytes: int) -> None:
        self.rows[name] = {'state': 'done', 'seconds': seconds, 'size': peak_bytes}

    def skipped(self, name: str, seconds: float, peak_bytes: int) -> None:
        self.rows[name] = {'state': 'skipped', 'seconds': seconds, 'size': peak_bytes}
        self.rows[name]['note'] = 'finished before'

    def failed(self, name: str) -> None:
        self.rows[name]['state'] = 'failed'

    def table(self) -> Group:
        """The current state."""
        table = Table(box=None, padding=(0, 1), expand=True)
        table.add_column('', width=1)
        table.add_column('stage', no_wrap=True)
        table.add_column('time', justify='right', no_wrap=True)
        table.add_column('memory', justify='right', no_wrap=True)
        table.add_column('', ratio=1, no_wrap=True, overflow='ellipsis')
        for name, row in self.rows.items():
            mark, style = MARKS[row['state']]
            seconds = row.get('seconds')
            if seconds is None and 'since' in row:
                seconds = time.monotonic() - row['since']
            table.add_row(
                Text(mark, style),
                Text(name, style if row['state'] == 'running' else ''),
                clock(seconds) if seconds is not None else '',
                gigabytes(row['size']) if 'size' in row else '',
                Text(row.get('note', ''), 'dim'),
            )
        done = sum(row['state'] in ('done', 'skipped') for row in self.rows.values())
        elapsed = clock(time.monotonic() - self.begin)
        return Group(table, Text(f'  {done} of {len(self.rows)} stages, {elapsed} elapsed', 'bold'))


def make_display() -> LineDisplay:
    """A live table where there is a terminal to draw it in, lines elsewhere."""
    return LiveDisplay() if Console().is_terminal else LineDisplay()
