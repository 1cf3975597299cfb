"""Entries of a config that change nothing are told, with the place that would; no others are."""

from pathlib import Path

import pytest

from mmdistill.config_tools import load_config
from mmdistill.config_usage import unused_entries

ROOT = Path(__file__).parents[1]
CONFIGS = ROOT / 'configs'
RUNNABLE = [
    path
    for path in sorted(CONFIGS.rglob('*.py'))
    if '_base_' not in path.parts and path.stem not in ('report', 'results')
]
MINE = """
_base_ = '{base}'
train_pipeline = dict(sample=dict(clip_len=8))
clip_len = 8
optim_wraper = dict(type='OptimWrapper')
epochs = 3
train_cfg = dict(max_epochs=epochs)
teacher = dict(weighting=dict(temperature=1.0))
"""


@pytest.mark.parametrize('path', RUNNABLE, ids=lambda path: path.stem)
def test_no_shipped_config_is_warned_of(path):
    assert unused_entries(load_config(path)) == []


@pytest.fixture
def mine(tmp_path):
    path = tmp_path / 'mine.py'
    path.write_text(MINE.format(base=CONFIGS / 'distill/swin_ek100_rgbflowobj.py'))
    return path


def test_a_variable_of_a_base_changes_nothing(mine):
    pipeline, clip_len, typo = unused_entries(load_config(mine))
    assert pipeline == (
        f'train_pipeline = … in {mine} changes nothing: what reads it has its own copy; set '
        'train_dataloader.dataset.pipeline instead.'
    )
    assert clip_len.startswith('clip_len = … in') and 'correct the name or remove it' in clip_len
    assert typo.startswith('optim_wraper')


def test_a_variable_that_the_file_uses_is_used(mine):
    text = mine.read_text() + 'train_dataloader = dict(dataset=dict(pipeline=train_pipeline))\n'
    mine.write_text(text)
    assert not any('train_pipeline' in sentence for sentence in unused_entries(load_config(mine)))


def test_options_are_looked_at_too():
    cfg = load_config(ROOT / 'projects/demo/configs/rgb.py')
    keys = ['data_root', 'optim_wrapper.optimizer.lr', 'train_pipeline.sample.clip_len', 'lr']
    pipeline, lr = unused_entries(cfg, keys)
    assert pipeline.startswith('--cfg-options train_pipeline.sample.clip_len=… changes nothing')
    assert 'train_dataloader.dataset.pipeline' in pipeline and lr.startswith('--cfg-options lr=…')
