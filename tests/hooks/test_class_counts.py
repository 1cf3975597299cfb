"""The training clips of each class, counted below wrappers and in MMAction2's own data sets."""

import pytest
import torch
from mmengine.dataset import RepeatDataset
from torch.utils.data import ConcatDataset

from mmdistill.datasets import MultimodalDataset
from mmdistill.hooks.class_counts import count_classes
from mmdistill.registry import DATASETS, MODELS

LOSS = dict(balanced=dict(type='mmdistill.BalancedTargetLoss'))


@pytest.fixture
def student(recognizer_config):
    def build(losses=LOSS, **classes):
        cfg = recognizer_config(**classes)
        return MODELS.build(dict(type='mmdistill.StudentRecognizer', recognizer=cfg, losses=losses))

    return build


@pytest.fixture
def clips(tmp_path):
    """A data set of ours with these verbs and nouns."""

    def build(*labels, **kwargs):
        lines = [f'v{i},0,8,{label}' for i, label in enumerate(labels)]
        path = tmp_path / 'ann.csv'
        path.write_text('\n'.join(['video_id,start_frame,stop_frame,verb,noun', *lines]) + '\n')
        return MultimodalDataset(str(path), labelled='some', **kwargs)

    return build


def counted(student, dataset):
    return {task: found.tolist() for task, found in count_classes(student, dataset).items()}


def test_clips_are_counted_once_per_data_set(student, clips):
    dataset = clips('0,4', '0,', ',4', '2,4', ',')
    expected = dict(verb=[2, 0, 1, 0], noun=[0, 0, 0, 0, 3])
    assert counted(student(), dataset) == expected
    assert counted(student(), RepeatDataset(dataset, 3)) == expected
    twice = {task: [2 * n for n in numbers] for task, numbers in expected.items()}
    assert counted(student(), ConcatDataset([dataset, dataset])) == twice


def test_clips_that_are_not_chosen_do_not_count(student, clips):
    assert counted(student(), clips('0,4', '3,1', '2,4', indices=[1])) == dict(
        verb=[0, 0, 0, 1], noun=[0, 1, 0, 0, 0]
    )


def test_labels_of_a_stock_data_set(student):
    class Stock(list):
        def get_data_info(self, index):
            return dict(label=self[index])

    [counts] = count_classes(student(classes=3), Stock([0, 2, 2, -1])).values()
    torch.testing.assert_close(counts, torch.tensor([1, 0, 2]))


def test_nothing_is_counted_for_losses_that_do_not_ask(student):
    assert count_classes(student(losses={}), None) == {}


def test_a_task_without_a_label(student, clips):
    with pytest.raises(ValueError, match='no training clip has a noun label'):
        count_classes(student(), clips('1,', '2,'))


@pytest.fixture
def cfg(distillation):
    cfg = distillation(custom_hooks=[dict(type='mmdistill.DistillationLossHook')])
    cfg['model']['losses']['balanced'] = dict(type='mmdistill.BalancedTargetLoss', min_count=1)
    return cfg


def test_a_training_counts_its_own_clips(cfg, train, monkeypatch):
    kind = DATASETS.get(cfg['train_dataloader']['dataset']['type'])
    records = lambda self, index: dict(label=dict(verb=index % 4, noun=index % 5))  # noqa: E731
    monkeypatch.setattr(kind, 'get_data_info', records, raising=False)
    runner = train(cfg)
    clips = len(runner.train_dataloader.dataset)
    for task, number in dict(verb=4, noun=5).items():
        labels = [index % number for index in range(clips)]
        expected = [labels.count(k) for k in range(number)]
        assert runner.model.class_counts[task].tolist() == expected
    assert 'train/verb/loss_balanced' in runner.message_hub.log_scalars


def test_a_data_set_that_does_not_tell_its_labels(cfg, train):
    with pytest.raises(ValueError, match=r'RandomClips does not tell its labels.*get_data_info'):
        train(cfg)
