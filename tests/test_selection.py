"""The best checkpoint is chosen by other clips than those that are reported, unless asked for."""

from pathlib import Path

import pytest
from mmengine.config import Config

from mmdistill.config_tools import load_config
from mmdistill.selection import apply_selection, clips_of, how_selected, selects_on_test

ROOT = Path(__file__).parents[1]
CONFIGS = [
    *sorted((ROOT / 'configs/unimodal').glob('*.py')),
    *sorted((ROOT / 'configs/distill').glob('[!t]*_*.py')),
    *(ROOT / f'projects/demo/configs/{name}.py' for name in ('rgb', 'flow', 'obj', 'student')),
]
SAVING = dict(checkpoint=dict(save_best='acc/action/top1', rule='greater'))


@pytest.mark.parametrize('path', CONFIGS, ids=lambda path: path.stem)
def test_no_config_of_ours_selects_on_the_test(path):
    cfg = load_config(path)
    assert cfg.default_hooks.checkpoint.save_best
    assert not selects_on_test(cfg)
    assert cfg.val_dataloader.dataset.split == 'holdout'
    assert cfg.test_dataloader.dataset.get('split') is None
    # It sees clips as the test does.
    assert cfg.val_dataloader.dataset.pipeline == cfg.test_dataloader.dataset.pipeline


def config(**more):
    def loader(clips, **keys):
        return dict(batch_size=1, dataset=dict(ann_file=clips, pipeline=['of the test'], **keys))

    return Config(
        dict(
            val_dataloader=loader('other.csv'),
            test_dataloader=loader('test.csv'),
            holdout_dataloader=dict(
                dataset=dict(ann_file='train.csv', split='holdout', pipeline=['of the teacher'])
            ),
            default_hooks=dict(checkpoint=dict(SAVING['checkpoint'])),
            **more,
        )
    )


def test_without_the_key_the_config_says_it():
    cfg = config()
    apply_selection(cfg)
    assert cfg.val_dataloader.dataset.ann_file == 'other.csv'
    assert how_selected(cfg, 'a/best_acc_epoch_3.pth') == (
        'by acc/action/top1 on the validation clips'
    )


def test_the_holdout_is_read_as_the_test():
    cfg = config(select_on='holdout')
    apply_selection(cfg)
    dataset = cfg.val_dataloader.dataset
    assert (dataset.ann_file, dataset.split) == ('train.csv', 'holdout')
    assert dataset.pipeline == ['of the test']
    assert how_selected(cfg, 'best_1.pth') == 'by acc/action/top1 on the holdout'


def test_the_papers_way_is_named():
    cfg = config(select_on='test')
    apply_selection(cfg)
    assert selects_on_test(cfg)
    assert how_selected(cfg, 'best_1.pth') == 'by acc/action/top1 on the tested clips'
    cfg.val_dataloader.dataset.pipeline = ['another crop']
    assert selects_on_test(cfg)


def test_the_last_one_is_not_selected():
    cfg = config(select_on='last')
    apply_selection(cfg)
    assert 'save_best' not in cfg.default_hooks.checkpoint
    assert not selects_on_test(cfg)
    assert how_selected(cfg, 'work/epoch_30.pth') == 'not selected: epoch_30'
    assert how_selected(cfg, None) == ''


def test_what_is_refused():
    with pytest.raises(ValueError, match="select_on='best': expected one of"):
        apply_selection(config(select_on='best'))
    for choice, key in (('holdout', 'holdout_dataloader'), ('test', 'test_dataloader')):
        cfg = config(select_on=choice)
        cfg.pop(key)
        with pytest.raises(ValueError, match=key):
            apply_selection(cfg)


def test_clips_are_told_by_their_data_set():
    one, other = (dict(dataset=dict(ann_file='a', pipeline=x, indices=3)) for x in (1, 2))
    assert clips_of(one) == clips_of(other) == dict(ann_file='a')
