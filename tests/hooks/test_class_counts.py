"""The training clips of each class, counted below wrappers and in MMAction2's own data sets."""

from collections import Counter
from types import SimpleNamespace

import pytest
import torch
from torch.utils.data import ConcatDataset

from mmdistill.hooks.class_counts import count_classes
from mmdistill.registry import MODELS

LOSS = dict(balanced=dict(type='mmdistill.BalancedTargetLoss'))


class Labelled(list):
    """A data set of ours, as far as labels go."""

    label_summary = SimpleNamespace(
        counts=dict(verb=Counter({0: 3, 2: 1}), noun=Counter({4: 4}), other=Counter({9: 1}))
    )


@pytest.fixture
def student(recognizer_config):
    def build(losses=LOSS, **classes):
        cfg = recognizer_config(**classes)
        return MODELS.build(dict(type='mmdistill.StudentRecognizer', recognizer=cfg, losses=losses))

    return build


def test_clips_are_counted_once_per_data_set(student):
    found = count_classes(student(), ConcatDataset([Labelled([0]), Labelled([0])]))
    expected = dict(verb=[6, 0, 2, 0], noun=[0, 0, 0, 0, 8])
    assert {task: counts.tolist() for task, counts in found.items()} == expected


def test_labels_of_a_stock_data_set(student):
    class Stock(list):
        def get_data_info(self, index):
            return dict(label=self[index])

    [counts] = count_classes(student(classes=3), Stock([0, 2, 2, -1])).values()
    torch.testing.assert_close(counts, torch.tensor([1, 0, 2]))


def test_nothing_is_counted_for_losses_that_do_not_ask(student):
    assert count_classes(student(losses={}), None) == {}


def test_a_task_without_a_label(student):
    class Unlabelled(Labelled):
        label_summary = SimpleNamespace(counts=dict(verb=Counter({0: 1}), noun=Counter()))

    with pytest.raises(ValueError, match='no training clip has a noun label'):
        count_classes(student(), Unlabelled([0]))
