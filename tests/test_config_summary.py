"""What a model sees is read from the loaders; mirrored left and right are noticed."""

import random

import numpy as np
import pytest
import torch
from mmengine.config import Config

from mmdistill.config_summary import is_sided, loader_lines, mirrored_classes
from mmdistill.config_tools import load_config

GEOMETRY = dict(
    resize=dict(type='Resize', scale=(16, 16), keep_ratio=False),
    flip=dict(type='Flip', flip_ratio=0.5),
)
PIPELINE = dict(
    sample=dict(type='SampleFrames', clip_len=4, frame_interval=2, num_clips=1),
    load=dict(type='mmdistill.LoadModalities', inputs='rgb', geometry=GEOMETRY),
)
LOADER = Config(dict(batch_size=8, dataset=dict(pipeline=PIPELINE)))._cfg_dict


class Clips(torch.utils.data.Dataset):
    """Clips that draw random numbers when they are read, with class names."""

    def __init__(self, names=('push', 'lift')):
        self.classes = dict(action=list(names), other=None)

    def __len__(self):
        return 3

    def __getitem__(self, index):
        noise = random.random() + np.random.rand() + torch.rand(()).item()
        return dict(
            inputs=dict(rgb=np.zeros((1, 3, 4, 16, 16)) + noise, obj=np.zeros((1, 4, 5, 6)))
        )


def test_lines_say_shapes_frames_geometry_and_classes():
    assert loader_lines('train', LOADER, Clips(), 0) == [
        'train: 3 clips in batches of 8',
        '  a clip: rgb 1 x 3 x 4 x 16 x 16, obj 1 x 4 x 5 x 6',
        '  frames: 1 x 4 frames, 2 apart (SampleFrames)',
        '  geometry: Resize (16,16), Flip with probability 0.5',
        '  classes: action 2',
    ]
    assert not any('a clip' in line for line in loader_lines('train', LOADER, Clips(), None))


def test_looking_draws_nothing_of_the_training():
    results = []
    for look in (False, True):
        random.seed(0)
        np.random.seed(0)
        torch.manual_seed(0)
        if look:
            loader_lines('train', LOADER, Clips(), 0)
        results.append((random.random(), np.random.rand(), torch.rand(()).item()))
    assert results[0] == results[1]


SIDED = ['turn-right', 'left_hand', 'moveLeft', 'leftwards', 'rotate anticlockwise', 'RIGHT']
UNSIDED = ['stand upright', 'brighten', 'leftover', 'theft', 'copyright', 'push']


@pytest.mark.parametrize('name', [*SIDED, 'Pulling something from left to right'])
def test_words_that_a_mirror_turns_around(name):
    assert is_sided(name)


@pytest.mark.parametrize('name', UNSIDED)
def test_words_that_only_look_like_them(name):
    assert not is_sided(name)


def test_mirrored_classes_are_named_with_the_option_that_helps():
    warning = mirrored_classes(LOADER, Clips(['push', *SIDED]))
    assert "left from right: 'turn-right', 'left_hand', 'moveLeft' and 3 more" in warning
    option = '--cfg-options train_dataloader.dataset.pipeline.load.geometry.flip.flip_ratio=0'
    assert warning.endswith(option)
    assert mirrored_classes(LOADER, Clips()) is None


@pytest.mark.parametrize(
    'flip',
    [
        dict(flip_ratio=0),
        dict(direction='vertical'),
        dict(flip_label_map={1: 2, 2: 1}),  # upstream's way to exchange the labels
    ],
)
def test_what_mirrors_no_class_is_not_warned_of(flip):
    loader = Config(dict(LOADER))._cfg_dict
    loader.dataset.pipeline.load.geometry.flip.update(flip)
    assert mirrored_classes(loader, Clips(SIDED)) is None


@pytest.mark.parametrize('name', ['swin_sthv2_rgb', 'swin_sthv2_flow', 'swin_sthelse_rgb'])
def test_something_something_is_never_mirrored(name):
    loader = load_config(f'configs/unimodal/{name}.py').train_dataloader
    assert mirrored_classes(loader, Clips(SIDED)) is None
