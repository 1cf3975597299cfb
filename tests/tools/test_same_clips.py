"""Every modality of a clip in an epoch is the same tensor, with any number of workers and ranks."""

from pathlib import Path

import pytest
import torch
from mmengine.registry import init_default_scope
from mmengine.runner import Runner

from mmdistill.config_tools import load_config

CONFIG = Path(__file__).parents[2] / 'configs/distill/swin_ek100_rgbflowaudio.py'
INPUTS = ('rgb', 'flow', 'obj', 'audio')


@pytest.fixture(scope='module')
def load(tiny_data):
    """Load some epochs of a training: (epoch, sample id) -> modality -> tensor."""
    root = dict(data_root=f'{tiny_data}/')
    init_default_scope('mmaction')  # whichever test comes first
    cfg = load_config(CONFIG, root).train_dataloader
    cfg.dataset.indices = 6
    cfg.dataset.pipeline.sample.clip_len = 8
    cfg.dataset.pipeline.load.inputs = INPUTS
    cfg.dataset.pipeline.load.geometry.resize.scale = (32, 32)

    def run(epochs, **loader):
        settings = dict(cfg.to_dict(), batch_size=2, **loader)
        loader = Runner.build_dataloader(settings, seed=3)
        found = {}
        for epoch in epochs:
            loader.sampler.set_epoch(epoch)
            for batch in loader:
                for i, sample in enumerate(batch['data_samples']):
                    clip = {key: batch['inputs'][key][i] for key in INPUTS}
                    found[epoch, sample.sample_id] = clip
        return found

    return run


@pytest.fixture(scope='module')
def whole(load):
    return load((0, 1), num_workers=0, persistent_workers=False)


def assert_same(ours, theirs):
    assert ours
    for key, clip in ours.items():
        assert all(torch.equal(clip[m], theirs[key][m]) for m in INPUTS), key


def test_two_persistent_workers_load_what_the_process_itself_does(load, whole):
    ours = load((0, 1), num_workers=2, persistent_workers=True)
    assert ours.keys() == whole.keys()
    assert_same(ours, whole)


def test_a_rank_that_begins_with_the_second_epoch_does_too(load, whole, monkeypatch):
    monkeypatch.setattr('mmengine.dataset.sampler.get_dist_info', lambda: (1, 2))
    torch.manual_seed(77)
    ours = load((1,), num_workers=0, persistent_workers=False)
    assert len(ours) == 3
    assert_same(ours, whole)


@pytest.mark.parametrize('modality', INPUTS)
def test_epochs_draw_every_modality_anew(whole, modality):
    first, second = (
        [clip[modality] for (e, _), clip in sorted(whole.items(), key=lambda x: x[0]) if e == epoch]
        for epoch in (0, 1)
    )
    assert any(not torch.equal(a, b) for a, b in zip(first, second, strict=True))
