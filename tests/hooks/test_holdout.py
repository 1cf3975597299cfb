"""The holdout's figures against scikit-learn, and its order over ranks."""

import torch
from sklearn.metrics import accuracy_score, log_loss

from mmdistill.hooks import holdout
from mmdistill.hooks.holdout import HoldoutLogits, collect_holdout, holdout_report
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
