"""Checkpoints appear whole, one is always left, and half of one is never picked up."""

import errno
import os
import subprocess

import pytest
import torch
from mmengine.evaluator import BaseMetric
from mmengine.registry import METRICS

from mmdistill import files
from mmdistill.files import write_whole
from mmdistill.hooks.safe_checkpoint_hook import WholeFileBackend
from mmdistill.resume import latest_checkpoint

SCORES = [0.9, 0.5, 0.6]


@METRICS.register_module(name='ScoreByEpoch')
class ScoreByEpoch(BaseMetric):
    """A score for every validation, as planned."""

    planned: list[float] = []

    def process(self, data_batch, data_samples):
        self.results.append(0)

    def compute_metrics(self, results):
        return dict(score=self.planned.pop(0))


@pytest.fixture
def validated(distillation):
    def build(epochs, **changes):
        cfg = distillation(
            train_cfg=dict(type='EpochBasedTrainLoop', max_epochs=epochs, val_interval=1),
            val_cfg=dict(),
            val_evaluator=dict(type='ScoreByEpoch'),
            default_hooks=dict(
                rng_state=dict(type='mmdistill.RngStateHook'),
                checkpoint=dict(
                    type='mmdistill.SafeCheckpointHook',
                    interval=1,
                    max_keep_ckpts=1,
                    save_best='score',
                    rule='greater',
                ),
            ),
            **changes,
        )
        cfg['val_dataloader'] = cfg['holdout_dataloader']
        return cfg

    return build


def test_the_best_score_survives_a_resume(validated, train, tmp_path):
    ScoreByEpoch.planned = SCORES[:1]
    train(validated(1))
    assert sorted(p.name for p in (tmp_path / 'run').glob('*.pth')) == [
        'best_score_epoch_1.pth',
        'epoch_1.pth',
    ]
    # The first epoch is validated once more; the new process knows nothing of its score.
    ScoreByEpoch.planned = SCORES[:]
    train(validated(3, resume=True, experiment_name='again'))
    assert not ScoreByEpoch.planned
    # 0.6 is better than 0.5, but not than what there was before the resume.
    assert sorted(p.name for p in (tmp_path / 'run').glob('*.pth')) == [
        'best_score_epoch_1.pth',
        'epoch_3.pth',
    ]


def test_a_run_that_died_in_its_last_validation_has_a_best_checkpoint(validated, train, tmp_path):
    ScoreByEpoch.planned = [0.4]
    with pytest.raises(IndexError):
        train(validated(2))
    ScoreByEpoch.planned = [0.6]
    train(validated(2, resume=True, experiment_name='again'))
    assert sorted(p.name for p in (tmp_path / 'run').glob('*.pth')) == [
        'best_score_epoch_2.pth',
        'epoch_2.pth',
    ]


def test_a_run_that_was_saved_within_an_epoch_validates_at_its_end_only(validated, train, tmp_path):
    def config(**changes):
        cfg = validated(1, **changes)
        cfg['train_dataloader']['sampler'] = dict(type='mmdistill.EpochSampler', shuffle=True)
        cfg['default_hooks']['checkpoint'].update(by_epoch=False, max_keep_ckpts=-1)
        return cfg

    ScoreByEpoch.planned = [0.4]
    train(config())
    ScoreByEpoch.planned = [0.4]
    saved = str(tmp_path / 'run/iter_1.pth')
    train(config(resume=True, load_from=saved, experiment_name='again'))
    assert not ScoreByEpoch.planned


def test_validation_leaves_the_training_as_it_is(validated, train, tmp_path):
    ScoreByEpoch.planned = [0.1, 0.2]
    train(validated(2))
    with_validation = torch.load(tmp_path / 'run/epoch_2.pth', weights_only=True)
    best = torch.load(tmp_path / 'run/best_score_epoch_2.pth', weights_only=True)
    cfg = validated(2, work_dir=str(tmp_path / 'plain'))
    for key in ('val_cfg', 'val_evaluator', 'val_dataloader'):
        del cfg[key]
    cfg['default_hooks']['checkpoint'].pop('save_best')
    cfg['default_hooks']['checkpoint'].pop('rule')
    train(cfg)
    plain = torch.load(tmp_path / 'plain/epoch_2.pth', weights_only=True)
    for other in (with_validation, best):
        assert all(torch.equal(x, other['state_dict'][k]) for k, x in plain['state_dict'].items())
        assert torch.equal(plain['rng'][0]['torch'], other['rng'][0]['torch'])


def test_an_old_checkpoint_goes_only_when_the_new_one_is_there(validated, train, monkeypatch):
    ScoreByEpoch.planned = [0.1, 0.2, 0.3]
    puts = []
    original = WholeFileBackend.put

    def put(self, content, path):
        if 'epoch_2' in str(path):
            raise OSError(errno.ENOSPC, 'No space left on device')
        puts.append(str(path))
        original(self, content, path)

    monkeypatch.setattr(WholeFileBackend, 'put', put)
    with pytest.raises(OSError, match='No space left'):
        train(validated(2))
    folder = puts[0].rpartition('/')[0]
    assert latest_checkpoint(folder) == f'{folder}/epoch_1.pth'


def test_a_full_disk_leaves_the_old_file(tmp_path, monkeypatch):
    path = tmp_path / 'file'
    write_whole(path, b'old')

    def full(descriptor):
        raise OSError(errno.ENOSPC, 'No space left on device')

    monkeypatch.setattr(files.os, 'fsync', full)
    with pytest.raises(OSError, match='could not be written.*No space left.*make room'):
        write_whole(path, b'new')
    assert path.read_bytes() == b'old'
    assert [p.name for p in tmp_path.iterdir()] == ['file']


def test_what_a_killed_run_has_left_of_a_checkpoint_is_removed(validated, train, tmp_path):
    ended = subprocess.Popen(['true'])
    ended.wait()
    parts = [tmp_path / 'run' / f'.epoch_7.pth.{pid}.part' for pid in (ended.pid, os.getppid())]
    parts[0].parent.mkdir()
    for part in parts:
        part.touch()
    ScoreByEpoch.planned = SCORES[:1]
    train(validated(1))
    assert [part.exists() for part in parts] == [False, True]


def test_a_metric_that_is_not_measured_lists_those_that_are(validated, train):
    cfg = validated(1)
    cfg['default_hooks']['checkpoint'].update(save_best='acc/verb/top1')
    ScoreByEpoch.planned = [0.4]
    with pytest.raises(ValueError, match=r"'acc/verb/top1', which is not measured.*\['score'\]"):
        train(cfg)
