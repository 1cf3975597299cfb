"""What the tests of the tools share: a tiny data set, the tools as modules and as processes."""

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from miniature_demo import write_demo
from programs import load_program

import mmdistill  # noqa: F401  (repairs upstream first)
from mmdistill.config_tools import read_model
from mmdistill.registry import MODELS

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope='session')
def tiny_data(tmp_path_factory) -> Path:
    """24 training and 8 validation clips with flow, and boxes drawn at random."""
    return write_demo(tmp_path_factory.mktemp('data') / 'demo')


@pytest.fixture(scope='session')
def load_tool():
    """Import a tool as a module."""

    def load(name: str):
        return load_program(f'tools/{name}')

    return load


@pytest.fixture(scope='session')
def start_tool(tmp_path_factory):
    """Start a tool as a user does, from the root of the repository; its output goes to a file."""
    logs = tmp_path_factory.mktemp('logs')

    def start(*arguments: str | Path) -> tuple[subprocess.Popen, Path]:
        with socket.socket() as free:
            free.bind(('127.0.0.1', 0))
            port = free.getsockname()[1]
        inherited = {key: value for key, value in os.environ.items() if key != 'LOCAL_RANK'}
        env = inherited | dict(PORT=str(port), PYTHON=sys.executable, OMP_NUM_THREADS='1')
        command = [str(argument) for argument in arguments]
        if command[0].endswith('.py'):
            command.insert(0, sys.executable)
        log = logs / f'{len(list(logs.iterdir()))}.log'
        with log.open('w') as file:
            process = subprocess.Popen(command, cwd=ROOT, env=env, stdout=file, stderr=file)
        return process, log

    return start


@pytest.fixture(scope='session')
def run_tools(start_tool):
    """Run tools side by side to their end; every one of them must succeed."""

    def run(*commands: list[str | Path]) -> None:
        started = [start_tool(*command) for command in commands]
        codes = [process.wait(timeout=900) for process, _ in started]
        for code, (_, log) in zip(codes, started, strict=True):
            assert code == 0, log.read_text()[-4000:]

    return run


@pytest.fixture(scope='session')
def demo_experts(tmp_path_factory) -> Path:
    """The demo's three experts as they begin, in the places of trained ones."""
    root = tmp_path_factory.mktemp('experts')
    for name in ('rgb', 'flow', 'obj'):
        torch.manual_seed(0)
        model = MODELS.build(read_model(str(ROOT / f'projects/demo/configs/{name}.py')))
        (root / name).mkdir()
        torch.save(dict(state_dict=model.state_dict()), root / name / 'best_untrained.pth')
    return root


@pytest.fixture(scope='session')
def demo_cache(run_tools, tiny_data, demo_experts, tmp_path_factory) -> Path:
    """What they say about the tiny data set in two views, in shards of eight clips."""
    cache = tmp_path_factory.mktemp('cache') / 'cache'
    run_tools(
        [
            *('tools/cache_teacher.py', 'projects/demo/configs/student.py', cache),
            *('--views', '2', '--clips-per-shard', '8'),
            *('--cfg-options', f'data_root={tiny_data}/', f'expert_dir={demo_experts}'),
        ]
    )
    return cache
