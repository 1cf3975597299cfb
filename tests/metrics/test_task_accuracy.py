"""Accuracy against scikit-learn and hand-worked ties; what the metric reads and refuses."""

import numpy as np
import pytest
import sklearn.metrics
import torch
from mmaction.structures import ActionDataSample
from mmengine.evaluator import Evaluator
from mmengine.structures import BaseDataElement

from mmdistill.metrics import TaskAccuracy, top_k_accuracy
from mmdistill.metrics.bootstrap import cluster_weights
from mmdistill.registry import METRICS


def multitask_sample(i, logits, labels, **flags):
    sample = ActionDataSample(metainfo=dict(sample_id=f's{i}', group=f'v{i // 3}', **flags))
    tensors = {task: torch.tensor([int(label)]) for task, label in labels.items()}
    sample.set_field(BaseDataElement(**tensors), 'gt_labels')
    sample.set_field({t: torch.as_tensor(x).float() for t, x in logits.items()}, 'pred_score')
    return sample


def random_samples(num=40, kv=6, kn=9, seed=0, views=None):
    rng = np.random.default_rng(seed)
    shape = (num,) if views is None else (num, views)
    logits = {'verb': rng.normal(size=(*shape, kv)), 'noun': rng.normal(size=(*shape, kn))}
    labels = {'verb': rng.integers(kv, size=num), 'noun': rng.integers(kn, size=num)}
    flags = {name: rng.random(num) < 0.4 for name in ('unseen', 'tail_verb', 'tail_noun')}
    samples = [
        multitask_sample(
            i,
            {t: x[i] for t, x in logits.items()},
            {t: y[i] for t, y in labels.items()},
            **{name: bool(flag[i]) for name, flag in flags.items()},
        )
        for i in range(num)
    ]
    return samples, logits, labels, flags


def evaluate(samples, **kwargs):
    evaluator = Evaluator(TaskAccuracy(**{'scores': 'logits', **kwargs}))
    evaluator.process(samples)
    return evaluator.evaluate(len(samples))


@pytest.mark.parametrize('k', [1, 2, 5])
@pytest.mark.parametrize('num_classes', [6, 3806])
def test_top_k_matches_sklearn(k, num_classes):
    rng = np.random.default_rng(0)
    scores = rng.standard_normal((300, num_classes))
    labels = (scores + 1.5 * rng.standard_normal(scores.shape)).argmax(axis=1)
    expected = sklearn.metrics.top_k_accuracy_score(
        labels, scores, k=k, labels=np.arange(num_classes)
    )
    assert 0 < expected < 1
    assert top_k_accuracy(scores, labels, k) == pytest.approx(expected)


def test_two_classes_and_one_sample():
    assert top_k_accuracy(np.array([[0.2, 0.8]]), np.array([1]), 1) == 1
    assert top_k_accuracy(np.array([[0.2, 0.8]]), np.array([0]), 1) == 0
    assert top_k_accuracy(np.array([[0.2, 0.8]]), np.array([0]), 5) == 1


def test_ties_go_to_the_lower_class_index_as_in_argmax():
    scores = np.array([[1.0, 3.0, 3.0, 3.0]] * 4)
    hits = [[top_k_accuracy(scores[:1], np.array([y]), k) for y in range(4)] for k in (1, 2, 3)]
    assert hits == [[0, 1, 0, 0], [0, 1, 1, 0], [0, 1, 1, 1]]


def test_bfloat16_ties_agree_with_argmax():
    scores = torch.randn(500, 50, generator=torch.Generator().manual_seed(0)).bfloat16()
    labels = torch.randint(50, (500,), generator=torch.Generator().manual_seed(1))
    expected = (scores.double().numpy().argmax(1) == labels.numpy()).mean()
    assert top_k_accuracy(scores, labels, 1) == expected


def test_bad_arguments_are_named():
    with pytest.raises(ValueError, match='k >= 1'):
        top_k_accuracy(np.eye(2), np.array([0, 1]), 0)
    with pytest.raises(ValueError, match='Label 7 of sample 1'):
        top_k_accuracy(np.eye(2), np.array([0, 7]), 1)
    with pytest.raises(ValueError, match='sample 1'):
        top_k_accuracy(np.array([[0.0, 1], [np.nan, 1]]), np.array([0, 1]), 1)


@pytest.mark.parametrize('views', [None, 3])
def test_metric_gives_the_contracts_names_and_numbers(views):
    samples, logits, labels, flags = random_samples(views=views)
    metrics = evaluate(samples)
    right = {}
    for task in logits:
        mean = logits[task].astype(np.float32).astype(np.float64)
        mean = mean if views is None else mean.mean(axis=1)
        right[task] = mean.argmax(1) == labels[task]
        top5 = sklearn.metrics.top_k_accuracy_score(
            labels[task], mean, k=5, labels=np.arange(mean.shape[1])
        )
        assert metrics[f'acc/{task}/top5'] == pytest.approx(top5)
    right['action'] = right['verb'] & right['noun']
    tail = {'verb': flags['tail_verb'], 'noun': flags['tail_noun']}
    tail['action'] = flags['tail_verb'] | flags['tail_noun']
    for task, hits in right.items():
        assert metrics[f'acc/{task}/top1'] == pytest.approx(hits.mean())
        assert metrics[f'acc/unseen/{task}/top1'] == pytest.approx(hits[flags['unseen']].mean())
        assert metrics[f'acc/tail/{task}/top1'] == pytest.approx(hits[tail[task]].mean())
    both = flags['tail_verb'] & flags['tail_noun']
    assert metrics['acc/tail_both/action/top1'] == pytest.approx(right['action'][both].mean())
    verb = logits['verb'].astype(np.float32).astype(np.float64)
    verb = verb if views is None else verb.mean(axis=1)
    in_top5 = (np.argsort(-verb, axis=1)[:, :5] == labels['verb'][:, None]).any(axis=1)
    assert metrics['acc/unseen/verb/top5'] == pytest.approx(in_top5[flags['unseen']].mean())
    # Three tasks, all samples and two splits, top 1 and 5; and tail_both of the action.
    assert len(metrics) == 3 * 3 * 2 + 2
    assert all(type(value) is float for value in metrics.values())


def test_action_top5_ranks_all_pairs():
    samples, logits, labels, _ = random_samples()
    logs = {t: torch.from_numpy(x).float().double().log_softmax(-1) for t, x in logits.items()}
    joint = (logs['verb'][:, :, None] + logs['noun'][:, None, :]).flatten(1)
    target = torch.from_numpy(labels['verb'] * 9 + labels['noun'])
    hit = (joint.topk(5).indices == target[:, None]).any(1)
    assert evaluate(samples)['acc/action/top5'] == pytest.approx(hit.double().mean().item())


def test_no_splits_without_flags_and_none_for_an_empty_split():
    samples, *_ = random_samples()
    for sample in samples:
        for flag in ('unseen', 'tail_verb', 'tail_noun'):
            delattr(sample, flag)
    assert sorted(evaluate(samples)) == sorted(
        f'acc/{task}/top{k}' for task in ('verb', 'noun', 'action') for k in (1, 5)
    )
    for sample in samples:
        sample.set_metainfo(dict(unseen=False))
    assert not any('unseen' in name for name in evaluate(samples))


def test_single_label_of_a_stock_head_is_the_action():
    samples = []
    for i, label in enumerate([2, 0, 1]):
        sample = ActionDataSample().set_gt_label(label)
        samples.append(sample.set_pred_score(torch.tensor([0.1 * i, 0.3, 2.0])))
    metrics = evaluate(samples, topk=(1, 2))
    assert metrics == {
        'acc/action/top1': pytest.approx(1 / 3),
        'acc/action/top2': pytest.approx(2 / 3),
    }


def test_only_the_first_size_samples_count():
    samples, _, labels, _ = random_samples()
    evaluator = Evaluator(METRICS.build(dict(type='mmdistill.TaskAccuracy', scores='logits')))
    # What a DefaultSampler pads with: the first samples once more.
    evaluator.process(samples + samples[:2])
    assert evaluator.evaluate(len(samples)) == evaluate(samples)


@pytest.mark.parametrize('scores', ['guess', None, 'Logits'])
def test_the_kind_of_scores_is_required(scores):
    with pytest.raises(ValueError, match="scores='logits' or scores='probs'"):
        TaskAccuracy(scores=scores)
    with pytest.raises(TypeError, match='scores'):
        TaskAccuracy()


def probs_of(samples):
    for sample in samples:
        sample.pred_score = {t: x.softmax(-1) for t, x in sample.pred_score.items()}
    return samples


def test_probs_give_the_logits_accuracies_and_neither_passes_for_the_other():
    expected = evaluate(random_samples()[0])
    assert evaluate(probs_of(random_samples()[0]), scores='probs') == expected
    with pytest.raises(ValueError, match="'verb' scores of sample 's0' were said to be probs"):
        evaluate(random_samples()[0], scores='probs')
    with pytest.raises(ValueError, match="set scores='probs'"):
        evaluate(probs_of(random_samples()[0]))


def spoil(samples, **changes):
    for name, value in changes.items():
        setattr(samples[3], name, value)
    return samples


@pytest.mark.parametrize(
    ('change', 'error', 'message'),
    [
        (dict(pred_score={'verb': torch.full((6,), torch.nan)}), ValueError, "'s3' are NaN"),
        (dict(gt_labels=BaseDataElement(verb=torch.tensor([6]), noun=torch.tensor([0]))),
         ValueError, "'verb' label 6 of sample 's3'"),
        (dict(gt_labels=BaseDataElement(verb=torch.tensor([6]))), KeyError, "'s3' is scored for"),
        (dict(gt_labels=BaseDataElement(verb=torch.eye(6)[0])), ValueError, 'one class index'),
        (dict(pred_score={'verb': torch.zeros(6)}), ValueError, "'s3' differs from 's0'"),
        (dict(pred_score=torch.zeros(6)), KeyError, "'s3' is scored for"),
        (dict(pred_score={'verb': torch.zeros(2, 2, 6)}), ValueError, r'\(K,\) or \(V, K\)'),
    ],
)  # fmt: skip
def test_bad_samples_are_named(change, error, message):
    with pytest.raises(error, match=message):
        evaluate(spoil(random_samples()[0], **change))


def test_missing_scores_double_samples_and_no_samples_are_errors():
    samples = random_samples()[0]
    del samples[5].pred_score
    with pytest.raises(KeyError, match="'s5' has no pred_score"):
        evaluate(samples)
    samples = random_samples()[0]
    with pytest.raises(ValueError, match="more than once, such as 's0'"):
        evaluate([*samples[:-1], samples[0]])
    with pytest.raises(ValueError, match='no samples'):
        evaluate([])
    with pytest.raises(ValueError, match='topk'):
        TaskAccuracy(scores='logits', topk=())


def test_intervals_are_those_of_resampled_videos():
    samples, _, _, _ = random_samples(num=30)
    plain, found = evaluate(samples), evaluate(samples, num_resamples=40)
    assert found.keys() == {n + end for n in plain for end in ('', '/low', '/high')}
    for name, keep in (
        ('acc/noun/top5', lambda sample: True),
        ('acc/tail/verb/top1', lambda sample: sample.tail_verb),
    ):
        chosen = [sample for sample in samples if keep(sample)]
        groups = [sample.group for sample in chosen]
        values = []
        for counts in cluster_weights(groups, 40).astype(int):
            drawn = [s for s, count in zip(chosen, counts, strict=True) for _ in range(count)]
            again = [sample.clone() for sample in drawn]
            for i, sample in enumerate(again):
                sample.set_metainfo(dict(sample_id=f'again{i}'))
            values.append(evaluate(again)[name])
        low, high = np.quantile(values, [0.025, 0.975])
        assert (found[f'{name}/low'], found[f'{name}/high']) == pytest.approx((low, high))
        assert low < plain[name] < high


def test_a_split_of_one_video_has_no_interval_and_a_test_of_one_is_an_error():
    samples, _, _, _ = random_samples(num=9)
    for sample in samples:
        sample.set_metainfo(dict(unseen=sample.group == 'v0'))
    found = evaluate(samples, num_resamples=10)
    assert 'acc/unseen/verb/top1' in found and 'acc/verb/top1/low' in found
    assert 'acc/unseen/verb/top1/low' not in found
    with pytest.raises(ValueError, match='at least two'):
        evaluate(samples[:3], num_resamples=10)
