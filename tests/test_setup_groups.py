"""mmcv's C++ files in groups: nothing twice in a group, and the program does the same."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PROGRAM = str(ROOT / 'tools' / 'setup_env')

FIRST = """#include <algorithm>
#define LEAST(a, b) ((a) < (b) ? (a) : (b))

template <typename T>
struct Weights {
  T left;
};

template <typename T>
static void add(T* place, const T& value) {
  *place += value;
}

int first() {
  Weights<int> weights{LEAST(2, 3)};
  add(&weights.left, 1);
  return weights.left;
}
"""
SECOND = FIRST.replace('first()', 'second()').replace('value;', '10 * value;')
MACROS = """#define min(a, b) ((a) < (b) ? (a) : (b))

int third() { return min(7, 8); }
"""
LAST = """#include <algorithm>

int fourth(int a = std::min(1, 2)) { return a; }
"""
MAIN = """#include <cstdio>
int first(); int second(); int third(); int fourth(int);
int main() { std::printf("%d %d %d %d", first(), second(), third(), fourth(5)); }
"""


@pytest.fixture(scope='module')
def grouped():
    sys.path.insert(0, PROGRAM)
    try:
        import grouped

        yield grouped
    finally:
        sys.path.remove(PROGRAM)


def test_names_of_the_top_level_are_found(grouped):
    assert grouped.defined_names(FIRST) == {'Weights', 'add', 'first'}
    declared = (
        'void later(int a);\nnamespace {\nint inner = 3;\n}\nstatic Tensor make(int a) {\n}\n'
    )
    assert grouped.defined_names(declared) == {'make'}


def test_files_that_collide_are_apart_and_groups_are_of_like_size(grouped):
    sources = dict(a='int f() {\n}', b='int f() {\n}', c='int f() {\n}', d='int g() {\n}' * 40)
    groups = grouped.make_groups(sources, 2)
    assert sorted(name for group in groups for name in group) == list('abcd')
    assert all(len(set(group) & set('abc')) <= 1 for group in groups) and len(groups) == 3
    assert grouped.make_groups(dict(a='//', b='//'), 8) == [['a'], ['b']]


@pytest.mark.skipif(not shutil.which('g++'), reason='needs a C++ compiler')
def test_groups_compile_to_the_same_program(grouped, tmp_path):
    sources = {'1.cpp': FIRST, '2.cpp': SECOND, '3.cpp': MACROS, '4.cpp': LAST}
    for name, text in sources.items():
        (tmp_path / name).write_text(text)
    assert grouped.group_folder(tmp_path, 1) == 2  # FIRST and SECOND are apart
    assert [path.name.startswith('group_') for path in tmp_path.glob('*.cpp')] == [True] * 2
    (tmp_path / 'main.cpp').write_text(MAIN)
    files = sorted(tmp_path.glob('*.cpp'))
    subprocess.run(['g++', '-o', tmp_path / 'program', *files], check=True)
    done = subprocess.run([tmp_path / 'program'], capture_output=True, text=True, check=True)
    assert done.stdout == '3 12 7 5'
