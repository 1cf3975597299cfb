"""Make the environment behind `make setup`: a virtual environment with the whole pinned stack.

Runs with any supported Python and its standard library. What is there already is kept: a torch in
range, and an mmcv whose operators load. mmcv is built from source once per torch version; the wheel
stays in the user's cache directory. Versions and ranges are read from setup.py.

Environment variables:
    TORCH_INDEX_URL: Where torch comes from. Unset: pip's own index, or PyTorch's CPU index on a
        Linux machine without an NVIDIA driver.
    MAX_JOBS: Compilers at once; default one per core, as far as memory allows.
    FORCE_CUDA=1: Build mmcv's CUDA operators although no GPU is visible.
    XDG_CACHE_HOME: Where built wheels are kept, in mmdistill/wheels; default ~/.cache.
"""

import argparse
import hashlib
import importlib.util
import json
import platform
import re
import subprocess
import sys
import time
from pathlib import Path

from mmcv_wheel import build_wheel, find_wheel, mmcv_fault, wheel_folder
from steps import NEEDS, ROOT, SetupError, duration, last_line, pip, run_logged, run_probe, say
from torch_install import Torch, probe_torch, provide_torch

STACK_PROBE = """
import importlib.metadata, torch, cv2, decord, mmcv.ops, mmdet, mmaction, mmdistill
boxes = torch.tensor([[0., 0., 4., 4.], [0., 0., 4., 3.9], [8., 8., 9., 9.]])
kept = mmcv.ops.nms(boxes, torch.tensor([.9, .8, .7]), 0.5)[1].tolist()
assert kept == [0, 2], f'mmcv.ops.nms kept {kept} of three boxes, [0, 2] is right'
names = ('torch', 'mmengine', 'mmcv', 'mmdet', 'mmaction2', 'decord', 'opencv-python', 'numpy')
print(', '.join(f'{name} {importlib.metadata.version(name)}' for name in names))
"""
VERSION_PROBE = 'import importlib.metadata as m; print(m.version("torch"), m.version("mmcv"))'


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--venv', type=Path, default=ROOT / '.venv', help='where to install')
    parser.add_argument('--check-python', action='store_true', help='only judge this Python')
    args = parser.parse_args()
    if args.check_python:
        sys.exit(not python_fits(sys.version_info[:2]))
    try:
        set_up(args.venv.absolute())
    except SetupError as error:
        sys.exit(f'[setup] ERROR: {error}')
    except KeyboardInterrupt:
        sys.exit('[setup] Stopped. Run it again to go on.')


def set_up(venv: Path) -> None:
    """Bring `venv` to the state that setup.py describes; return at once if it is there."""
    python, stamp = venv / 'bin' / 'python', venv / 'mmdistill-setup.json'
    if stamp.exists() and json.loads(stamp.read_text()) == describe_state(python):
        say(f'{venv} is up to date.')
        return
    start = time.monotonic()
    make_venv(venv)
    log = venv / 'setup.log'
    log.write_text('')
    torch = provide_torch(python, log)
    install_stack(python, torch, log)
    probe = run_probe(python, STACK_PROBE)
    if probe.returncode:
        raise SetupError(f'the installed stack does not work: {last_line(probe.stderr)}')
    say(probe.stdout.strip())
    stamp.write_text(json.dumps(describe_state(python)))
    say(f'{venv} is ready after {duration(time.monotonic() - start)}.')


def python_fits(version: tuple[int, int]) -> bool:
    lowest, too_high = re.findall(r'(\d+)\.(\d+)', NEEDS['PYTHON'])
    return tuple(map(int, lowest)) <= tuple(version) < tuple(map(int, too_high))


def make_venv(venv: Path) -> None:
    """Create the environment unless it exists; a CUDA torch of the base Python shows through."""
    if not python_fits(sys.version_info[:2]):
        raise SetupError(
            f'this is Python {platform.python_version()}, mmdistill needs {NEEDS["PYTHON"]}. '
            'Name another one: make setup PYTHON=/path/to/python3.11'
        )
    if (venv / 'bin' / 'python').exists():
        probe = run_probe(venv / 'bin' / 'python', 'import sys; print(*sys.version_info[:2])')
        if probe.returncode or tuple(map(int, probe.stdout.split())) != sys.version_info[:2]:
            raise SetupError(
                f'{venv} holds another Python ({probe.stdout.strip() or "it does not run"}) than '
                f'this one, {platform.python_version()}. Remove the folder and try again.'
            )
        if run_probe(venv / 'bin' / 'python', 'import pip').returncode:
            subprocess.run([venv / 'bin' / 'python', '-m', 'ensurepip'], check=True)
        return
    if importlib.util.find_spec('ensurepip') is None:
        package = f'python{sys.version_info[0]}.{sys.version_info[1]}-venv'
        raise SetupError(f'this Python has no venv module. On Debian: apt install {package}')
    torch = probe_torch(Path(sys.executable))
    keep = torch is not None and bool(torch.accelerator)
    if keep and sys.prefix != sys.base_prefix:
        raise SetupError(
            f'the active environment {sys.prefix} holds torch {torch.version}. '
            f'To keep it: make setup VENV={sys.prefix}. To install another: deactivate it first.'
        )
    say(f'Making {venv} with Python {platform.python_version()}.')
    if keep:
        say(f'The torch {torch.version} of {sys.executable} is kept (--system-site-packages).')
    options = ['--system-site-packages'] if keep else []
    subprocess.run([sys.executable, '-m', 'venv', *options, venv], check=True)


def install_stack(python: Path, torch: Torch, log: Path) -> None:
    """Install mmcv with operators and everything in setup.py; a fitting mmcv is not touched."""
    repair_opencv(python, log)  # before mmcv is judged, which imports it
    folder = wheel_folder(torch)
    extra = []
    if mmcv_fault(python, torch):
        wheel = find_wheel(folder) or build_wheel(python, torch, folder, log)
        say(f'Using {wheel}')
        extra.append(wheel)
        # pip would keep a broken mmcv of the same version, and mmcv-lite has the same module.
        removal = [str(python), '-m', 'pip', 'uninstall', '-y', 'mmcv', 'mmcv-lite', 'mmcv-full']
        run_logged(removal, log, 'Making room for mmcv')
    everything = pip(python, 'install', '--no-build-isolation', *extra, '-e', f'{ROOT}[dev]')
    run_logged(everything, log, 'Installing mmdet, mmaction2 and the rest')
    alone = pip(python, 'install', '--no-deps', *NEEDS['DEV_ALONE'])
    run_logged(alone, log, 'Installing what tests compare with')
    repair_opencv(python, log)
    fault = mmcv_fault(python, torch)
    if fault:
        say(f'mmcv does not work ({fault}): it is built again.')
        wheel = build_wheel(python, torch, folder, log)
        again = pip(python, 'install', '--force-reinstall', '--no-deps', wheel)
        run_logged(again, log, 'Installing the new mmcv')
        fault = mmcv_fault(python, torch)
    if fault:
        raise SetupError(f'mmcv was built and does not load: {fault}. The log is {log}')


def repair_opencv(python: Path, log: Path) -> None:
    """Where libGL is missing, put the headless OpenCV over the one that upstream asks for."""
    fault = run_probe(python, 'import cv2')
    if fault.returncode == 0 or "No module named 'cv2'" in fault.stderr:
        return
    say(f'OpenCV does not import ({last_line(fault.stderr)}): the headless build takes its place.')
    headless = ['--force-reinstall', '--no-deps', 'opencv-contrib-python-headless']
    run_logged(pip(python, 'install', *headless), log, 'Installing headless OpenCV')
    fault = run_probe(python, 'import cv2')
    if fault.returncode:
        raise SetupError(f'OpenCV does not import: {last_line(fault.stderr)}')


def describe_state(python: Path) -> dict:
    """What the stamp of a finished set-up holds; another answer later means there is work."""
    files = [ROOT / 'setup.py', *sorted(Path(__file__).parent.glob('*.py'))]
    recipe = b''.join(path.read_bytes() for path in files)
    versions = run_probe(python, VERSION_PROBE).stdout.strip() if python.exists() else ''
    return dict(recipe=hashlib.sha256(recipe).hexdigest(), root=str(ROOT), versions=versions)


if __name__ == '__main__':
    main()
