"""The table would notice a traceback, a hang, a lost file; and a row changes nothing for others."""

import os
import signal
import sys

import pytest
from bad_row import error_lines, not_allowed, snapshot
from in_process import call_tool

TOOL = """
import os, signal, sys, time
def main(argv=None):
    os.environ['OF_A_ROW'] = '1'
    os.chdir('/')
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    {body}
"""


@pytest.fixture
def ends(tmp_path, capfd):
    """Exit code and stderr of a tool with this body."""

    def run(body: str) -> tuple[int, str]:
        path = tmp_path / f'tool{len(list(tmp_path.iterdir()))}.py'
        path.write_text(TOOL.format(body=body))
        return call_tool(str(path), ['a', 'b']), capfd.readouterr().err

    return run


@pytest.mark.parametrize(
    ('body', 'code', 'printed'),
    [
        ("sys.exit('error: no')", 1, 'error: no\n'),
        ('sys.exit(3)', 3, ''),
        ('return len(argv)', 2, ''),
        ('pass', 0, ''),
        ("raise OSError('disk')", 1, 'Traceback'),
    ],
)
def test_a_tool_ends_as_its_process_would(ends, body, code, printed):
    before = os.getcwd(), sys.argv, signal.getsignal(signal.SIGTERM)
    found, err = ends(body)
    assert found == code and err.startswith(printed) and bool(err) == bool(printed)
    assert (os.getcwd(), sys.argv, signal.getsignal(signal.SIGTERM)) == before
    assert 'OF_A_ROW' not in os.environ


def test_a_tool_that_does_not_end_is_stopped(ends, monkeypatch):
    monkeypatch.setattr('in_process.SECONDS', 1)
    code, err = ends('time.sleep(60)')
    assert code == 1 and 'Traceback' in err and 'not finished after 1 s' in err


def test_what_is_lost_changed_or_unfinished_is_noticed(tmp_path):
    for name in ('kept', 'lost', 'changed'):
        (tmp_path / name).write_text(name)
    before = snapshot(tmp_path)
    (tmp_path / 'lost').unlink()
    (tmp_path / 'changed').write_text('x')
    (tmp_path / 'out/deep').mkdir(parents=True)
    (tmp_path / 'out/deep/.a.7.part').touch()
    after = snapshot(tmp_path)
    assert not_allowed(before, after, ['out/**']) == [
        'changed: changed',
        'removed: lost',
        'left behind: out/deep/.a.7.part',
    ]
    assert len(not_allowed(before, after, [])) == 5


def test_usage_and_progress_are_no_errors():
    assert error_lines('usage: a\n  [-h]\na: error: b\n') == ['a: error: b']
    assert error_lines('9 clips ━━━━ 100%\n\nerror: a\n') == ['error: a']
    assert len(error_lines('a warning\nerror: a\n')) == 2
