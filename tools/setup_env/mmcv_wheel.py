"""mmcv with compiled operators: a wheel per torch version, built once and kept."""

import os
import shutil
import sys
import sysconfig
import tarfile
import tempfile
import time
from pathlib import Path

from grouped import group_folder
from steps import NEEDS, SetupError, duration, last_line, pip, run_logged, run_probe, say
from torch_install import Torch

GB_PER_COMPILER = 2.5  # the largest group takes 2.2

MMCV_PROBE = """
import sys, mmcv, mmcv.ops
if not mmcv.__version__.startswith(sys.argv[1]):
    sys.exit(f'mmcv {mmcv.__version__} is installed, {sys.argv[1]}x is needed')
if sys.argv[2] == 'cuda' and mmcv.ops.get_compiling_cuda_version() == 'not available':
    sys.exit('mmcv was built without CUDA operators')
"""


def mmcv_fault(python: Path, torch: Torch) -> str:
    """Why the installed mmcv does not fit this torch; empty if it does."""
    series = NEEDS['PINS']['mmcv'].rpartition('.')[0] + '.'
    probe = run_probe(python, MMCV_PROBE, series, 'cuda' if torch.wants_cuda else 'cpu')
    return last_line(probe.stderr) if probe.returncode else ''


def wheel_folder(torch: Torch) -> Path:
    cache = os.environ.get('XDG_CACHE_HOME') or Path.home() / '.cache'
    return Path(cache) / 'mmdistill' / 'wheels' / torch.key


def find_wheel(folder: Path) -> Path | None:
    return next(folder.glob(f'mmcv-{NEEDS["PINS"]["mmcv"]}-*.whl'), None)


def build_wheel(python: Path, torch: Torch, folder: Path, log: Path) -> Path:
    """Compile mmcv with its operators and keep the wheel in `folder`."""
    check_build_tools(torch)
    pin = f'mmcv=={NEEDS["PINS"]["mmcv"]}'
    jobs = chosen_jobs()
    with tempfile.TemporaryDirectory() as scratch:
        fetch = pip(python, 'download', '--no-deps', '--no-binary', ':all:', '-d', scratch)
        run_logged([*fetch, '--no-build-isolation', pin], log, f'Fetching the source of {pin}')
        say(f'Compiling the operators of {pin}, {jobs} file(s) at once. On two cores this takes 2')
        say('minutes (4 if they are busy), once per torch version: the wheel is kept in')
        say(f'{folder}')
        start = time.monotonic()
        source = unpack_source(Path(scratch), torch)
        group_sources(source, jobs)
        try:
            compile_wheel(python, source, jobs, log)
        except SetupError as error:
            say(f'{error}')
            say('Trying again with each file on its own, as mmcv has them: 6 minutes or more.')
            shutil.rmtree(source)
            compile_wheel(python, unpack_source(Path(scratch), torch), jobs, log)
        wheel = keep_wheel(next(Path(scratch).glob('mmcv-*.whl')), folder)
    say(f'mmcv was built in {duration(time.monotonic() - start)}.')
    return wheel


def compile_wheel(python: Path, source: Path, jobs: int, log: Path) -> None:
    """Compile mmcv's source; the wheel lies beside its folder.

    Raises:
        SetupError: The build failed.
    """
    # No debug symbols, which take half the time; without -O mmcv's operators would be slow.
    flags = f'-O2 {os.environ.get("CFLAGS", "")} -g0'
    path = f'{python.parent}{os.pathsep}{os.environ.get("PATH", "")}'  # where ninja is
    changes = dict(CFLAGS=flags, MAX_JOBS=str(jobs), MMCV_WITH_OPS='1', PATH=path)
    build = pip(python, 'wheel', '--no-deps', '--no-build-isolation', '-v', '-w')
    run_logged([*build, str(source.parent), str(source)], log, f'Building {source.name}', changes)


def group_sources(source: Path, jobs: int) -> None:
    """Let mmcv's operators for the CPU and their bindings be a few files in place of 77."""
    operators = source / 'mmcv/ops/csrc/pytorch'
    groups = sum(group_folder(folder, jobs) for folder in (operators, operators / 'cpu'))
    say(f'They are compiled in {groups} groups: most of the time goes into the headers of torch.')


def keep_wheel(built: Path, folder: Path) -> Path:
    """Copy a wheel into the cache in one step: another set-up never sees half of it."""
    folder.mkdir(parents=True, exist_ok=True)
    partial = folder / f'{built.name}.{os.getpid()}'
    shutil.copyfile(built, partial)
    return partial.replace(folder / built.name)


def unpack_source(folder: Path, torch: Torch) -> Path:
    """Unpack mmcv's sdist; torch >= 2.14 needs C++20 where its setup.py asks for C++17."""
    with tarfile.open(next(folder.glob('mmcv-*.tar.gz'))) as archive:
        archive.extractall(folder)
    source = next(path.parent for path in folder.glob('mmcv-*/setup.py'))
    if torch.release >= (2, 14):
        setup = source / 'setup.py'
        setup.write_text(setup.read_text().replace('std=c++17', 'std=c++20'))
        say(f'torch {torch.version} needs C++20: mmcv is compiled so.')
    return source


def check_build_tools(torch: Torch) -> None:
    """Name every missing tool at once.

    Raises:
        SetupError: Without a C++ compiler, Python's headers or (for CUDA) nvcc.
    """
    missing = []
    compiler = (os.environ.get('CXX') or 'c++').split()[0]
    if not (shutil.which(compiler) or shutil.which('g++')):
        missing.append(f'a C++ compiler ({compiler}; on Debian: apt install g++)')
    if not Path(sysconfig.get_paths()['include'], 'Python.h').exists():
        package = f'python{sys.version_info[0]}.{sys.version_info[1]}-dev'
        missing.append(f"Python's headers (Python.h; on Debian: apt install {package})")
    has_nvcc = os.environ.get('CUDA_HOME') or shutil.which('nvcc')
    if torch.wants_cuda and not (has_nvcc or Path('/usr/local/cuda/bin/nvcc').exists()):
        missing.append(
            f'nvcc of CUDA {torch.accelerator} (set CUDA_HOME; or, for operators that '
            'run on the CPU only: CUDA_VISIBLE_DEVICES= make setup)'
        )
    if missing:
        raise SetupError('to build mmcv this machine lacks ' + '; '.join(missing))


def chosen_jobs() -> int:
    """How many files are compiled at once: `MAX_JOBS`, or what the machine has room for.

    Raises:
        SetupError: `MAX_JOBS` is no number above 0.
    """
    asked = os.environ.get('MAX_JOBS', '').strip()
    if asked and (not asked.isdecimal() or int(asked) < 1):
        raise SetupError(f'MAX_JOBS must be a whole number >= 1, got {asked!r}')
    return int(asked) if asked else default_jobs()


def default_jobs() -> int:
    memory = os.sysconf('SC_PAGE_SIZE') * os.sysconf('SC_PHYS_PAGES') / 2**30
    return max(1, min(os.cpu_count() or 1, int(memory / GB_PER_COMPILER)))
