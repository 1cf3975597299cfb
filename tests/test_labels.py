"""Labels on data samples: one task or several, hard or blended, and mistakes."""

import pytest
import torch
from mmaction.structures import ActionDataSample

from mmdistill.labels import label_samples, labelled_rows, set_task_labels, task_labels


def sample(label: int | dict[str, int] | None, sample_id: str = 'clip') -> ActionDataSample:
    result = ActionDataSample(metainfo=dict(sample_id=sample_id))
    if label is not None:
        set_task_labels(result, label)
    return result


def test_single_label_is_the_task_action():
    labels = task_labels([sample(3), sample(0), sample(7)])
    assert list(labels) == ['action']
    assert labels['action'].tolist() == [3, 0, 7]
    assert labels['action'].dtype == torch.long


def test_single_label_is_stored_as_mmaction2_does():
    expected = ActionDataSample().set_gt_label(3)
    assert torch.equal(sample(3).gt_label, expected.gt_label)


def test_several_tasks():
    labels = task_labels([sample(dict(verb=1, noun=20)), sample(dict(verb=0, noun=300))])
    assert {task: value.tolist() for task, value in labels.items()} == dict(
        verb=[1, 0], noun=[20, 300]
    )
    assert labels['verb'].dtype == labels['noun'].dtype == torch.long


def test_order_of_tasks_does_not_matter():
    labels = task_labels([sample(dict(verb=1, noun=20)), sample(dict(noun=30, verb=2))])
    assert list(labels) == ['noun', 'verb'], 'in every process alike'
    assert {task: value.tolist() for task, value in labels.items()} == dict(
        verb=[1, 2], noun=[20, 30]
    )


def test_labels_of_several_tasks_survive_to_dict_and_device():
    stored = sample(dict(verb=1, noun=20)).to('cpu').to_dict()
    assert stored['gt_labels']['noun'].tolist() == [20]


def test_blended_labels_keep_their_classes():
    blended = torch.tensor([[0.75, 0.25, 0.0], [0.0, 0.5, 0.5]])
    samples = [ActionDataSample().set_gt_label(label) for label in blended]
    assert torch.equal(task_labels(samples)['action'], blended)


@pytest.mark.parametrize(
    'labels_B', [torch.tensor([4, 0, 2]), torch.tensor([[0.75, 0.25], [0.5, 0.5]])]
)
def test_label_samples_is_the_inverse(labels_B):
    assert torch.equal(task_labels(label_samples(labels_B))['action'], labels_B)


@pytest.mark.parametrize(
    ('labels', 'message'),
    [
        ([None], r"Sample 'c0' has labels for \[\], but the batch expects at least one task"),
        ([3, None], r"Sample 'c1' has labels for \[\], but the batch expects \['action'\]"),
        ([dict(verb=1), 3], r"'c1' has labels for \['action'\], but .* \['verb'\]"),
        ([dict(verb=1), dict(verb=1, noun=2)], r"'c1' has labels for \['noun', 'verb'\]"),
    ],
)
def test_samples_without_the_same_tasks(labels, message):
    samples = [sample(label, f'c{i}') for i, label in enumerate(labels)]
    with pytest.raises(KeyError, match=message):
        task_labels(samples)


def test_rows_of_the_labelled_clips_per_task():
    samples = [
        sample(dict(verb=1, noun=20)),
        sample(None),
        sample(dict(verb=3, noun=None)),
        sample(dict(verb=None, noun=7)).to('cpu'),  # as a data preprocessor does
    ]
    found = labelled_rows(samples, ['verb', 'noun'])
    assert (found['verb'].rows, found['verb'].labels.tolist()) == ([0, 2], [1, 3])
    assert (found['noun'].rows, found['noun'].labels.tolist()) == ([0, 3], [20, 7])
    none = labelled_rows([sample(None)] * 2, ['action'])['action']
    assert (none.rows, none.labels.shape, none.labels.dtype) == ([], (0,), torch.long)


def test_a_task_that_is_missing_without_a_word_is_an_error():
    samples = [sample(None), sample(dict(verb=1), 'P01_7')]
    with pytest.raises(
        KeyError, match=r"\['noun', 'verb'\], but sample 'P01_7' .* \['verb'\] only"
    ):
        labelled_rows(samples, ['verb', 'noun'])


def test_unlabelled_clips_are_an_error_where_all_need_labels():
    with pytest.raises(KeyError, match="'clip' has labels for \\['verb'\\]"):
        task_labels([sample(dict(verb=1, noun=2)), sample(dict(verb=1, noun=None))])
