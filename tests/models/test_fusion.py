"""Every task is weighed by its own labels, logits and settings: no task borrows another's.

Three experts, each of which knows one of three tasks; the tasks differ in their classes.
"""

import pytest
import torch
from mmaction.structures import ActionDataSample

from mmdistill.labels import set_task_labels
from mmdistill.models.fusion import ExpertFusion, build_weightings
from mmdistill.models.weighting import fuse_logits
from mmdistill.registry import MODELS

CLASSES = dict(verb=4, noun=6, tool=3)
TASKS = list(CLASSES)
WEIGHTINGS = [
    dict(type='mmdistill.SoftminWeighting', temperature=0.5),
    dict(type='mmdistill.LearnedWeighting'),
    dict(type='mmdistill.SampleSoftminWeighting', temperature=0.5),
    dict(type='mmdistill.ConfidenceAwareWeighting'),
]


class Fusion(ExpertFusion):
    def __init__(self, weighting):
        self.weightings = build_weightings(weighting, TASKS)


@pytest.fixture
def holdout():
    """Logits (N, M, K) and labels (N,) of each task; expert m is right about task m alone."""
    logits, labels = {}, {}
    for m, (task, num_classes) in enumerate(CLASSES.items()):
        labels[task] = torch.randint(0, num_classes, (40,))
        logits[task] = torch.randn(40, 3, num_classes)
        logits[task][:, m] += 3 * torch.nn.functional.one_hot(labels[task], num_classes)
    return logits, labels


def samples_of(labels):
    samples = []
    for i in range(len(labels['verb'])):
        sample = ActionDataSample(metainfo=dict(sample_id=f'clip{i}'))
        set_task_labels(sample, {task: int(labels_N[i]) for task, labels_N in labels.items()})
        samples.append(sample)
    return samples


def fused(fusion, logits, labels):
    available = torch.ones(len(labels['verb']), 3, dtype=torch.bool)
    return fusion.fuse(logits, samples_of(labels), available)


@pytest.mark.parametrize('weighting', WEIGHTINGS, ids=lambda weighting: weighting['type'])
def test_a_task_is_weighed_as_if_it_were_alone(weighting, holdout):
    logits, labels = holdout
    fusion = Fusion(weighting)
    fusion.fit_weighting(logits, labels)
    output = fused(fusion, logits, labels)
    for m, task in enumerate(TASKS):
        alone = MODELS.build(weighting)
        alone.fit(logits[task], labels[task])
        weights = alone.weights(logits[task], labels[task]).expand(40, 3)
        torch.testing.assert_close(output.weights[task], weights.float(), check_dtype=False)
        torch.testing.assert_close(output.logits[task], fuse_logits(logits[task], weights))
        assert int(weights.mean(0).argmax()) == m


def test_every_task_has_the_weighting_that_is_given_for_it(holdout):
    logits, labels = holdout
    fixed = dict(verb=[0.2, 0.3, 0.5], noun=[0.6, 0.3, 0.1], tool=[0.1, 0.8, 0.1])
    # The config names the tasks in another order than the experts' heads.
    order = ('tool', 'verb', 'noun')
    fusion = Fusion({t: dict(type='mmdistill.FixedWeighting', weights=fixed[t]) for t in order})
    output = fused(fusion, logits, labels)
    assert list(fusion.weightings) == TASKS
    for task in TASKS:
        assert output.weights[task][7].tolist() == pytest.approx(fixed[task])
        assert output.logits[task].shape == (40, CLASSES[task])


def test_what_was_fitted_goes_back_to_its_task(holdout):
    logits, labels = holdout
    fusion, other = Fusion(WEIGHTINGS[0]), Fusion(WEIGHTINGS[0])
    fusion.fit_weighting(logits, labels)
    state = fusion.weighting_state()
    other.load_weighting_state({task: state[task] for task in reversed(TASKS)})
    for task in TASKS:
        assert torch.equal(other.weightings[task].losses_M, fusion.weightings[task].losses_M)
        assert torch.equal(state[task]['losses_M'], fusion.weightings[task].losses_M)


def test_a_clip_that_lacks_an_expert_is_weighed_by_the_others_of_each_task(holdout):
    logits, labels = holdout
    fusion = Fusion(WEIGHTINGS[0])
    fusion.fit_weighting(logits, labels)
    available = torch.ones(40, 3, dtype=torch.bool)
    available[5, 1] = False
    output = fusion.fuse(logits, samples_of(labels), available)
    for task in TASKS:
        whole, rest = output.weights[task][4], output.weights[task][5]
        torch.testing.assert_close(rest, whole * available[5] / (whole[0] + whole[2]))


def test_labels_are_asked_for_only_where_the_weighting_of_that_task_looks_at_them(holdout):
    logits, labels = holdout
    fusion = Fusion(dict(verb=WEIGHTINGS[0], noun=WEIGHTINGS[2], tool=WEIGHTINGS[0]))
    assert fusion.needs_holdout
    fusion.fit_weighting(logits, labels)
    samples, available = samples_of(labels), torch.ones(40, 3, dtype=torch.bool)
    set_task_labels(samples[3], dict(verb=None, noun=1, tool=None))
    output = fusion.fuse(logits, samples, available)
    assert int(output.weights['noun'].mean(0).argmax()) == 1
    set_task_labels(samples[8], dict(verb=1, noun=None, tool=1))
    with pytest.raises(ValueError, match="SampleSoftminWeighting .* 'clip8' has none for 'noun'"):
        fusion.fuse(logits, samples, available)
