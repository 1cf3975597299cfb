"""Kill each extraction tool at random moments of its work, and compare what it leaves in the end.

    python tests/extraction/kill_and_compare.py --kills 10

Flow, detections, audio and packs of a rendered data set are made once without disturbance, and once
by runs that are ended by kill -9 and started again until there have been so many kills. The files
must be the same bytes, with nothing left over, and the manifests tell the same but for the time.
Where a run ends before its kill, its result is compared and everything begins anew. Exit code 1 if
anything differs.
"""

import argparse
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import torch

import mmdistill  # noqa: F401  (repairs of upstream faults)
from mmdistill.extraction.manifest import read_manifest
from mmdistill.models.detector import FrameDetector
from projects.demo.rendering.renderer import render_demo

ROOT = Path(__file__).parents[2]
DETECTOR = ROOT / 'projects/demo/configs/detector.py'
PATIENCE = 600  # seconds for a run, on a busy machine


def commands(data: Path, out: Path) -> dict[str, list[str]]:
    """How each tool is called; all that it writes is below `out`."""
    videos = ['--videos', f'{data}/*/videos/*.MP4']
    template = ['--out-template', f'{out}/{{video_id}}']
    detector = [str(DETECTOR), str(data / 'detector.pth'), '--device', 'cpu', '--score-thr', '0']
    return {
        'flow': ['extract_flow.py', *videos, *template, '--workers', '2'],
        'audio': ['extract_audio.py', *videos, *template[:1], f'{template[1]}.flac'],
        'detections': ['extract_detections.py', *detector, *videos, '--out', f'{out}/boxes.h5'],
        'packs': ['pack_hdf5.py', *videos, '--out', f'{out}/rgb.h5'],
    }


def make_data(folder: Path) -> Path:
    """A rendered data set and a detector of random weights."""
    data = folder / 'data'
    render_demo(data, num_train=60, num_val=24, seed=0)
    torch.manual_seed(0)
    torch.save(
        {'state_dict': FrameDetector(DETECTOR, None).model.state_dict()}, data / 'detector.pth'
    )
    return data


class Trial:
    """One tool: its command, where it writes, and what an undisturbed run left.

    Args:
        folder: A folder of its own.
    """

    def __init__(self, name: str, data: Path, folder: Path) -> None:
        self.name, self.out, self.log = name, folder / 'out', folder / 'log.txt'
        tool, *options = commands(data, self.out)[name]
        self.command = [sys.executable, str(ROOT / 'tools/data' / tool), *options]
        folder.mkdir()
        self.out.mkdir()
        process = self.start()
        self.wait_for_work(process)
        began = time.monotonic()
        self.finish(process)
        self.seconds = time.monotonic() - began
        self.expected = self.found()

    def start(self) -> subprocess.Popen:
        path = os.pathsep.join(filter(None, (str(ROOT), os.environ.get('PYTHONPATH'))))
        with self.log.open('w') as log:
            return subprocess.Popen(
                self.command, env={**os.environ, 'PYTHONPATH': path}, stdout=log, stderr=log
            )

    def wait_for_work(self, process: subprocess.Popen) -> None:
        """Return when something is written, or when the process has ended."""
        before, deadline = self.snapshot(), time.monotonic() + PATIENCE
        while process.poll() is None and self.snapshot() == before:
            assert time.monotonic() < deadline, self.log.read_text()
            time.sleep(0.01)

    def snapshot(self) -> set[str]:
        return {
            os.path.join(place, name) for place, _, names in os.walk(self.out) for name in names
        }

    def finish(self, process: subprocess.Popen) -> None:
        code = process.wait(PATIENCE)
        # A pack that had its name when it was killed is refused: there is nothing left to do.
        if code and self.found() != getattr(self, 'expected', None):
            sys.exit(f'{self.name} ended with {code}:\n{self.log.read_text()}')

    def found(self) -> dict[str, object]:
        """Every file with its bytes; of manifests, what they say but for the time."""
        result: dict[str, object] = {}
        for path in sorted(self.out.rglob('*')):
            if path.name.endswith('manifest.jsonl'):
                entries = read_manifest(path).items()
                result[path.name] = {k: {**v, 'made': ''} for k, v in entries}
            elif path.is_file():
                result[str(path.relative_to(self.out))] = path.read_bytes()
        return result

    def compare(self) -> None:
        found = self.found()
        differing = sorted(
            name
            for name in found.keys() | self.expected.keys()
            if found.get(name) != self.expected.get(name)
        )
        if differing:
            sys.exit(f'{self.name}: {len(differing)} files differ, such as {differing[:5]}.')

    def disturb(self, kills: int, rng: random.Random) -> str:
        """Kill, restart, compare; returns what happened."""
        shutil.rmtree(self.out)
        self.out.mkdir()
        moments, completed = [], 0
        while True:
            process = self.start()
            if len(moments) == kills:
                self.finish(process)
                self.compare()
                return (
                    f'{self.name}: killed {kills} times, {", ".join(moments)} s after it began to '
                    f'write; {completed + 1} results compared, {len(self.expected)} files each: '
                    'the same.'
                )
            self.wait_for_work(process)
            # On average a third of the work before each kill, so that ends are met as well.
            delay = rng.uniform(0, 0.7 * self.seconds)
            try:
                process.wait(delay)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
                moments.append(f'{delay:.2f}')
                continue
            self.finish(process)
            self.compare()
            completed += 1
            shutil.rmtree(self.out)
            self.out.mkdir()


def main(argv: Sequence[str] | None = None) -> None:
    """Try all tools."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--kills', type=int, default=10, help='of each tool')
    parser.add_argument('--seed', type=int, default=0, help='of the moments')
    parser.add_argument('--tools', nargs='+', default=list(commands(Path(), Path())))
    args = parser.parse_args(argv)
    rng = random.Random(args.seed)
    with tempfile.TemporaryDirectory() as folder:
        data = make_data(Path(folder))
        for name in args.tools:
            trial = Trial(name, data, Path(folder) / name)
            print(trial.disturb(args.kills, rng), flush=True)


if __name__ == '__main__':
    main()
