"""A run on cached logits: the targets of live experts, without the experts."""

from pathlib import Path

import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmengine.hooks import Hook
from programs import load_program

from mmdistill.cache import use_teacher_cache
from mmdistill.datasets.clip_index import SeededClips
from mmdistill.models import Expert
from mmdistill.registry import DATASETS, HOOKS

RandomClips = DATASETS.get('RandomClips')
TARGETS = {}
NAMED = ('untaught/label', 'verb/loss_untaught', 'verb/loss_soft_target')


class AugmentedClips(RandomClips):
    """Clips with noise that is drawn anew each time."""

    def __getitem__(self, index):
        clip = super().__getitem__(index)
        for key, frames in clip['inputs'].items():
            noise = torch.from_numpy(np.random.randint(0, 90, frames.shape).astype(np.uint8))
            clip['inputs'][key] = frames // 2 + noise
        return clip

    def plain_record(self, index):
        return dict(sample_id=f'clip{index}')


@DATASETS.register_module(name='NoisyClips')
class NoisyClips(SeededClips, AugmentedClips):
    """The same, seeded."""


class ClipsWithGaps(AugmentedClips):
    """Half of them, drawn anew each time, lack flow."""

    def __getitem__(self, index):
        clip = super().__getitem__(index)
        flow = bool(np.random.random() < 0.5)
        clip['data_samples'].set_metainfo(dict(available=dict(rgb=True, flow=flow)))
        return clip


@DATASETS.register_module(name='GappyClips')
class GappyClips(SeededClips, ClipsWithGaps):
    """The same, seeded."""


@HOOKS.register_module(name='RecordTargets')
class RecordTargets(Hook):
    """Remember what the student was taught."""

    def after_train_iter(self, runner, batch_idx, data_batch=None, outputs=None):
        for sample in data_batch['data_samples']:
            key = runner.epoch, sample.sample_id
            TARGETS[key] = {t: sample.teacher.logits.get(t).clone() for t in ('verb', 'noun')}


@pytest.fixture(scope='module')
def tool():
    return load_program('tools/cache_teacher.py')


@pytest.fixture
def config(distillation, tmp_path):
    def build(epochs=3, **changes):
        cfg = distillation(
            train_cfg=dict(type='EpochBasedTrainLoop', max_epochs=epochs),
            custom_hooks=[
                dict(type='mmdistill.DistillationLossHook'),
                dict(type='mmdistill.RecordTargets'),
            ],
            **changes,
        )
        cfg['train_dataloader']['dataset']['type'] = 'mmdistill.NoisyClips'
        cfg['train_dataloader']['sampler'] = dict(type='mmdistill.EpochSampler', shuffle=True)
        return cfg

    return build


@pytest.fixture
def store(tool, config, tmp_path, capsys):
    """Write a cache with the command; returns its output."""

    def run(*arguments):
        path = tmp_path / 'config.py'
        Config(config()).dump(path)
        tool.main([str(path), str(tmp_path / 'cache'), *map(str, arguments)])
        return capsys.readouterr().out

    return run


@pytest.fixture
def cached(config, tmp_path):
    def build(**changes):
        cache = changes.pop('teacher_cache', str(tmp_path / 'cache'))
        return use_teacher_cache(Config(config(teacher_cache=cache, **changes)))

    return build


@pytest.fixture
def train(train):
    """As everywhere, also for a config that a tool has prepared."""
    return lambda cfg: train(cfg.to_dict() if isinstance(cfg, Config) else cfg)


def no_expert(*args, **kwargs):
    raise AssertionError('an expert was built')


def test_cached_targets_are_the_live_ones_epoch_by_epoch(
    store, config, cached, train, monkeypatch, tmp_path
):
    out = store('--views', 2, '--clips-per-shard', 4)
    assert '6 clips in 2 views' in out and 'MB per 1,000 clips and view' in out
    live = config(work_dir=str(tmp_path / 'live'))
    live['train_dataloader']['sampler']['views'] = 2
    TARGETS.clear()
    weights = dict(train(live).message_hub.log_scalars)
    expected = dict(TARGETS)
    TARGETS.clear()
    monkeypatch.setattr(Expert, '__init__', no_expert)
    runner = train(cached(work_dir=str(tmp_path / 'cached')))
    assert set(TARGETS) == set(expected) and len(expected) == 18
    for key, by_task in expected.items():
        for task, logits in by_task.items():
            assert torch.allclose(TARGETS[key][task], logits, atol=2e-3, rtol=2e-3), key
    # Epochs differ, and the third is the first again.
    assert not torch.allclose(TARGETS[0, 'clip1']['verb'], TARGETS[1, 'clip1']['verb'], atol=1e-4)
    assert torch.equal(TARGETS[0, 'clip1']['verb'], TARGETS[2, 'clip1']['verb'])
    for name, value in runner.message_hub.log_scalars.items():
        if name.startswith('train/weights/'):
            assert np.array_equal(value.data[0], weights[name].data[0])


def test_clips_without_the_teachers_modality_learn_alike_live_and_cached(
    tool, config, train, tmp_path
):
    def gappy(**changes):
        cfg = config(**changes)
        cfg['train_dataloader']['dataset']['type'] = 'mmdistill.GappyClips'
        del cfg['teacher']['experts']['rgb']  # what is left reads flow alone
        # Building experts draws numbers, which would change what dropout draws.
        for head in cfg['model']['recognizer']['cls_head']['heads'].values():
            head['dropout_ratio'] = 0.0
        return cfg

    path = tmp_path / 'config.py'
    Config(gappy()).dump(path)
    tool.main([str(path), str(tmp_path / 'cache'), '--views', '3'])
    live = train(gappy(work_dir=str(tmp_path / 'live')))
    cache = gappy(work_dir=str(tmp_path / 'cached'), teacher_cache=str(tmp_path / 'cache'))
    cached = train(use_teacher_cache(Config(cache)))
    ours, theirs = (
        [runner.message_hub.log_scalars[f'train/{name}'].data[0] for name in NAMED]
        for runner in (cached, live)
    )
    for a, b in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(a, b, rtol=0.02, atol=0.02)
    assert 0 < np.mean(theirs[0]) < 1
    for a, b in zip(cached.model.parameters(), live.model.parameters(), strict=True):
        assert torch.allclose(a, b, atol=2e-3, rtol=2e-2)


def test_weighting_and_temperature_change_freely(store, cached, train):
    store('--views', 1)
    cfg = cached(epochs=1)
    cfg.teacher.weighting = dict(type='mmdistill.EntropyWeighting')
    cfg.model.losses.soft_target.temperature = 4.0
    assert train(cfg).message_hub.log_scalars['train/verb/loss_soft_target'].mean() > 0


class TestBadInput:
    def test_another_checkpoint(self, store, cached, train, tmp_path):
        store()
        state = torch.load(tmp_path / 'flow.pth')
        torch.save(dict(state, more=1), tmp_path / 'flow.pth')
        with pytest.raises(ValueError, match=r'does not belong.*: experts.flow.checkpoint: stored'):
            train(cached(epochs=1))

    def test_other_settings(self, store, cached, train):
        store()
        cfg = cached(epochs=1, randomness=dict(seed=3))
        cfg.train_dataloader.dataset.num_clips = 7
        with pytest.raises(ValueError, match='seed: stored 0, now 3; data.settings.num_clips'):
            train(cfg)

    def test_more_views_than_there_are(self, store, cached, tmp_path):
        store('--views', 2)
        with pytest.raises(ValueError, match='wants 3 views, but .* has 2'):
            cached(teacher_cache=dict(folder=str(tmp_path / 'cache'), views=3))

    def test_a_sampler_without_epochs(self, store, config, tmp_path):
        store()
        cfg = Config(config(teacher_cache=str(tmp_path / 'cache')))
        cfg.train_dataloader.sampler.type = 'DefaultSampler'
        with pytest.raises(ValueError, match='samples with DefaultSampler: set'):
            use_teacher_cache(cfg)

    def test_mixup_and_feature_losses(self, store, cached, train):
        store()
        blended = cached(epochs=1)
        blended.model.recognizer.data_preprocessor.blending = dict(
            type='MixupBlending', num_classes=4
        )
        with pytest.raises(ValueError, match='blends them.*live experts'):
            train(blended)
        feature = cached(epochs=1)
        feature.model.losses.mars = dict(
            type='mmdistill.FeatureMSELoss',
            student_layer='backbone.layer4',
            expert='flow',
            expert_layer='backbone.layer3',
            student_channels=32,
            expert_channels=16,
        )
        with pytest.raises(ValueError, match='logits, not features.*flow'):
            train(feature)


def test_only_what_the_student_reads_is_loaded(store, tmp_path):
    store()
    root = Path(__file__).parents[2] / 'configs/distill'
    cfg = Config.fromfile(root / 'swin_ek100_rgbflowobj.py')
    cfg.teacher_cache = str(tmp_path / 'cache')
    use_teacher_cache(cfg)
    assert cfg.train_dataloader.dataset.pipeline.load.inputs == ('rgb',)
    assert cfg.holdout_dataloader.dataset.pipeline.load.inputs == ('rgb',)
    frames = Config.fromfile(root / 'tsm-r50_ek100_rgbflowobj.py')
    frames.teacher_cache = str(tmp_path / 'cache')
    use_teacher_cache(frames)
    assert frames.train_dataloader.dataset.pipeline.load.inputs == ('frames',)


def test_geometry_in_frames_that_are_not_loaded_is_an_error(store, tmp_path):
    store()
    cfg = Config.fromfile(Path(__file__).parents[2] / 'configs/distill/swin_ek100_rgbflowobj.py')
    cfg.teacher_cache = str(tmp_path / 'cache')
    cfg.train_dataloader.dataset.pipeline.load.inputs = ('flow', 'rgb')
    with pytest.raises(ValueError, match="drawn in the frames of 'flow'.*put 'rgb' first"):
        use_teacher_cache(cfg)
