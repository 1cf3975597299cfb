"""The table of bad inputs: each is answered in one line, and nothing is lost. See bad_row.py."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from bad_input_table import TABLE
from bad_row import Row, error_lines, not_allowed, snapshot
from in_process import ROOT, SECONDS, call_tool

AS_PROCESS = [(topic, row) for topic, row in TABLE if row.as_process]


def names(table: list[tuple[str, Row]]) -> list[str]:
    return [
        f'{topic}-{Path(row.tool).stem}-{re.sub("[^A-Za-z0-9]+", "_", row.what)}'
        for topic, row in table
    ]


@pytest.fixture
def here(toys, tmp_path, monkeypatch):
    """The current folder: a copy of the toys."""
    folder = Path(shutil.copytree(toys, tmp_path / 'here', symlinks=True))
    monkeypatch.chdir(folder)
    monkeypatch.delenv('MMDISTILL_TRACEBACK', raising=False)
    monkeypatch.setenv('LOCAL_RANK', '0')
    # A runner describes the machine and makes the config pretty, which takes longer than the row.
    monkeypatch.setattr('mmengine.config.config.FormatCode', lambda text, **_: (text, True))
    monkeypatch.setattr('mmengine.runner.runner.collect_env', dict)
    return folder


def check(row: Row, code: int, out: str, err: str, problems: list[str]) -> None:
    """All that is promised about a bad input."""
    everything = f'exit code {code}\n--- stdout\n{out[-3000:]}\n--- stderr\n{err[-6000:]}'
    assert 'Traceback' not in out + err, everything
    assert code == row.code, everything
    lines = error_lines(err)
    if row.listed:
        assert any(re.search(row.expected, line) for line in [*out.splitlines(), *lines]), (
            everything
        )
    else:
        assert len(lines) == 1 and re.search(row.expected, lines[0]), everything
    assert not problems, f'{problems}\n{everything}'


@pytest.mark.parametrize(('topic', 'row'), TABLE, ids=names(TABLE))
def test_a_bad_input_is_one_line_and_loses_nothing(topic, row, here, monkeypatch, capfd):
    if row.prepare:
        row.prepare(here)
    words, before = row.words(here), snapshot(here)
    for key, value in row.env:
        monkeypatch.setenv(key, value)
    capfd.readouterr()
    code = call_tool(row.tool, words)
    out, err = capfd.readouterr()
    print(out, err, sep='\n')
    check(row, code, out, err, not_allowed(before, snapshot(here), row.left))


def program(tool: str) -> list[str]:
    """How Python is told to run it: those of a project are modules."""
    path = Path(tool)
    if path.parts[0] == 'projects':
        return ['-m', '.'.join(path.with_suffix('').parts)]
    return [str(ROOT / tool)]


@pytest.mark.slow
@pytest.mark.parametrize(('topic', 'row'), AS_PROCESS, ids=names(AS_PROCESS))
def test_a_bad_input_as_a_process(topic, row, here):
    if row.prepare:
        row.prepare(here)
    words, before = row.words(here), snapshot(here)
    ended = subprocess.run(
        [sys.executable, '-W', 'ignore', *program(row.tool), *words],
        env=os.environ | dict(row.env, PYTHONPATH=str(ROOT), OMP_NUM_THREADS='1'),
        capture_output=True,
        text=True,
        timeout=5 * SECONDS,
        check=False,
    )
    problems = not_allowed(before, snapshot(here), row.left)
    check(row, ended.returncode, ended.stdout, ended.stderr, problems)


def test_bad_inputs_are_told_apart():
    found = names(TABLE)
    assert len(set(found)) == len(found), sorted(n for n in found if found.count(n) > 1)
    assert all((ROOT / row.tool).is_file() and len(row.expected) > 4 for _, row in TABLE)


def test_all_tools_are_tried_with_300_bad_inputs_and_more():
    tools = {str(path.relative_to(ROOT)) for path in (ROOT / 'tools').glob('**/*.py')}
    tools |= {str(path.relative_to(ROOT)) for path in (ROOT / 'projects/demo').glob('*.py')}
    tried = {row.tool for _, row in TABLE}
    assert {tool for tool in tools - tried if 'setup_env' not in tool} == set()
    assert len(TABLE) >= 300
