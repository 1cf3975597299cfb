"""The holdout's figures against scikit-learn, and its order over ranks."""

from types import SimpleNamespace

import pytest
import torch
from sklearn.metrics import accuracy_score, log_loss
from torch.nn.functional import one_hot

from mmdistill.hooks import holdout
from mmdistill.hooks.holdout import (
    HoldoutLogits,
    collect_holdout,
    fuse_holdout,
    holdout_report,
    use_holdout,
)
from mmdistill.models import fuse_logits
from mmdistill.registry import MODELS


def build_teacher(recognizer_config, num_experts=2):
    experts = {
        name: dict(model=recognizer_config(), checkpoint=None, modality=name)
        for name in ('rgb', 'flow')[:num_experts]
    }
    weighting = dict(type='mmdistill.UniformWeighting')
    return MODELS.build(
        dict(type='mmdistill.MultimodalTeacher', experts=experts, weighting=weighting)
    )


def test_report_matches_scikit_learn(recognizer_config):
    teacher = build_teacher(recognizer_config)
    logits_NMK = 2 * torch.randn(40, 2, 4)
    labels_N = torch.randint(0, 4, (40,))
    data = HoldoutLogits(
        {'verb': logits_NMK, 'noun': logits_NMK}, {'verb': labels_N, 'noun': labels_N}
    )
    report = holdout_report(teacher, data)
    probs = logits_NMK.double().softmax(-1).numpy()
    fused = logits_NMK.double().mean(1).softmax(-1).numpy()
    for name, p in (('rgb', probs[:, 0]), ('flow', probs[:, 1]), ('teacher', fused)):
        accuracy = accuracy_score(labels_N, p.argmax(1))
        assert abs(report[name]['acc/verb/top1'] - accuracy) < 1e-9
        nll = log_loss(labels_N, p, labels=range(4))
        assert abs(report[name]['calibration/verb/nll'] - nll) < 1e-4
    assert report['rgb']['weight/noun'] == 0.5


def test_every_task_is_reported_by_its_own_labels_and_weights(recognizer_config):
    teacher = build_teacher(recognizer_config)
    teacher.weightings = {
        task: MODELS.build(dict(type='mmdistill.SoftminWeighting', temperature=0.5))
        for task in ('verb', 'noun')
    }
    labels = dict(verb=torch.arange(40) % 4, noun=torch.randint(0, 5, (40,)))
    logits = {task: torch.randn(40, 2, k) for task, k in (('verb', 4), ('noun', 5))}
    # rgb knows the verb and is always wrong about the noun; flow knows the noun.
    logits['verb'] += torch.tensor([6.0, 2.0])[:, None] * one_hot(labels['verb'], 4)[:, None]
    logits['noun'][:, 0] -= 9 * one_hot(labels['noun'], 5)
    logits['noun'][:, 1] += 4 * one_hot(labels['noun'], 5)
    warned, figures = [], {}
    logger = SimpleNamespace(info=lambda line: None, warning=warned.append)
    runner = SimpleNamespace(logger=logger, visualizer=SimpleNamespace(add_scalars=figures.update))
    found = use_holdout(runner, teacher, (logits, labels))
    fused = fuse_holdout(teacher, found)
    for task in ('verb', 'noun'):
        alone = MODELS.build(dict(type='mmdistill.SoftminWeighting', temperature=0.5))
        alone.fit(logits[task], labels[task])
        weights_M = alone.weights(logits[task], None)
        expected_NK = torch.einsum('nmk,m->nk', logits[task], weights_M)
        torch.testing.assert_close(fused[task], expected_NK)
        answers = dict(zip(teacher.experts, logits[task].unbind(1), strict=True))
        for m, (name, logits_NK) in enumerate([*answers.items(), ('teacher', expected_NK)]):
            right = accuracy_score(labels[task], logits_NK.argmax(1))
            assert figures[f'holdout/{name}/acc/{task}/top1'] == pytest.approx(right)
            if name != 'teacher':
                share = figures[f'holdout/{name}/weight/{task}']
                assert share == pytest.approx(float(weights_M[m]), abs=1e-6)
    assert figures['holdout/rgb/weight/verb'] > 0.6 > 0.4 > figures['holdout/rgb/weight/noun']
    [warning] = [line for line in warned if 'always predicting' in line]
    assert warning.startswith("Expert 'rgb' predicts the noun of 0.0% of the holdout clips")
    by_clip = dict(type='mmdistill.SampleSoftminWeighting', temperature=0.5)
    teacher.weightings = {task: MODELS.build(by_clip) for task in ('verb', 'noun')}
    for task, fused_NK in fuse_holdout(teacher, found).items():
        weights_NM = MODELS.build(by_clip).weights(logits[task], labels[task])
        torch.testing.assert_close(fused_NK, fuse_logits(logits[task], weights_NM))


def test_ranks_are_put_back_in_order_without_the_padding(
    recognizer_config, make_batch, monkeypatch
):
    teacher = build_teacher(recognizer_config)
    batch = make_batch(num_clips=3)
    alone = collect_holdout(teacher, [batch], 3)

    def share(rank):
        indices = [0, 2] if rank == 0 else [1, 0]  # as DefaultSampler pads 3 clips to 2 x 2
        inputs = {key: [clips[i] for i in indices] for key, clips in batch['inputs'].items()}
        return dict(inputs=inputs, data_samples=[batch['data_samples'][i] for i in indices])

    gathered = []
    monkeypatch.setattr(holdout, 'all_gather_object', lambda mine: gathered.append(mine) or [mine])
    collect_holdout(teacher, [share(1)], 2)
    monkeypatch.setattr(holdout, 'all_gather_object', lambda mine: [mine, gathered[0]])
    together = collect_holdout(teacher, [share(0)], 3)
    for task in ('verb', 'noun'):
        assert torch.allclose(alone.expert_logits[task], together.expert_logits[task], atol=1e-5)
        assert torch.equal(alone.labels[task], together.labels[task])


def test_clips_that_an_expert_cannot_answer_do_not_count(recognizer_config, make_batch):
    teacher, batch = build_teacher(recognizer_config), make_batch(num_clips=4)
    every = collect_holdout(teacher, [batch], 4)
    batch['data_samples'][1].set_metainfo(dict(available=dict(rgb=True, flow=False)))
    found = collect_holdout(teacher, [batch], 4)
    for task in ('verb', 'noun'):
        assert torch.equal(found.expert_logits[task], every.expert_logits[task][[0, 2, 3]])
        assert torch.equal(found.labels[task], every.labels[task][[0, 2, 3]])
    for sample in batch['data_samples']:
        sample.set_metainfo(dict(available=dict(rgb=False, flow=True)))
    with pytest.raises(ValueError, match='None of the 4 holdout clips has all modalities'):
        collect_holdout(teacher, [batch], 4)


def test_clips_of_the_holdout_are_not_augmented(recognizer_config, make_batch):
    teacher = build_teacher(recognizer_config)
    asked, own = [], teacher.data_preprocessor

    class Watched(torch.nn.Module):
        def forward(self, data, training=False):
            asked.append(training)
            return own(data, training)

    teacher.data_preprocessor = Watched()
    collect_holdout(teacher, [make_batch(num_clips=3)], 3)
    assert asked == [False]
