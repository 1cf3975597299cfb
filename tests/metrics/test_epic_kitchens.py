"""Joint verb + noun actions: the full form against torch, the short form against the full one."""

import numpy as np
import pytest
import torch

from mmdistill.metrics import best_joint_actions, joint_log_probs


def random_logits(num, kv, kn, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(num, kv, generator=generator), torch.randn(num, kn, generator=generator)


def test_joint_log_probs_match_torch_and_sum_to_one():
    verb, noun = random_logits(5, 4, 7)
    joint = joint_log_probs(verb, noun)
    expected = verb.double().log_softmax(1)[:, :, None] + noun.double().log_softmax(1)[:, None]
    np.testing.assert_allclose(joint, expected.numpy(), rtol=1e-12)
    np.testing.assert_allclose(np.exp(joint).sum((1, 2)), 1)
    assert joint.dtype == np.float64


@pytest.mark.parametrize(('kv', 'kn', 'k'), [(97, 300, 5), (2, 2, 5), (1, 9, 3), (6, 4, 24)])
def test_best_actions_are_those_of_the_full_form(kv, kn, k):
    verb, noun = random_logits(20, kv, kn)
    flat = joint_log_probs(verb, noun).reshape(20, -1)
    expected = np.argsort(-flat, axis=1, kind='stable')[:, :k]
    best = best_joint_actions(verb, noun, k)
    np.testing.assert_array_equal(best.verbs_NJ * kn + best.nouns_NJ, expected)
    np.testing.assert_allclose(best.log_probs_NJ, np.take_along_axis(flat, expected, axis=1))


def test_ties_go_to_the_lower_verb_then_the_lower_noun():
    best = best_joint_actions(np.array([[1.0, 5.0, 5.0]]), np.array([[5.0, 5.0, 1.0]]), 4)
    pairs = list(zip(best.verbs_NJ[0].tolist(), best.nouns_NJ[0].tolist(), strict=True))
    assert pairs == [(1, 0), (1, 1), (2, 0), (2, 1)]


def test_bfloat16_logits_are_taken():
    verb, noun = (x.bfloat16() for x in random_logits(3, 4, 5))
    np.testing.assert_allclose(
        joint_log_probs(verb, noun), joint_log_probs(verb.float(), noun.float())
    )


def test_mismatched_samples_are_an_error():
    with pytest.raises(ValueError, match=r'got \(2, 3\) and \(4, 3\)'):
        joint_log_probs(np.zeros((2, 3)), np.zeros((4, 3)))
    with pytest.raises(ValueError, match='k >= 1'):
        best_joint_actions(np.zeros((2, 3)), np.zeros((2, 3)), 0)
