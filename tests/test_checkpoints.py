"""Damaged checkpoints, and those of other models, are one line that names the file."""

import os
import zipfile
from pathlib import Path

import numpy as np
import pytest
import safetensors.torch
import torch
from mmengine.model import PretrainedInit
from torch import nn

from mmdistill.checkpoints import (
    CheckpointError,
    compare_weights,
    load_strictly,
    load_weights,
    read_checkpoint,
    weights_of,
)


class Command:
    """Runs a shell command when a careless loader unpickles it."""

    def __reduce__(self):
        return os.system, ('true',)


def checkpoint() -> dict:
    return dict(meta=dict(epoch=1, iter=3), state_dict=model().state_dict())


def model(classes: int = 3) -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(4, 8), nn.BatchNorm1d(8), nn.Linear(8, classes))


def cut(path: Path, share: float) -> None:
    torch.save(checkpoint(), path)
    path.write_bytes(path.read_bytes()[: int(share * path.stat().st_size)])


def flip_a_bit(path: Path) -> None:
    """Change one weight: torch loads such a file without a word."""
    torch.save(checkpoint(), path)
    with zipfile.ZipFile(path) as archive:
        [place] = [info for info in archive.infolist() if info.filename.endswith('data/0')]
        content = bytearray(path.read_bytes())
        content[content.index(archive.read(place))] ^= 1
    path.write_bytes(content)
    assert torch.load(path, weights_only=True)['meta'] == checkpoint()['meta']


def write_archive(path: Path) -> None:
    with path.open('wb') as file:
        np.savez(file, a=np.zeros(3))


DAMAGES = {
    'text': (lambda path: path.write_text('not a checkpoint at all\n'), "begins with 'not a check"),
    'a pointer of Git LFS': (
        lambda path: path.write_text('version https://git-lfs.github.com/spec/v1\n'),
        "begins with 'version https://git-lfs",
    ),
    'empty': (lambda path: path.touch(), 'is empty'),
    'a folder': (lambda path: path.mkdir(), 'is a folder'),
    'truncated': (lambda path: cut(path, 0.9), 'is truncated'),
    'only its beginning': (lambda path: cut(path, 0.05), 'is truncated'),
    'a changed bit': (flip_a_bit, r'is damaged, .*data/0 does not fit its checksum'),
    'zeros': (lambda path: path.write_bytes(bytes(5000)), 'is no checkpoint, it begins with'),
    'a list': (lambda path: torch.save([1, 2], path), 'holds a list; expected .*state_dict'),
    'a tensor': (lambda path: torch.save(torch.zeros(3), path), 'holds a Tensor; expected'),
    'a pickle': (lambda path: path.write_bytes(b'\x80\x02]q\x00.'), 'cannot be read as weights'),
    'half a pickle': (lambda path: path.write_bytes(b'\x80\x02]q'), 'cannot be read as weights'),
    'safetensors': (
        lambda path: safetensors.torch.save_file(dict(a=torch.zeros(3)), path),
        'is a safetensors file',
    ),
    'arrays of NumPy': (write_archive, 'is a zip archive, but no checkpoint'),
    'a command': (lambda path: torch.save(Command(), path), 'would import .*system.* is refused'),
    'a whole model': (
        lambda path: torch.save(nn.Linear(1, 1), path),
        'would import torch.nn.modules.linear.Linear .* Save its weights alone',
    ),
    'forged numbers': (
        lambda path: torch.save(dict(a=np.array(['x'])), path),
        r"is refused: it holds NumPy data of type 'U1', not numbers\.",
    ),
}


@pytest.mark.parametrize('name', DAMAGES)
@pytest.mark.parametrize('mapped', [False, True])
def test_a_damaged_checkpoint_is_one_line(tmp_path, name, mapped):
    damage, expected = DAMAGES[name]
    path = tmp_path / 'expert.pth'
    damage(path)
    with pytest.raises(CheckpointError, match=expected) as caught:
        read_checkpoint(path, mapped=mapped)
    message = str(caught.value)
    assert message.startswith(f'{path} ') and '\n' not in message
    assert 'weights_only' not in message and 'trust' not in message


def test_a_missing_checkpoint_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r'no checkpoint .*gone\.pth'):
        read_checkpoint(tmp_path / 'gone.pth')


def test_an_address_without_an_answer_is_named():
    with pytest.raises(
        CheckpointError, match=r'^http://127\.0\.0\.1:9/a\.pth cannot be read .*refused'
    ):
        read_checkpoint('http://127.0.0.1:9/a.pth')


def test_weights_that_a_config_names_are_read_in_the_same_way(tmp_path):
    """MMEngine reads them: `pretrained=…`, `init_cfg=dict(type='Pretrained', …)`."""
    (tmp_path / 'resnet.pth').write_text('not a checkpoint')
    layer = nn.Linear(1, 1)
    weights = PretrainedInit(str(tmp_path / 'resnet.pth'))
    with pytest.raises(CheckpointError, match=r'resnet\.pth is no checkpoint, it begins with'):
        weights(layer)
    torch.save(dict(state_dict=dict(weight=torch.ones(1, 1))), tmp_path / 'resnet.pth')
    weights(layer)
    assert layer.weight.item() == 1


@pytest.mark.parametrize('mapped', [False, True])
@pytest.mark.parametrize('zipped', [False, True])
def test_a_good_checkpoint_is_read(tmp_path, mapped, zipped):
    path = tmp_path / 'good [1].pth'
    torch.save(checkpoint(), path, _use_new_zipfile_serialization=zipped)
    found = read_checkpoint(path, mapped=mapped)
    assert found['meta'] == dict(epoch=1, iter=3)
    assert all(torch.equal(x, found['state_dict'][k]) for k, x in model().state_dict().items())


@pytest.mark.parametrize(
    ('content', 'expected'),
    [
        (dict(meta={}, epoch=3), r'has no state_dict, but meta, epoch; expected'),
        (dict(model=dict(a=torch.zeros(1))), 'has no state_dict, but model'),
        (dict(state_dict=[1]), 'a list as its state_dict'),
        (dict(state_dict=dict(a=3)), "'a' of its state_dict is no tensor"),
        ({}, 'has no state_dict, but nothing'),
    ],
)
def test_a_checkpoint_without_weights_says_what_it_has(content, expected):
    with pytest.raises(CheckpointError, match=f'^file.pth.*{expected}'):
        weights_of(content, 'file.pth')


def test_weights_alone_are_a_checkpoint_and_lose_the_prefix_of_ddp():
    weights = {f'module.{name}': x for name, x in model().state_dict().items()}
    assert list(weights_of(weights, 'file.pth')) == list(model().state_dict())


def test_what_fits_is_counted_and_the_rest_named():
    weights = weights_of(dict(state_dict=model(5).state_dict()), 'file.pth')
    del weights['0.bias'], weights['1.num_batches_tracked']
    weights['3.weight'] = torch.zeros(2)
    for match in (compare_weights(model(), weights), load_weights(model(), weights)):
        # Eight weights, of which a count of batches may be missing.
        assert (match.fitting, match.missing, match.unexpected) == (5, ['0.bias'], ['3.weight'])
        assert match.reshaped == [
            '2.weight (5, 8) instead of (3, 8)',
            '2.bias (5,) instead of (3,)',
        ]
        assert not match.complete and str(match).startswith('5 of 8 weights fit; missing: 0.bias;')


def test_what_fits_is_loaded_and_nothing_else():
    target, source = model(), model(5)
    with torch.no_grad():
        source[0].weight.fill_(7)
    load_weights(target, weights_of(dict(source.state_dict()), 'file.pth'))
    assert (target[0].weight == 7).all()
    assert torch.equal(target[2].weight, model()[2].weight)


def test_a_checkpoint_of_another_model_is_not_loaded_strictly():
    load_strictly(model(), checkpoint(), 'file.pth', 'the model', 'Give another.')
    with pytest.raises(CheckpointError) as caught:
        load_strictly(model(5), checkpoint(), 'file.pth', 'the model of x', 'Give another.')
    assert str(caught.value) == (
        'file.pth does not fit the model of x: 6 of 8 weights fit; of another shape: '
        '2.weight (3, 8) instead of (5, 8), 2.bias (3,) instead of (5,). Give another.'
    )
