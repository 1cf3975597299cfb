"""Packing logits, shards and manifests: what comes back is what went in, or an error says why."""

import errno
import json
import resource

import pytest
import safetensors.torch
import torch

from mmdistill import files
from mmdistill.cache import CacheWriter, Manifest, TeacherCache, pack_logits, unpack_logits
from mmdistill.cache.fingerprint import differences

TASKS = dict(verb=4, noun=30)
IDS = [f'clip{i}' for i in range(5)]


def manifest(**changes):
    settings = dict(
        views=2,
        clips_per_shard=2,
        top_k=None,
        experts=['rgb', 'flow'],
        num_classes=TASKS,
        class_names={},
        sample_ids=IDS,
        fingerprint=dict(seed=0, experts=dict(flow=dict(checkpoint='aaa'))),
    )
    return Manifest(**(settings | changes))


def truth(view, i):
    generator = torch.Generator().manual_seed(100 * view + i)
    return {task: 5 * torch.randn(2, k, generator=generator) for task, k in TASKS.items()}


def answer(view, clips):
    logits = {t: torch.stack([truth(view, i)[t] for i in clips]) for t in TASKS}
    return logits, torch.tensor([[True, i != 3] for i in clips])


@pytest.fixture
def cache(tmp_path):
    writer = CacheWriter(tmp_path, manifest())
    writer.begin()
    assert writer.write_shards(answer) == 6
    return tmp_path


def test_rows_come_back_by_view_and_name(cache):
    clips = [(1, 'clip4'), (0, 'clip3'), (1, 'clip0')]
    logits, available = TeacherCache(cache).rows(clips)
    for row, (view, name) in enumerate(clips):
        for task in TASKS:
            expected = truth(view, int(name[-1]))[task]
            assert torch.equal(logits[task][row], expected.half().float())
    assert available.tolist() == [[True, True], [True, False], [True, True]]


def test_some_of_the_experts_come_back_in_the_order_that_was_asked_for(cache):
    holdout = {t: torch.randn(6, 2, k) for t, k in TASKS.items()}
    labels = {t: torch.zeros(6, dtype=torch.long) for t in TASKS}
    CacheWriter(cache, manifest()).write_holdout(holdout, labels)
    clips = [(1, 'clip4'), (0, 'clip3')]
    everything, available = TeacherCache(cache).rows(clips)
    for experts, places in ((['flow'], [1]), (['flow', 'rgb'], [1, 0])):
        some = TeacherCache(cache, experts=experts)
        logits, there = some.rows(clips)
        assert there.tolist() == available[:, places].tolist()
        for task in TASKS:
            assert torch.equal(logits[task], everything[task][:, places])
            assert torch.equal(some.holdout()[0][task], holdout[task][:, places])


def test_top_k_keeps_the_best_and_the_probability_of_the_others(tmp_path):
    logits = 3 * torch.randn(6, 2, 30)
    packed = pack_logits(logits, 4)
    assert sum(x.numel() for x in packed.values()) < logits.numel()
    found, probs = unpack_logits(packed, 30).softmax(-1), logits.softmax(-1)
    best, where = probs.topk(4)
    assert torch.allclose(found.gather(-1, where), best, rtol=0.01)
    others = found.scatter(-1, where, 0.0)
    assert torch.allclose(others.sum(-1), 1 - best.sum(-1), rtol=0.01, atol=1e-4)
    assert torch.allclose(others.amax(-1) * 26, others.sum(-1), rtol=1e-4)
    assert set(pack_logits(logits, 30)) == {'logits'}


def test_logits_beyond_float16_are_an_error():
    with pytest.raises(ValueError, match='up to 70000, which float16 cannot hold'):
        pack_logits(torch.tensor([[[7e4, 0.0]]]), None)


def test_ranks_share_the_shards_and_a_second_run_writes_none(tmp_path):
    writer = CacheWriter(tmp_path, manifest())
    writer.begin()
    assert [writer.write_shards(answer, rank, 4) for rank in range(4)] == [2, 2, 1, 1]
    assert TeacherCache(tmp_path).views == 2
    assert CacheWriter(tmp_path, manifest()).write_shards(answer) == 0


def test_more_views_are_added_to_what_is_there(cache):
    before = {p.name: p.stat().st_mtime_ns for p in cache.glob('view*')}
    writer = CacheWriter(cache, manifest(views=3))
    writer.begin()
    assert writer.write_shards(answer) == 3
    assert TeacherCache(cache).views == 3
    assert all((cache / name).stat().st_mtime_ns == time for name, time in before.items())


def test_a_full_disk_keeps_the_finished_shards(tmp_path, monkeypatch):
    writer = CacheWriter(tmp_path, manifest())
    writer.begin()
    original, calls = files.os.fsync, []

    def full(descriptor):
        calls.append(descriptor)
        if len(calls) > 2:
            raise OSError(errno.ENOSPC, 'No space left on device')
        original(descriptor)

    monkeypatch.setattr(files.os, 'fsync', full)
    with pytest.raises(OSError, match='No space left on device.*make room'):
        writer.write_shards(answer)
    monkeypatch.undo()
    assert len(list(tmp_path.glob('view*'))) == 2 and not list(tmp_path.glob('.*'))
    assert writer.write_shards(answer) == 4


def test_a_file_that_may_not_grow_any_further_is_not_there_at_all(tmp_path):
    writer = CacheWriter(tmp_path, manifest(clips_per_shard=5, views=1))
    writer.begin()
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    # The kernel itself refuses what goes beyond a part of the shard.
    resource.setrlimit(resource.RLIMIT_FSIZE, (300, before[1]))
    try:
        with pytest.raises(OSError, match='could not be written .*too large.*raise the limit'):
            writer.write_shards(answer)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert [p.name for p in tmp_path.iterdir()] == ['manifest.json']
    with pytest.raises(FileNotFoundError, match='is missing: run'):
        TeacherCache(tmp_path)
    assert writer.write_shards(answer) == 1
    assert TeacherCache(tmp_path).rows([(0, 'clip1')])


def test_size_is_per_1000_clips_of_a_view(cache):
    size = sum(p.stat().st_size for p in cache.glob('view*'))
    assert CacheWriter(cache, manifest()).bytes_per_1000_clips == pytest.approx(size / 10 * 1000)


class TestBadInput:
    def test_no_cache(self, tmp_path):
        with pytest.raises(FileNotFoundError, match='holds no teacher cache.*cache-teacher'):
            TeacherCache(tmp_path)

    def test_a_damaged_manifest(self, cache):
        path = cache / 'manifest.json'
        path.write_text(path.read_text()[:200])
        with pytest.raises(ValueError, match='manifest.json is damaged'):
            TeacherCache(cache)

    def test_a_missing_shard(self, cache):
        (cache / 'view01_00001.safetensors').unlink()
        with pytest.raises(FileNotFoundError, match='view01_00001.*is missing: run'):
            TeacherCache(cache)

    def test_a_truncated_shard_is_named_and_written_again(self, cache):
        path = cache / 'view01_00001.safetensors'
        path.write_bytes(path.read_bytes()[:-7])
        with pytest.raises(ValueError, match='view01_00001.safetensors.*is damaged'):
            TeacherCache(cache)
        assert CacheWriter(cache, manifest()).write_shards(answer) == 1

    def test_a_shard_of_another_cache(self, cache):
        path = cache / 'view00_00002.safetensors'
        path.write_bytes((cache / 'view00_00001.safetensors').read_bytes())
        with pytest.raises(ValueError, match=r'available: U8 \(2, 2\), not U8 \(1, 2\)'):
            TeacherCache(cache)

    def test_clips_and_views_that_are_not_there(self, cache):
        reader = TeacherCache(cache)
        with pytest.raises(KeyError, match=r"no clip 'other'.*5 clips in 2 views"):
            reader.rows([(0, 'other')])
        with pytest.raises(KeyError, match='no view 2'):
            reader.rows([(2, 'clip0')])

    def test_other_experts_cannot_continue_a_cache(self, cache):
        other = dict(seed=0, experts=dict(flow=dict(checkpoint='bbb')))
        with pytest.raises(ValueError, match='experts.flow.checkpoint: stored "aaa", now "bbb"'):
            CacheWriter(cache, manifest(fingerprint=other))
        with pytest.raises(ValueError, match='top_k: stored null, now 3'):
            CacheWriter(cache, manifest(top_k=3))

    @pytest.mark.parametrize(
        ('key', 'tensor', 'expected'),
        [
            ('verb/logits', torch.zeros(2, 2, 9).half(), r'F16 \(2, 2, 9\), not F16 \(2, 2, 4\)'),
            ('verb/logits', torch.zeros(2, 2, 4), r'F32 \(2, 2, 4\), not F16'),
            ('verb/logits', None, r'verb/logits: nothing, not F16'),
            ('other/logits', torch.zeros(1), r'other/logits: F32 \(1,\), not nothing'),
            ('available', torch.zeros(2, 5).byte(), r'available: U8 \(2, 5\)'),
        ],
    )
    def test_a_shard_of_another_form(self, cache, key, tensor, expected):
        path = cache / 'view01_00001.safetensors'
        tensors = safetensors.torch.load_file(path) | {key: tensor}
        safetensors.torch.save_file({k: x for k, x in tensors.items() if x is not None}, path)
        with pytest.raises(ValueError, match=rf'view01_00001.*is damaged \(.*{expected}'):
            TeacherCache(cache)
        # Written again, not taken for finished.
        assert CacheWriter(cache, manifest()).write_shards(answer) == 1
        TeacherCache(cache)

    @pytest.mark.parametrize(
        'changes',
        [
            dict(views='../2'),
            dict(views=0),
            dict(clips_per_shard=0),
            dict(top_k='all'),
            dict(num_classes=dict(verb=-1)),
            dict(num_classes=[3]),
            dict(experts=[]),
            dict(experts=[1]),
            dict(sample_ids=None),
            dict(fingerprint='abc'),
            dict(surprise=1),
        ],
        ids=str,
    )
    def test_a_manifest_of_another_form(self, cache, changes):
        path = cache / 'manifest.json'
        path.write_text(json.dumps(json.loads(path.read_text()) | changes))
        with pytest.raises(ValueError, match='manifest.json is damaged') as caught:
            TeacherCache(cache)
        assert '\n' not in str(caught.value)

    @pytest.mark.parametrize(
        'text', ['[]', 'null', '[' * 100_000, '\x00', ''], ids=lambda text: repr(text[:3])
    )
    def test_a_manifest_that_is_none(self, cache, text):
        (cache / 'manifest.json').write_text(text)
        with pytest.raises(ValueError, match='manifest.json is damaged'):
            TeacherCache(cache)

    @pytest.mark.parametrize('part', ['verb/logits', 'noun/labels'])
    def test_a_holdout_of_another_form(self, cache, part):
        logits = {t: torch.randn(3, 2, k) for t, k in TASKS.items()}
        CacheWriter(cache, manifest()).write_holdout(logits, {t: torch.arange(3) for t in TASKS})
        path = cache / 'holdout.safetensors'
        whole = safetensors.torch.load_file(path)
        for changed in ({part: whole[part][:2]}, {}):
            tensors = {k: x.clone() for k, x in whole.items() if k != part} | changed
            safetensors.torch.save_file(tensors, path)
            with pytest.raises(ValueError, match='holdout.safetensors.*is damaged'):
                TeacherCache(cache).holdout()

    def test_nothing_is_executed_on_loading(self, cache):
        path = cache / 'view00_00000.safetensors'
        torch.save(dict(available=torch.ones(2, 2)), path)  # a pickle
        with pytest.raises(ValueError, match='is damaged'):
            TeacherCache(cache)


def test_differences_are_named_by_their_path():
    assert differences(dict(a=dict(b=1, c=2)), dict(a=dict(b=1, c=3), d=0)) == [
        'a.c: stored 2, now 3',
        'd: stored null, now 0',
    ]
    assert differences(dict(a=[1]), dict(a=[1])) == []


def test_holdout_is_stored_in_full(cache):
    logits, labels = {t: torch.randn(3, 2, k) for t, k in TASKS.items()}, {}
    labels = {t: torch.arange(3) for t in TASKS}
    assert TeacherCache(cache).holdout() is None
    CacheWriter(cache, manifest()).write_holdout(logits, labels)
    found = TeacherCache(cache).holdout()
    assert all(torch.equal(found[0][t], logits[t]) for t in TASKS)
    assert all(torch.equal(found[1][t], labels[t]) for t in TASKS)
    assert safetensors.torch.load_file(cache / 'holdout.safetensors')
