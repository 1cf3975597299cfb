"""The dump: what is in the file, that nothing is lost, and what is refused."""

import zipfile

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
    with pytest.raises(ValueError, match='mmdistill test --dump'):
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


@pytest.mark.parametrize(
    ('changes', 'message'),
    [
        ({'sample_ids': np.arange(4)}, 'sample_ids of int64 .*expected texts'),
        ({'sample_ids': np.array([list('abcd')])}, r'shape \(1, 4\); expected texts \(N,\)'),
        ({'sample_ids': np.array('a')}, r'shape \(\); expected texts'),
        ({'sample_ids': np.array(list('abca'))}, "sample 'a' more than once"),
        ({'logits/verb': np.zeros((4, 2, 3), complex)}, 'verb logits of complex128; expected real'),
        ({'logits/verb': np.full((4, 2, 3), '1')}, 'verb logits of <U1; expected real'),
        ({'logits/verb': np.zeros((4, 0, 3))}, r'shape \(4, 0, 3\) .*V, K > 0'),
        ({'logits/verb': np.zeros((4, 2, 0))}, r'shape \(4, 2, 0\) .*V, K > 0'),
        ({'logits/verb': np.zeros((4, 3))}, r'shape \(4, 3\)'),
        ({'logits/verb': np.full((4, 2, 3), 1e308)}, "infinite verb logits .*first is 'P01_0'"),
        ({'logits/noun': np.zeros((4, 2, 3))}, r"of \['noun', 'verb'\], but labels of \['verb'\]"),
        ({'labels/verb': np.array([0, 1, 2, 2**64 - 1], np.uint64)}, "'P01_3' the verb label 1844"),
        ({'labels/verb': np.array([0, 1, np.nan, 0])}, 'verb labels of float64; expected integers'),
        ({'flags/unseen': np.full(4, np.nan)}, 'the flag unseen of float64; expected bool'),
    ],
)
def test_arrays_that_are_no_scores(tmp_path, changes, message):
    save_scores(tmp_path / 'scores.npz', table())
    with np.load(tmp_path / 'scores.npz') as file:
        arrays = dict(file)
    np.savez(tmp_path / 'scores.npz', **arrays | changes)
    with pytest.raises(ValueError, match=rf'scores\.npz (has|gives).*{message}'):
        load_scores(tmp_path / 'scores.npz')


def test_a_zip_of_other_files_and_a_damaged_member(tmp_path):
    path = tmp_path / 'scores.npz'
    with zipfile.ZipFile(path, 'w') as file:
        file.writestr('sample_ids', 'a')
    with pytest.raises(
        ValueError, match=r"scores\.npz holds \['sample_ids'\], which are no arrays"
    ):
        load_scores(path)
    np.savez_compressed(path, sample_ids=np.random.default_rng(0).integers(0, 99, 9999).astype(str))
    content = bytearray(path.read_bytes())
    content[200:400] = bytes(200)
    path.write_bytes(content)
    with pytest.raises(ValueError, match=r'scores\.npz cannot be read'):
        load_scores(path)
