"""What cached logits depend on: every change of it is named, and nothing else is one."""

import copy
from pathlib import Path

import pytest

from mmdistill.cache import fingerprint
from mmdistill.cache.fingerprint import differences, of_experts
from mmdistill.config_tools import load_config

ROOT = Path(__file__).parents[2]
CLIPS = ['a', 'b']


@pytest.fixture(scope='module')
def root(tmp_path_factory):
    """Experts' checkpoints and an annotation file."""
    folder = tmp_path_factory.mktemp('root')
    for name in ('rgb', 'flow', 'obj'):
        (folder / name).mkdir()
        (folder / f'{name}/best_1.pth').write_text(name)
    (folder / 'annotations').mkdir()
    (folder / 'annotations/EPIC_100_train_all.csv').write_text('video_id\n')
    return folder


@pytest.fixture(scope='module')
def loaded(root):
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(ROOT)
        return load_config(
            'projects/demo/configs/student.py', dict(data_root=str(root), expert_dir=str(root))
        )


@pytest.fixture
def cfg(loaded, monkeypatch):
    monkeypatch.chdir(ROOT)
    return copy.deepcopy(loaded)


@pytest.fixture(scope='module')
def stored(loaded):
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(ROOT)
        return fingerprint(loaded, loaded.teacher, CLIPS)


def changes(stored, cfg, clips=CLIPS):
    """The names of what differs."""
    return [
        line.partition(':')[0] for line in differences(stored, fingerprint(cfg, cfg.teacher, clips))
    ]


def test_the_same_config_has_no_differences(stored, cfg):
    assert changes(stored, cfg) == []


PIPELINE = 'train_dataloader.dataset.pipeline'


@pytest.mark.parametrize(
    ('key', 'value', 'named'),
    [
        ('randomness.seed', 9, 'seed'),
        ('train_dataloader.sampler.augmentation_seed', 9, 'seed'),
        (f'{PIPELINE}.sample.clip_len', 4, 'data.pipeline.sample.clip_len'),
        (f'{PIPELINE}.load.geometry.flip.flip_ratio', 0.1, 'data.pipeline.load.geometry.flip'),
        (f'{PIPELINE}.load.modalities.flow.channels', 2, 'data.pipeline.load.modalities.flow'),
        ('train_dataloader.dataset.holdout.ratio', 0.3, 'data.settings.holdout.ratio'),
        ('holdout_dataloader.dataset.pipeline.sample.clip_len', 4, 'holdout.pipeline.sample'),
        ('teacher.experts.rgb.config', 'projects/demo/configs/flow.py', 'experts.rgb.model'),
        ('teacher.experts.rgb.checkpoint', 'https://x.org/a.pth', 'experts.rgb.checkpoint'),
    ],
)
def test_a_change_is_named_by_its_place(stored, cfg, key, value, named):
    cfg.merge_from_dict({key: value})
    found = changes(stored, cfg)
    assert found and all(name.startswith(named) for name in found), found


def test_contents_of_checkpoints_annotations_and_clips_count(stored, cfg, root, tmp_path):
    other = tmp_path / 'flow.pth'
    other.write_text('trained again')
    cfg.teacher.experts.flow.checkpoint = str(other)
    cfg.train_dataloader.dataset.data_root = str(tmp_path)
    (tmp_path / 'annotations').mkdir()
    (tmp_path / 'annotations/EPIC_100_train_all.csv').write_text('video_id\nP01\n')
    found = changes(stored, cfg, clips=[*CLIPS, 'c'])
    assert found == ['experts.flow.checkpoint', 'data.annotations', 'clips']


@pytest.mark.parametrize(
    ('key', 'value'),
    [
        ('teacher.weighting.temperature', 0.1),
        ('model.label_weight', 0.5),
        ('model.losses.soft_target.temperature', 4.0),
        ('model.recognizer.backbone.base_channels', 8),
        ('train_dataloader.batch_size', 2),
        ('train_cfg.max_epochs', 1),
        (f'{PIPELINE}.load.inputs', ('rgb',)),
        ('train_dataloader.sampler.augmentation_seed', 0),
        ('val_dataloader.dataset.pipeline.sample.clip_len', 4),
    ],
)
def test_what_may_change_freely_is_not_in_it(stored, cfg, key, value):
    cfg.merge_from_dict({key: value})
    assert changes(stored, cfg) == []


def test_the_experts_precision_counts_where_there_is_one(stored, cfg):
    # A cache of before there was a choice stays valid.
    assert 'autocast' not in stored['experts']['rgb']
    cfg.teacher.update(autocast=None, prefetch=True, inference_mode=False, share_inputs=False)
    assert changes(stored, cfg) == []
    cfg.teacher.experts.flow.autocast = 'bfloat16'
    assert changes(stored, cfg) == ['experts.flow.autocast']
    cfg.teacher.autocast = 'float16'
    cfg.teacher.experts.rgb.autocast = None
    assert changes(stored, cfg) == ['experts.flow.autocast', 'experts.obj.autocast']


def test_a_cache_of_more_experts_says_what_some_of_them_depend_on(stored, cfg):
    del cfg.teacher.experts['rgb'], cfg.teacher.experts['obj']
    assert len(changes(stored, cfg)) > 2
    assert changes(of_experts(stored, ['flow']), cfg) == []
    # What only the others read may change, what this one reads may not.
    cfg.merge_from_dict({f'{PIPELINE}.load.modalities.obj.max_boxes': 3})
    assert changes(of_experts(stored, ['flow']), cfg) == []
    cfg.merge_from_dict({f'{PIPELINE}.load.modalities.flow.channels': 2})
    found = changes(of_experts(stored, ['flow']), cfg)
    assert found == ['data.pipeline.load.modalities.flow.channels']


def test_a_teacher_that_changes_is_not_stored():
    cfg = load_config(ROOT / 'configs/distill/ema_ek100_rgb.py')
    with pytest.raises(ValueError, match=r'EMATeacher has no frozen experts.*teacher_cache=None'):
        fingerprint(cfg, cfg.teacher, CLIPS)
