"""`make setup`: what it keeps, what it builds, what it says. No test installs or compiles."""

import importlib
import json
import os
import subprocess
import sys
import tarfile
from importlib.metadata import version
from pathlib import Path

import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).parents[1]
CPU = ('2.13.0+cpu', '', [])
CUDA = ('2.13.0+cu130', '13.0', ['sm86', 'sm90'])


@pytest.fixture(scope='module')
def program():
    """The set-up program, whose modules find one another as siblings."""
    sys.path.insert(0, str(ROOT / 'tools' / 'setup_env'))
    try:
        spec = importlib.util.spec_from_file_location(
            'setup_env_main', ROOT / 'tools' / 'setup_env' / '__main__.py'
        )
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
    finally:
        sys.path.pop(0)
    return module


@pytest.fixture
def wheels(program):
    return sys.modules['mmcv_wheel']


@pytest.fixture(autouse=True)
def no_inherited_choices(monkeypatch):
    for name in ('FORCE_CUDA', 'TORCH_CUDA_ARCH_LIST', 'TORCH_INDEX_URL', 'CXX', 'CUDA_HOME'):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def commands(program, wheels, monkeypatch):
    """The long steps that were asked for; none of them is run."""
    asked = []
    for module in (program, wheels, sys.modules['torch_install']):
        monkeypatch.setattr(module, 'run_logged', lambda command, *_: asked.append(command))
    return asked


def test_installed_stack_lies_in_the_ranges_of_setup_py(program):
    needs = [Requirement(text) for text in [*program.NEEDS['RUN'], *program.NEEDS['DETECT']]]
    needs = [need for need in needs if need.marker is None or need.marker.evaluate()]
    misfits = [str(need) for need in needs if not need.specifier.contains(version(need.name))]
    assert not misfits
    ranges = {need.name: need.specifier for need in needs}
    assert all(ranges[name].contains(pin) for name, pin in program.NEEDS['PINS'].items())


@pytest.mark.parametrize(
    'candidate, fits',
    [((3, 9), False), ((3, 10), True), ((3, 12), True), ((3, 13), False), ((2, 7), False)],
)
def test_range_of_python(program, candidate, fits):
    assert program.python_fits(candidate) is fits


def test_wheel_folder_names_all_that_a_build_depends_on(program, wheels, monkeypatch):
    monkeypatch.setenv('XDG_CACHE_HOME', '/cache')
    tag, machine = 'cp{}{}'.format(*sys.version_info), os.uname().machine
    cpu = wheels.wheel_folder(program.Torch(*CPU))
    assert cpu == Path(f'/cache/mmdistill/wheels/torch2.13.0-{tag}-cpu-{machine}')
    assert wheels.wheel_folder(program.Torch(*CUDA)).name == (
        f'torch2.13.0-{tag}-cu13.0-sm86_sm90-{machine}'
    )
    monkeypatch.setenv('FORCE_CUDA', '1')
    monkeypatch.setenv('TORCH_CUDA_ARCH_LIST', '8.0;9.0+PTX')
    assert wheels.wheel_folder(program.Torch('2.13.0+cu130', '13.0', [])).name == (
        f'torch2.13.0-{tag}-cu13.0-8.0_9.0+PTX-{machine}'
    )


def test_kept_wheel_is_found_again(program, wheels, tmp_path):
    built = tmp_path / 'mmcv-2.1.0-cp311-cp311-linux_x86_64.whl'
    built.write_bytes(b'wheel')
    folder = tmp_path / 'cache' / 'torch'
    assert wheels.find_wheel(folder) is None
    kept = wheels.keep_wheel(built, folder)
    assert wheels.find_wheel(folder) == kept and kept.read_bytes() == b'wheel'
    assert [path.name for path in folder.iterdir()] == [built.name]


@pytest.mark.parametrize('release, standard', [('2.13.0', 'c++17'), ('2.14.1', 'c++20')])
def test_source_asks_for_the_standard_that_torch_needs(
    program, wheels, tmp_path, release, standard
):
    source = tmp_path / 'mmcv-2.1.0'
    source.mkdir()
    (source / 'setup.py').write_text("flags = ['-std=c++17']\n")
    with tarfile.open(tmp_path / 'mmcv-2.1.0.tar.gz', 'w:gz') as archive:
        archive.add(source, 'mmcv-2.1.0')
    (source / 'setup.py').unlink()
    unpacked = wheels.unpack_source(tmp_path, program.Torch(release, '', []))
    assert (unpacked / 'setup.py').read_text() == f"flags = ['-std={standard}']\n"


def test_all_missing_build_tools_are_named_at_once(program, wheels, monkeypatch, tmp_path):
    monkeypatch.setattr(wheels.shutil, 'which', lambda name: None)
    monkeypatch.setattr(wheels.sysconfig, 'get_paths', lambda: {'include': str(tmp_path)})
    with pytest.raises(program.SetupError) as error:
        wheels.check_build_tools(program.Torch(*CPU))
    assert 'apt install g++' in str(error.value) and 'Python.h' in str(error.value)
    assert 'nvcc' not in str(error.value)


def test_missing_nvcc_names_the_way_without(program, wheels, monkeypatch):
    monkeypatch.setattr(wheels.shutil, 'which', lambda name: None if name == 'nvcc' else name)
    monkeypatch.setattr(wheels.Path, 'exists', lambda path: 'nvcc' not in path.name)
    with pytest.raises(program.SetupError, match=r'nvcc of CUDA 13\.0.*CUDA_VISIBLE_DEVICES='):
        wheels.check_build_tools(program.Torch(*CUDA))


def answer_fault(program, wheels, monkeypatch, faults: list[str]) -> None:
    for module in (program, wheels):
        monkeypatch.setattr(module, 'mmcv_fault', lambda *_: faults.pop(0))
    monkeypatch.setattr(program, 'repair_opencv', lambda *_: None)


def test_fitting_mmcv_is_not_built_or_touched(program, wheels, monkeypatch, commands, tmp_path):
    answer_fault(program, wheels, monkeypatch, ['', ''])
    monkeypatch.setattr(program, 'build_wheel', lambda *_: pytest.fail('built'))
    program.install_stack(Path(sys.executable), program.Torch(*CPU), tmp_path / 'log')
    install, alone = commands
    assert f'{ROOT}[dev]' in install and not any('whl' in part for part in install)
    assert '--no-deps' in alone and alone[-1].startswith('netcal')


def test_wheel_in_the_cache_is_used_instead_of_a_build(
    program, wheels, monkeypatch, commands, tmp_path
):
    monkeypatch.setenv('XDG_CACHE_HOME', str(tmp_path))
    torch = program.Torch(*CPU)
    (tmp_path / 'mmcv-2.1.0-x.whl').touch()
    kept = wheels.keep_wheel(tmp_path / 'mmcv-2.1.0-x.whl', wheels.wheel_folder(torch))
    answer_fault(program, wheels, monkeypatch, ['undefined symbol', ''])
    monkeypatch.setattr(program, 'build_wheel', lambda *_: pytest.fail('built'))
    program.install_stack(Path(sys.executable), torch, tmp_path / 'log')
    remove, install, _ = commands
    assert 'uninstall' in remove and str(kept) in install


def test_wheel_that_does_not_load_is_built_again(program, wheels, monkeypatch, commands, tmp_path):
    answer_fault(program, wheels, monkeypatch, ['absent', 'undefined symbol', ''])
    monkeypatch.setattr(program, 'find_wheel', lambda folder: folder / 'mmcv-old.whl')
    monkeypatch.setattr(program, 'build_wheel', lambda *_: tmp_path / 'mmcv-new.whl')
    program.install_stack(Path(sys.executable), program.Torch(*CPU), tmp_path / 'log')
    assert '--force-reinstall' in commands[-1] and str(tmp_path / 'mmcv-new.whl') in commands[-1]


@pytest.mark.parametrize('asked', ['many', '0', '-2', '1.5'])
def test_jobs_that_are_no_number(program, wheels, monkeypatch, asked):
    monkeypatch.setenv('MAX_JOBS', asked)
    with pytest.raises(program.SetupError, match=f"MAX_JOBS must be .*got '{asked}'"):
        wheels.chosen_jobs()
    monkeypatch.setenv('MAX_JOBS', '3')
    assert wheels.chosen_jobs() == 3


def test_source_that_does_not_compile_in_groups_is_compiled_as_it_is(
    program, wheels, monkeypatch, tmp_path
):
    """The first build fails; what the second one finds is mmcv's own source."""
    seen = []

    def unpack(folder, _):
        (source := folder / 'mmcv-2.1.0' / 'mmcv/ops/csrc/pytorch/cpu').mkdir(parents=True)
        for place in (source, source.parent):
            (place / 'nms.cpp').write_text('int nms() {\n}\n')
        return folder / 'mmcv-2.1.0'

    def compile_wheel(_, source, *rest):
        seen.append(sorted(path.name for path in source.rglob('pytorch/*.cpp')))
        if len(seen) == 1:
            raise program.SetupError('"Building mmcv" failed')
        (source.parent / 'mmcv-2.1.0-x.whl').touch()

    monkeypatch.setattr(wheels, 'run_logged', lambda *_: None)
    monkeypatch.setattr(wheels, 'check_build_tools', lambda _: None)
    monkeypatch.setattr(wheels, 'unpack_source', unpack)
    monkeypatch.setattr(wheels, 'compile_wheel', compile_wheel)
    torch = program.Torch(*CPU)
    wheel = wheels.build_wheel(Path(sys.executable), torch, tmp_path / 'kept', tmp_path / 'log')
    assert seen == [['group_pytorch_0.cpp'], ['nms.cpp']] and wheel.exists()


def test_torch_of_the_user_is_kept(program, monkeypatch, commands, tmp_path):
    install = sys.modules['torch_install']
    monkeypatch.setattr(install, 'probe_torch', lambda python: program.Torch(*CUDA))
    assert install.provide_torch(Path(sys.executable), tmp_path / 'log').version == CUDA[0]
    assert not any('torch' in part for command in commands for part in command[3:])
    for old in ('1.13.1', '2.5.1'):
        monkeypatch.setattr(
            install, 'probe_torch', lambda python, old=old: program.Torch(old, '', [])
        )
        with pytest.raises(program.SetupError, match=f'{old} is too old'):
            install.provide_torch(Path(sys.executable), tmp_path / 'log')


@pytest.mark.parametrize('torch, shown', [(CUDA, True), (CPU, False), (None, False)])
def test_cuda_torch_of_the_base_python_shows_through(program, monkeypatch, tmp_path, torch, shown):
    asked = []
    found = torch and program.Torch(*torch)
    monkeypatch.setattr(program, 'probe_torch', lambda python: found)
    monkeypatch.setattr(program.subprocess, 'run', lambda command, **_: asked.append(command))
    monkeypatch.setattr(sys, 'prefix', sys.base_prefix)
    program.make_venv(tmp_path / 'venv')
    assert ('--system-site-packages' in asked[0]) is shown


def test_cuda_torch_of_an_active_environment_is_not_passed_over(program, monkeypatch, tmp_path):
    monkeypatch.setattr(program, 'probe_torch', lambda python: program.Torch(*CUDA))
    monkeypatch.setattr(sys, 'prefix', '/my/env')
    with pytest.raises(program.SetupError, match='make setup VENV=/my/env'):
        program.make_venv(tmp_path / 'venv')


@pytest.fixture
def venv(tmp_path) -> Path:
    (tmp_path / 'venv' / 'bin').mkdir(parents=True)
    (tmp_path / 'venv' / 'bin' / 'python').symlink_to(sys.executable)
    return tmp_path / 'venv'


def test_finished_environment_is_left_at_once(program, monkeypatch, venv, capsys):
    monkeypatch.setattr(program, 'make_venv', lambda venv: pytest.fail('worked'))
    state = program.describe_state(venv / 'bin' / 'python')
    (venv / 'mmdistill-setup.json').write_text(json.dumps(state))
    program.set_up(venv)
    assert 'up to date' in capsys.readouterr().out


@pytest.mark.parametrize('changed', ['recipe', 'root', 'versions'])
def test_changed_recipe_place_or_torch_is_work(program, monkeypatch, venv, changed):
    class WorkError(Exception): ...

    def work(venv):
        raise WorkError

    monkeypatch.setattr(program, 'make_venv', work)
    state = {**program.describe_state(venv / 'bin' / 'python'), changed: 'another'}
    (venv / 'mmdistill-setup.json').write_text(json.dumps(state))
    with pytest.raises(WorkError):
        program.set_up(venv)


def test_failed_step_shows_the_end_of_its_output(program, tmp_path):
    (tmp_path / 'log').write_text('from before\n')
    fail = [sys.executable, '-c', "print('no space left'); raise SystemExit(3)"]
    with pytest.raises(program.SetupError, match='"Filling the disk" failed.*\nno space') as error:
        program.run_logged(fail, tmp_path / 'log', 'Filling the disk')
    assert 'from before' not in str(error.value) and str(tmp_path / 'log') in str(error.value)


def find_python(*names: str | Path) -> subprocess.CompletedProcess:
    command = ['sh', str(ROOT / 'tools' / 'find_python.sh'), *map(str, names)]
    return subprocess.run(command, capture_output=True, text=True)


def script(path: Path, body: str) -> Path:
    path.write_text(f'#!/bin/sh\n{body}\n')
    path.chmod(0o755)
    return path


def test_python_that_exists_but_fails_is_passed_over(tmp_path):
    shim = script(tmp_path / 'shim', 'echo "command not found" >&2; exit 127')
    works = script(tmp_path / 'works', f'exec {sys.executable} "$@"')
    found = find_python(shim, tmp_path / 'absent', works)
    assert (found.returncode, found.stdout.strip()) == (0, str(works))


def test_without_a_fitting_python_all_candidates_are_named(tmp_path):
    old = script(tmp_path / 'old', 'case "$1" in --version) echo Python 3.8.1;; *) exit 1;; esac')
    found = find_python(old, tmp_path / 'absent')
    assert found.returncode == 1
    assert 'Python >=3.10,<3.13' in found.stderr and 'old (Python 3.8.1)' in found.stderr
    assert 'absent (does not run)' in found.stderr and 'PYTHON=' in found.stderr
