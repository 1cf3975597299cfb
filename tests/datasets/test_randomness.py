"""The same clip in the same epoch is the same tensor, whoever loads it, whenever."""

import itertools
import pickle
import random

import numpy as np
import pytest
import torch
from mmaction.registry import TRANSFORMS as MMACTION_TRANSFORMS
from mmcv.transforms import BaseTransform
from mmengine.runner import Runner

from mmdistill.datasets import samplers
from mmdistill.datasets.clip_index import ClipIndex
from mmdistill.randomness import seeded
from mmdistill.registry import DATASETS

NUM_CLIPS = 7
SEED = 5


@MMACTION_TRANSFORMS.register_module(name='SameFrames')
class SameFrames(BaseTransform):
    """The same frames for every clip, and a draw of Python's and of torch's generator."""

    def transform(self, results):
        frame = np.arange(24 * 32 * 3, dtype=np.uint8).reshape(24, 32, 3)
        noise = [random.randint(0, 99), int(torch.randint(100, ()))]
        frame[0, 0, :2] = noise
        results.update(imgs=[frame, frame.copy()], img_shape=(24, 32), original_shape=(24, 32))
        results.update(modality='RGB', num_clips=1, clip_len=2, noise=noise)
        return results


PIPELINE = [
    dict(type='SampleFrames', clip_len=2, frame_interval=2),
    dict(type='SameFrames'),
    dict(type='RandomResizedCrop', area_range=(0.3, 1.0)),
    dict(type='Resize', scale=(16, 16), keep_ratio=False),
    dict(type='Flip', flip_ratio=0.5),
    # Upstream's hue fails under NumPy 2 (uint8 plus a negative number).
    dict(type='ColorJitter', hue=0),
    dict(type='RandomErasing', erase_prob=0.5),
    dict(type='FormatShape', input_format='NCTHW'),
    dict(type='PackActionInputs', meta_keys=('sample_id', 'frame_inds', 'noise')),
]


@pytest.fixture
def dataset(tmp_path):
    """Some clips, and a pipeline that draws a lot."""
    rows = [f'v{i},0,{40 + i},{i % 3}' for i in range(NUM_CLIPS)]
    (tmp_path / 'a.csv').write_text('\n'.join(['video_id,start_frame,stop_frame,action', *rows]))
    return dict(
        type='mmdistill.MultimodalDataset',
        ann_file='a.csv',
        data_root=str(tmp_path),
        pipeline=PIPELINE,
    )


@pytest.fixture
def load(dataset):
    """Load some epochs: (epoch, sample id) -> the clip's tensor."""

    def run(epochs=(0, 1, 2), sampler='EpochSampler', wrap=None, seed=SEED, **loader):
        keys = ('views', 'augmentation_seed')
        own = {key: loader.pop(key) for key in keys if key in loader}
        loader = Runner.build_dataloader(
            dict(
                batch_size=2,
                sampler=dict(type=f'mmdistill.{sampler}', shuffle=True, **own),
                dataset=wrap(dataset) if wrap else dataset,
                **{'num_workers': 0, 'persistent_workers': False, **loader},
            ),
            seed=seed,
        )
        found = {}
        for epoch in epochs:
            loader.sampler.set_epoch(epoch)
            for batch in loader:
                for clip, sample in zip(batch['inputs'], batch['data_samples'], strict=True):
                    found.setdefault((epoch, sample.sample_id), []).append(clip)
        return found

    return run


def same(ours, theirs):
    assert ours and set(ours) <= set(theirs)
    for key, clips in ours.items():
        for own in clips:
            assert any(torch.equal(own, other) for other in theirs[key]), key


@pytest.mark.parametrize(
    'loader', [dict(num_workers=2), dict(num_workers=4), dict(num_workers=2, persistent=True)]
)
def test_workers_do_not_matter(load, loader):
    persistent = loader.pop('persistent', False)
    loader['persistent_workers'] = persistent
    torch.manual_seed(8)
    theirs = load(num_workers=0)
    torch.manual_seed(9)
    same(load(**loader, multiprocessing_context='fork'), theirs)


def test_ranks_do_not_matter(load, monkeypatch):
    alone = load()
    ranks = []
    for rank in range(2):
        monkeypatch.setattr('mmengine.dataset.sampler.get_dist_info', lambda rank=rank: (rank, 2))
        ranks.append(load())
        same(ranks[-1], alone)
    assert set(ranks[0]) | set(ranks[1]) == set(alone)


def test_a_later_epoch_does_not_need_the_earlier_ones(load):
    whole = load()
    random.seed(3)
    same(load(epochs=(2,)), whole)


def test_epochs_and_clips_differ(load):
    clips = [clip[0] for clip in load().values()]
    assert len({clip.numpy().tobytes() for clip in clips}) == 3 * NUM_CLIPS


def test_drawing_leaves_no_trace(load):
    torch.manual_seed(1), np.random.seed(1), random.seed(1)
    before = torch.get_rng_state(), np.random.get_state()[1], random.getstate()
    with seeded(1, 2, 3):
        assert torch.rand(()) != torch.rand(())
        random.random(), np.random.rand()
    assert torch.equal(before[0], torch.get_rng_state())
    assert (before[1] == np.random.get_state()[1]).all() and before[2] == random.getstate()


def test_another_seed_draws_other_numbers():
    def draw(*numbers):
        with seeded(*numbers):
            return random.random(), np.random.rand(), float(torch.rand(()))

    drawn = [draw(*x) for x in ((0, 0, 0), (1, 0, 0), (0, 1, 0), (0, 0, 1))]
    for column in zip(*drawn, strict=True):
        assert len(set(column)) == 4
    assert draw(0, 0, 1) == drawn[3]


def test_views_come_again_in_another_order(load):
    cycled = load(epochs=(0, 1, 2, 3), views=2)
    plain = load(epochs=(0, 1))
    for epoch in range(4):
        for (_, name), clip in ((k, v) for k, v in cycled.items() if k[0] == epoch):
            assert torch.equal(clip[0], plain[epoch % 2, name][0])


def test_runs_with_other_seeds_may_share_augmentations(load):
    theirs = load(augmentation_seed=SEED, seed=SEED + 1)
    same(theirs, load())
    assert list(theirs) != list(load())  # the order is the run's own
    assert not torch.equal(load(seed=SEED + 1)[0, 'v0_0_40'][0], theirs[0, 'v0_0_40'][0])


def test_what_a_transform_draws_when_it_is_built_does_not_matter(dataset):
    orders = set()
    for seed in range(4):
        np.random.seed(seed)
        jitter = DATASETS.build(dataset).pipeline.transforms[5]
        orders.add(tuple(jitter.fn_idx))
    assert len(orders) == 1


@pytest.mark.parametrize(
    'steps',
    [
        dict(sample=dict(type='DenseSampleFrames', clip_len=2, sample_range=16)),
        dict(sample=dict(type='UniformSample', clip_len=2)),
        dict(crop=dict(type='RandomCrop', size=12)),
        dict(crop=dict(type='RandomRescale', scale_range=(20, 60))),
        dict(crop=dict(type='MultiScaleCrop', input_size=16, scales=(1, 0.7), random_crop=True)),
        dict(crop=dict(type='MultiScaleCrop', input_size=16, scales=(1, 0.7), num_fixed_crops=13)),
    ],
    ids=lambda steps: next(iter(steps.values()))['type'],
)
def test_every_transform_draws_by_clip_and_epoch(dataset, load, steps):
    sample, crop = steps.get('sample', PIPELINE[0]), steps.get('crop', PIPELINE[2])
    dataset['pipeline'] = [sample, PIPELINE[1], crop, *PIPELINE[3:]]
    theirs = load()
    np.random.seed(9), random.seed(9)
    same(load(epochs=(2, 0)), theirs)
    assert len({clip[0].numpy().tobytes() for clip in theirs.values()}) == 3 * NUM_CLIPS


def test_repetitions_get_augmentations_of_their_own(load):
    def twice(dataset):
        return dict(type='RepeatDataset', dataset=dataset, times=2)

    plain = load(epochs=(0, 1, 2, 3))
    repeated = load(epochs=(0, 1), wrap=twice)
    for (epoch, name), clips in repeated.items():
        expected = [plain[2 * epoch + k, name][0] for k in range(2)]
        assert {x.numpy().tobytes() for x in clips} == {x.numpy().tobytes() for x in expected}


def test_concatenated_data_sets_keep_their_draws(load):
    def both(dataset):
        return dict(type='ConcatDataset', datasets=[dataset, dataset])

    same(load(wrap=both), load())


def test_an_endless_sampler_counts_passes_over_the_data(monkeypatch):
    def indices(rank, ranks):
        monkeypatch.setattr('mmengine.dataset.sampler.get_dist_info', lambda: (rank, ranks))
        sampler = samplers.EndlessSampler(range(3), seed=0)
        found = itertools.islice(iter(sampler), 12 // ranks)
        return [(int(i), i.epoch) for i in found]

    alone = indices(0, 1)
    assert sorted(alone) == [(i, epoch) for i in range(3) for epoch in range(4)]
    assert alone != sorted(alone, key=lambda x: (x[1], x[0]))
    assert sorted(indices(0, 2) + indices(1, 2)) == sorted(alone)


def test_a_skipped_beginning_is_skipped_once():
    sampler = samplers.EpochSampler(range(6), seed=0)
    whole = list(sampler)
    sampler.skip(4)
    assert list(sampler) == whole[4:]
    assert list(sampler) == whole


def test_an_index_survives_a_queue_and_arithmetic():
    index = pickle.loads(pickle.dumps(ClipIndex(9, seed=3, epoch=2, size=10, views=4)))
    assert (index, index.seed, index.epoch, index.view) == (9, 3, 2, 2)
    inner = index % 5
    assert (inner, inner.epoch, inner.view) == (4, 5, 1)
    assert ((index - 4), (index - 4).epoch) == (5, 2)
