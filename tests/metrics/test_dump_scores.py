"""The dump: what is in the file, that nothing is lost, and what is refused."""

import numpy as np
import pytest
import torch

from mmdistill.metrics import DumpScores, ScoreTable, load_scores, save_scores


def table(num=4):
    rng = np.random.default_rng(0)
    return ScoreTable(
        np.array([f'P01_{i}' for i in range(num)]),
        np.array(['P01'] * num),
        {'verb': rng.normal(size=(num, 2, 3)).astype(np.float32)},
        {'verb': rng.integers(3, size=num)},
        {'unseen': rng.random(num) < 0.5},
    )


def test_a_table_comes_back_as_it_was(tmp_path):
    save_scores(tmp_path / 'new' / 'scores.npz', table())
    loaded = load_scores(tmp_path / 'new' / 'scores.npz')
    for field in ('sample_ids', 'groups'):
        assert getattr(loaded, field).tolist() == getattr(table(), field).tolist()
    for field in ('scores', 'labels', 'flags'):
        original, copy = getattr(table(), field), getattr(loaded, field)
        assert original.keys() == copy.keys()
        for name in original:
            np.testing.assert_array_equal(original[name], copy[name])
            assert original[name].dtype == copy[name].dtype


def test_the_file_has_the_agreed_arrays_and_no_pickle(tmp_path):
    save_scores(tmp_path / 'scores.npz', table())
    with np.load(tmp_path / 'scores.npz', allow_pickle=False) as file:
        assert set(file.files) == {
            'sample_ids', 'groups', 'logits/verb', 'labels/verb', 'flags/unseen',
        }  # fmt: skip
        assert file['logits/verb'].shape == (4, 2, 3)
        assert not any(file[name].dtype.hasobject for name in file.files)


def test_a_failed_write_leaves_what_was_there(tmp_path, monkeypatch):
    path = tmp_path / 'scores.npz'
    save_scores(path, table())
    before = path.read_bytes()

    def fail(*args, **kwargs):
        raise OSError('disk full')

    monkeypatch.setattr(np, 'savez', fail)
    with pytest.raises(OSError, match='disk full'):
        save_scores(path, table(2))
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_half_precision_logits_are_kept_exactly(tmp_path):
    logits = torch.randn(3, 5, generator=torch.Generator().manual_seed(0)).bfloat16()
    metric = DumpScores(out=str(tmp_path / 'scores.npz'))
    metric.process(None, [dict(pred_score=logits, gt_label=torch.tensor([4]), sample_id='a')])
    assert metric.evaluate(1) == {}
    loaded = load_scores(tmp_path / 'scores.npz')
    np.testing.assert_array_equal(loaded.scores['action'][0], logits.float().numpy())
    assert loaded.labels['action'].tolist() == [4]


def test_probabilities_and_other_files_are_refused(tmp_path):
    with pytest.raises(ValueError, match='ends with .npz'):
        DumpScores(out='scores.pkl')
    metric = DumpScores(out=str(tmp_path / 'scores.npz'))
    probs = torch.tensor([0.25, 0.75])
    metric.process(None, [dict(pred_score=probs, gt_label=torch.tensor([1]), sample_id='a')])
    with pytest.raises(ValueError, match='said to be logits'):
        metric.evaluate(1)
    np.savez(tmp_path / 'other.npz', boxes=np.zeros(3))
    with pytest.raises(ValueError, match='tools/test.py --dump'):
        load_scores(tmp_path / 'other.npz')


def test_clips_without_labels_are_dumped(tmp_path):
    metric = DumpScores(str(tmp_path / 'scores.npz'))
    samples = [dict(sample_id=f'P01_{i}', pred_score=dict(verb=torch.randn(2, 3))) for i in 'ab']
    metric.process(None, samples)
    metric.compute_metrics(metric.results)
    loaded = load_scores(tmp_path / 'scores.npz')
    assert loaded.labels == {} and loaded.scores['verb'].shape == (2, 2, 3)
    metric.process(None, [dict(samples[0], sample_id='c', gt_labels=dict(verb=torch.tensor([1])))])
    with pytest.raises(ValueError, match="'c' differs from 'P01_a' .*its labels"):
        metric.compute_metrics(metric.results)
