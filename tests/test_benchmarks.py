"""Every benchmark runs, at a size at which its figures mean nothing."""

import importlib
from pathlib import Path

import pytest

from benchmarks.memory import Watched, watched_text
from benchmarks.run import PARTS, page
from benchmarks.sizes import TINY
from benchmarks.timing import Times, in_turns, ratio, spread

ROOT = Path(__file__).parents[1]
# The others take longer than a second or two; the whole of them is `benchmarks.run --tiny`.
SLOW = ('step_cached', 'ten_students', 'memory', 'scaling')


@pytest.mark.parametrize(
    'part', [pytest.param(p, marks=pytest.mark.slow) if p in SLOW else p for p in PARTS]
)
def test_a_part_gives_a_section(part, tmp_path, monkeypatch):
    monkeypatch.chdir(ROOT)  # configs name each other from the root
    section = importlib.import_module(f'benchmarks.{part}').run(TINY, tmp_path)
    assert section.title and '| --- |' in section.text
    assert 'nan' not in section.text


def test_contenders_take_turns_and_the_first_rounds_do_not_count():
    called = []
    contenders = {name: lambda name=name: called.append(name) for name in 'ab'}
    times = in_turns(contenders, rounds=2, warmup=1)
    assert ''.join(called) == 'ba' + 'ab' + 'ba'
    assert [len(found.wall) for found in times.values()] == [2, 2]
    assert isinstance(times['a'], Times)


def test_what_grows_is_told():
    flat = Watched([690.0, *[700.0] * 19], [9, *[8] * 19], 60.0)
    text = watched_text(10_000, flat)
    assert '10,000 iterations' in text and '| after 500 | after half | at the end |' in text
    assert '| memory | 690 MB | 700 MB | 700 MB | +0.00% | flat |' in text
    assert '| open files | 9 | 8 | 8 | +0 | flat |' in text
    leaking = Watched([700.0 + 2 * i for i in range(20)], list(range(8, 28)), 60.0)
    assert watched_text(10_000, leaking).count('**grows**') == 2


def test_a_ratio_is_formed_within_the_rounds():
    # A machine that gets ten times slower in the second round changes nothing.
    found = ratio([2.0, 20.0, 2.2], [1.0, 10.0, 1.0])
    assert found.median == 2.0 and found.high == pytest.approx(2.1)
    assert spread([1, 2, 3]).text(1, ' s') == '2.0 s (1.5 to 2.5)'


def test_the_page_names_the_machine():
    text = page(dict(step_live='## a. Something\n\n**1.0**\n'))
    assert 'Machine: ' in text and 'torch 2' in text and '## a. Something' in text
    assert 'Not measured yet: `step_cached`, ' in text and '`step_live`' not in text
