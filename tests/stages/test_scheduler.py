"""The scheduler runs each stage once, in order, side by side where it may, and tells failures."""

import io
import json
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest
from rich.console import Console

from mmdistill.stages import (
    LineDisplay,
    LiveDisplay,
    OneFile,
    Stage,
    StageFailedError,
    is_finished,
    run_stages,
)

WRITE = """
import pathlib, sys, time
begin = time.time()
time.sleep(float(sys.argv[2]))
out = pathlib.Path(sys.argv[1])
out.parent.mkdir(parents=True, exist_ok=True)
out.write_text(f'{begin} {time.time()} {" ".join(sys.argv[3:])}')
"""


class Recorder(LineDisplay):
    """Keeps the events and prints nothing."""

    def __init__(self):
        super().__init__()
        self.events = []

    def _say(self, name, text):
        self.events.append((name, text.split()[0]))


@pytest.fixture
def script(tmp_path):
    path = tmp_path / 'write.txt'
    path.write_text(WRITE)
    return str(path)


def stage(script, home: Path, name: str, seconds: float = 0, extra=(), **kwargs) -> Stage:
    out = str(home / name / 'out.txt')
    command = (script, out, str(seconds), *extra)
    kwargs.setdefault('outputs', (out,))
    return Stage(name=name, command=command, home=home, **kwargs)


def test_stages_run_in_order_and_only_once(script, tmp_path):
    stages = [
        stage(script, tmp_path, 'first'),
        stage(script, tmp_path, 'second', needs=('first',)),
    ]
    summary = run_stages(stages, jobs=2, cores=2, display=Recorder())
    begin = float((tmp_path / 'second/out.txt').read_text().split()[0])
    end_of_first = float((tmp_path / 'first/out.txt').read_text().split()[1])
    assert begin >= end_of_first
    assert summary.skipped == []
    assert is_finished(stages)

    again = run_stages(stages, jobs=2, cores=2, display=Recorder())
    assert again.skipped == ['first', 'second']
    assert again.seconds == summary.seconds


def test_independent_stages_run_side_by_side_and_share_the_cores(script, tmp_path):
    stages = [
        stage(script, tmp_path, name, 1.0, extra=('{workers}',), needs=needs)
        for name, needs in (('a', ()), ('b', ()), ('c', ('a', 'b')))
    ]
    run_stages(stages, jobs=2, cores=4, display=Recorder())
    a, b, c = ((tmp_path / name / 'out.txt').read_text().split() for name in 'abc')
    assert float(a[0]) < float(b[1]) and float(b[0]) < float(a[1])
    assert (a[2], b[2], c[2]) == ('2', '2', '4')


def test_one_job_means_one_after_the_other(script, tmp_path):
    stages = [stage(script, tmp_path, name, 0.3) for name in 'ab']
    run_stages(stages, jobs=1, cores=2, display=Recorder())
    a, b = ((tmp_path / name / 'out.txt').read_text().split() for name in 'ab')
    assert float(b[0]) >= float(a[1])


def test_a_change_reruns_exactly_what_depends_on_it(script, tmp_path):
    def chain(word):
        return [
            stage(script, tmp_path, 'left'),
            stage(script, tmp_path, 'right', extra=(word,)),
            stage(script, tmp_path, 'end', needs=('right',)),
        ]

    run_stages(chain('old'), jobs=1, cores=1, display=Recorder())
    summary = run_stages(chain('new'), jobs=1, cores=1, display=Recorder())
    assert summary.skipped == ['left']
    assert (tmp_path / 'right/out.txt').read_text().endswith('new')


def test_a_changed_config_base_reruns_the_stage(script, tmp_path):
    (tmp_path / 'base.py').write_text('epochs = 1\n')
    config = tmp_path / 'config.py'
    config.write_text("_base_ = ['base.py']\n")
    stages = [stage(script, tmp_path, 'train', inputs=(str(config),))]
    run_stages(stages, jobs=1, cores=1, display=Recorder())
    assert is_finished(stages)
    (tmp_path / 'base.py').write_text('epochs = 2\n')
    assert not is_finished(stages)


def test_a_lost_output_reruns_the_stage(script, tmp_path):
    stages = [stage(script, tmp_path, 'only')]
    run_stages(stages, jobs=1, cores=1, display=Recorder())
    (tmp_path / 'only/out.txt').unlink()
    assert run_stages(stages, jobs=1, cores=1, display=Recorder()).skipped == []


def test_a_failure_shows_the_end_of_the_log_and_the_rest_is_stopped(script, tmp_path):
    bad = tmp_path / 'bad.txt'
    bad.write_text("import sys, time\ntime.sleep(0.5)\nprint('disk is full')\nsys.exit(3)\n")
    stages = [
        Stage(name='bad', command=(str(bad),), home=tmp_path),
        stage(script, tmp_path, 'long', 60),
    ]
    begin = time.monotonic()
    with pytest.raises(StageFailedError, match=r"(?s)'bad' ended with exit code 3.*disk is full"):
        run_stages(stages, jobs=2, cores=2, display=Recorder(), again='make demo')
    assert time.monotonic() - begin < 20
    assert not (tmp_path / 'stamps/bad.json').exists()
    assert not (tmp_path / 'stamps/long.json').exists()


def test_a_failure_takes_only_its_own_followers_where_the_others_are_to_go_on(script, tmp_path):
    bad = tmp_path / 'bad.txt'
    bad.write_text("import sys\nprint('diverged')\nsys.exit(3)\n")
    stages = [
        Stage(name='bad', command=(str(bad),), home=tmp_path),
        stage(script, tmp_path, 'after', needs=('bad',)),
        stage(script, tmp_path, 'later', needs=('after',)),
        stage(script, tmp_path, 'other'),
    ]
    summary = run_stages(stages, jobs=1, cores=1, display=Recorder(), keep_going=True)
    assert list(summary.failed) == ['bad'] and 'diverged' in summary.failed['bad']
    assert list(summary.seconds) == ['other']
    bad.write_text('pass')
    again = run_stages(stages, jobs=1, cores=1, display=Recorder(), keep_going=True)
    assert again.skipped == ['other'] and not again.failed and len(again.seconds) == 4


def test_a_stage_that_writes_nothing_has_failed(script, tmp_path):
    empty = tmp_path / 'empty.txt'
    empty.write_text('pass')
    stages = [Stage(name='e', command=(str(empty),), home=tmp_path, outputs=(f'{tmp_path}/x*',))]
    with pytest.raises(StageFailedError, match='did not write'):
        run_stages(stages, jobs=1, cores=1, display=Recorder())


def test_an_interrupted_stage_resumes_and_a_changed_one_starts_clean(tmp_path):
    script = tmp_path / 'train.txt'
    script.write_text(
        'import pathlib, sys\n'
        'folder = pathlib.Path(sys.argv[1]); folder.mkdir(exist_ok=True)\n'
        "old = (folder / 'epoch').exists(); (folder / 'epoch').write_text('1')\n"
        "(folder / 'seen').write_text(f'{old} {sys.argv[2:]}')\n"
        "sys.exit(0 if old or sys.argv[2] == 'easy' else 1)\n"
    )
    folder = tmp_path / 'work'

    def chain(word):
        command = (str(script), str(folder), word)
        owned, resume = (str(folder),), ('--resume',)
        return [Stage('t', command, home=tmp_path, owned=owned, resume=resume)]

    with pytest.raises(StageFailedError):
        run_stages(chain('hard'), jobs=1, cores=1, display=Recorder())
    run_stages(chain('hard'), jobs=1, cores=1, display=Recorder())
    assert (folder / 'seen').read_text() == "True ['hard', '--resume']"
    run_stages(chain('easy'), jobs=1, cores=1, display=Recorder())
    assert (folder / 'seen').read_text() == "False ['easy']"


def test_what_no_run_has_written_is_not_removed(script, tmp_path):
    precious = tmp_path / 'rgb/notes.txt'
    precious.parent.mkdir()
    precious.write_text('mine')
    stages = [stage(script, tmp_path, 'train', owned=(str(tmp_path / 'rgb'),))]
    with pytest.raises(FileExistsError, match=r"rgb is there already, but stage 'train' has never"):
        run_stages(stages, jobs=1, cores=1, display=Recorder())
    assert precious.read_text() == 'mine' and not (tmp_path / 'train').exists()


def test_two_runs_never_share_a_folder_not_even_with_a_stage_left_behind(script, tmp_path):
    stages = [stage(script, tmp_path, 'slow', 20)]
    code = (
        'import sys; from pathlib import Path; from mmdistill.stages import *\n'
        f'home = Path({str(tmp_path)!r})\n'
        f"command = ({script!r}, str(home / 'slow/out.txt'), '20')\n"
        "run_stages([Stage('slow', command, home)], 1, 1)\n"
    )
    first = subprocess.Popen([sys.executable, '-c', code], start_new_session=True)
    try:
        while not (tmp_path / 'logs/slow.log').exists():
            time.sleep(0.1)
        with pytest.raises(RuntimeError, match='still works in'):
            run_stages(stages, jobs=1, cores=1, display=Recorder())
        children = psutil.Process(first.pid).children()
        first.kill()
        first.wait()
        with pytest.raises(RuntimeError, match='still works in'):
            run_stages(stages, jobs=1, cores=1, display=Recorder())
    finally:
        first.kill()
    for child in children:
        child.kill()
        psutil.wait_procs([child], timeout=5)
    quick = [stage(script, tmp_path, 'slow', 0)]
    assert run_stages(quick, jobs=1, cores=1, display=Recorder()).skipped == []


def test_a_terminated_tool_stops_its_stages(script, tmp_path):
    code = (
        'from pathlib import Path; from mmdistill.stages import *\n'
        f'home = Path({str(tmp_path)!r})\n'
        f"run_chain([Stage('slow', ({script!r}, str(home / 'slow/out.txt'), '30'), home)], 1)\n"
    )
    tool = subprocess.Popen([sys.executable, '-c', code], stdout=subprocess.DEVNULL)
    while not (tmp_path / 'logs/slow.log').exists():
        time.sleep(0.1)
    children = psutil.Process(tool.pid).children()
    tool.terminate()
    assert tool.wait(timeout=15) == 143
    # On a busy machine a process that has been told to end may take a moment.
    _, alive = psutil.wait_procs(children, timeout=10)
    assert children and not alive


def test_peak_memory_of_a_stage_is_seen(tmp_path):
    script = tmp_path / 'eat.txt'
    script.write_text(
        'import time\nx = bytearray(200_000_000)\nx[::4096] = b"1" * len(x[::4096])\n'
        'time.sleep(2.5)\n'
    )
    stages = [Stage(name='eat', command=(str(script),), home=tmp_path)]
    summary = run_stages(stages, jobs=1, cores=1, display=Recorder())
    assert 200e6 < summary.peak_bytes['eat'] < 300e6
    stamp = json.loads((tmp_path / 'stamps/eat.json').read_text())
    assert stamp['identity']['command'] == [str(script)]


def test_unknown_needs_and_double_names_are_told(tmp_path):
    one = Stage(name='a', command=('x',), home=tmp_path, needs=('nothing',))
    with pytest.raises(ValueError, match="'a' needs"):
        run_stages([one], jobs=1, cores=1, display=Recorder())
    two = Stage(name='a', command=('x',), home=tmp_path)
    with pytest.raises(ValueError, match="Two stages are called 'a'"):
        run_stages([two, two], jobs=1, cores=1, display=Recorder())


def test_one_file_wants_exactly_one(tmp_path):
    pattern = OneFile(str(tmp_path / 'best*.pth'))
    with pytest.raises(FileNotFoundError, match=r'no output .*best\*.pth .* run again'):
        pattern.resolve()
    (tmp_path / 'best_1.pth').touch()
    assert pattern.resolve() == str(tmp_path / 'best_1.pth')
    (tmp_path / 'best_2.pth').touch()
    with pytest.raises(FileNotFoundError, match='best_2.*exactly one'):
        pattern.resolve()


def test_live_display_draws_every_state(tmp_path):
    display = LiveDisplay(Console(file=io.StringIO(), width=80))
    display.rows = {name: {'state': 'waiting'} for name in ('one', 'two', 'three')}
    display.started('one', tmp_path / 'log')
    display.skipped('two', 61.0, 2_000_000_000)
    display.console.print(display.table())
    drawn = display.console.file.getvalue()
    assert '1:01' in drawn and '2.00 GB' in drawn and '1 of 3 stages' in drawn
