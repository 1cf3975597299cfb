"""Checkpoints that are damaged or of another model, over every tool that reads one."""

import os
import re
from collections.abc import Callable
from pathlib import Path

import safetensors.torch
import torch
from bad_row import Row, truncate

TRAIN, TEST, CACHE = 'tools/train.py', 'tools/test.py', 'tools/cache_teacher.py'
SCALING, COST = 'tools/analysis/temperature_scaling.py', 'tools/analysis/cost.py'
BAD = Path('bad[1].pth')  # brackets are no wildcards in a name that exists


class Command:
    """Leaves a file behind when a careless loader unpickles it."""

    def __reduce__(self):
        return os.system, ('touch executed',)


def half(path: Path) -> None:
    path.write_bytes(Path('expert.pth').read_bytes())
    truncate(path)


def flipped(path: Path) -> None:
    """A bit of the weights has changed."""
    content = bytearray(Path('expert.pth').read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def other_model(path: Path) -> None:
    content = torch.load('work/epoch_1.pth', weights_only=True)
    renamed = {f'encoder.{name}': value for name, value in content['state_dict'].items()}
    torch.save(content | dict(state_dict=renamed), path)


DAMAGES: dict[str, tuple[Callable[[Path], object], str]] = {
    'text': (lambda path: path.write_text('no weights here'), "no checkpoint, it begins with 'no"),
    'empty': (lambda path: path.touch(), 'is empty'),
    'truncated': (half, 'is truncated'),
    'a changed bit': (flipped, 'is damaged, .*does not fit its checksum'),
    'a list': (lambda path: torch.save([1, 2], path), 'holds a list; expected'),
    'safetensors': (
        lambda path: safetensors.torch.save_file(dict(a=torch.zeros(3)), path),
        'is a safetensors file',
    ),
    'code': (lambda path: torch.save(Command(), path), 'would import .*system.*it is refused'),
    'no state_dict': (lambda path: torch.save(dict(meta={}), path), 'has no state_dict, but meta'),
    'another model': (other_model, ''),
}
# How a tool gets the checkpoint, what it may leave behind, and what it says of another model.
WAYS: dict[str, tuple[str, list[str], list[str], str]] = {
    'resume': (
        TRAIN,
        ['distill.py', '--work-dir', 'new', '--resume', BAD],
        ['new/**'],
        'is of another model than .*distill.py: 0 of .* weights fit; missing: .*load_from=',
    ),
    'load_from': (
        TRAIN,
        ['distill.py', '--work-dir', 'new', '--cfg-options', f'load_from={BAD}'],
        ['new/**'],
        'fits the model of .*distill.py: 0 of .*load_from=None',
    ),
    'test': (
        TEST,
        ['expert.py', BAD, '--work-dir', 'new'],
        ['new/**'],
        'does not fit the model of .*expert.py: 0 of .*unknown to the model: encoder',
    ),
    'an expert': (
        CACHE,
        [
            'distill.py',
            'new',
            '--seed',
            '0',
            '--cfg-options',
            f'teacher.experts.one.checkpoint={BAD}',
        ],
        ['new/**'],
        r"does not fit the model of expert 'one' \(expert.py\): 0 of",
    ),
    'a detector': (
        'tools/data/extract_detections.py',
        ['detector.py', BAD, '--videos', 'videos/P01_01.mp4', '--out', 'new.h5', '--workers', '0'],
        [],
        'does not fit the detector config: 0 of',
    ),
    'temperatures': (SCALING, ['expert.py', BAD, '--publish', 'new.pth'], [], ''),
    'costs': (
        COST,
        ['one=expert.py', '--detector', 'detector.py', BAD, '--out', 'new'],
        [],
        'does not fit the detector config: 0 of',
    ),
}


def _row(way: str, damage: str) -> Row:
    tool, words, left, of_another = WAYS[way]
    prepare, expected = DAMAGES[damage]
    return Row(
        tool,
        f'{way}: checkpoint is {damage}',
        words,
        f'{re.escape(str(BAD))}.* {expected or of_another}'.replace('.* is', ' is', 1),
        prepare=lambda here: prepare(here / BAD),
        left=left,
    )


def _damage_newest(here: Path) -> None:
    truncate(here / 'work/epoch_1.pth')


ROWS = [
    _row(way, damage)
    for way in WAYS
    for damage in DAMAGES
    if WAYS[way][3] or damage != 'another model'  # it is tools/test.py that says so
] + [
    Row(
        TRAIN,
        'resume: no checkpoint of the work dir is whole',
        'distill.py --work-dir work --resume',
        r'None of the checkpoints in work can be resumed \(epoch_1\.pth\): give another one',
        prepare=_damage_newest,
    ),
    Row(
        TRAIN,
        'resume: a folder',
        'distill.py --work-dir new --resume work',
        r'no checkpoint work \(work holds epoch_1\.pth\)',
    ),
    Row(
        TRAIN,
        'resume: a checkpoint of an expert',
        'distill.py --work-dir new --resume expert.pth',
        'expert.pth cannot be resumed: .*no log history',
        left=['new/**'],
    ),
    Row(
        TRAIN,
        'resume: a training of an expert goes on as a distillation',
        'distill.py --work-dir new --resume bad.pth',
        'training without a teacher: resume with the config',
        prepare=lambda here: torch.save(
            {
                key: value
                for key, value in torch.load(here / 'work/epoch_1.pth', weights_only=True).items()
                if key != 'distillation'
            },
            here / 'bad.pth',
        ),
        left=['new/**'],
    ),
]
