"""Clips that lack modalities: what annotations, chance and requests take from them."""

import numpy as np
import pytest

from mmdistill.datasets import ModalityDropout, MultimodalDataset
from mmdistill.datasets.missing import kept_modalities
from mmdistill.datasets.transforms import LoadModalities
from mmdistill.modalities import Modality
from mmdistill.randomness import seeded
from mmdistill.registry import MODALITIES


@MODALITIES.register_module(name='MissingTestNumbers', force=True)
class Numbers(Modality):
    """A modality whose frames are their own numbers; `there` says which clips have it."""

    def found(self, record):
        return self.source not in record.get('gone', ())

    def frame_shape(self, record, frames_F):
        return (8, 8)

    def read(self, record, frame_inds_F):
        return frame_inds_F.astype(np.float32) + 1

    def move(self, frames_F, crop_4, flip, size):
        return frames_F

    def pack(self, crops, num_clips, clip_len):
        return np.stack(crops)

    def missing(self, num_frames, size):
        return np.zeros(num_frames, np.float32)


NAMES = ('rgb', 'flow', 'obj')
MODALITIES_OF = {name: dict(type='MissingTestNumbers', source=name) for name in NAMES}


def clip(**entries):
    record = dict(sample_id='P01_1', media=dict.fromkeys(NAMES, 'x'))
    return record | dict(frame_inds=np.arange(4), clip_len=4, num_clips=1) | entries


def available(load: LoadModalities, **entries) -> dict[str, bool]:
    results = load(clip(**entries))
    for name, there in results['available'].items():
        assert results[name].any() == there
    return results['available']


def test_each_is_dropped_as_often_as_asked_and_never_all():
    p = dict(rgb=0.5, flow=0.8, obj=0.2)
    drop, counts, size = ModalityDropout(p), dict.fromkeys(p, 0), 4000
    with seeded(3):
        for _ in range(size):
            dropped = drop({})['dropped']
            assert len(dropped) < 3
            for name in dropped:
                counts[name] += 1
    # Where all three would go, each survives in a third of the cases.
    all_gone = 0.5 * 0.8 * 0.2
    for name, number in counts.items():
        expected = p[name] - all_gone / 3
        assert number / size == pytest.approx(expected, abs=4 * np.sqrt(0.25 / size))


def test_the_same_clip_loses_the_same():
    load = LoadModalities(MODALITIES_OF, dropout=dict.fromkeys(NAMES, 0.5))

    def draw(*numbers):
        with seeded(*numbers):
            return available(load)

    assert draw(0, 1, 2) == draw(0, 1, 2)
    assert len({tuple(draw(0, 1, clip).values()) for clip in range(30)}) == 7  # all subsets


def test_the_last_modality_that_a_clip_has_is_never_dropped():
    load = LoadModalities(MODALITIES_OF, dropout=dict(rgb=0.9, flow=0.9, obj=0.0))
    for k in range(20):
        with seeded(k):
            there = available(load, gone=('obj',))
        assert sum(there.values()) >= 1 and not there['obj']


def test_what_is_kept_where_the_spared_ones_are_missing():
    dropped = frozenset({'rgb', 'flow'})
    assert kept_modalities(['rgb', 'flow', 'obj'], dropped, ('flow', 'rgb', 'obj')) == ['obj']
    assert kept_modalities(['rgb', 'flow'], dropped, ('obj', 'flow', 'rgb')) == ['flow']
    assert kept_modalities([], dropped, ('obj', 'flow', 'rgb')) == []


def test_annotations_and_requests_win_over_files():
    assert available(LoadModalities(MODALITIES_OF), absent=('flow',)) == dict(
        rgb=True, flow=False, obj=True
    )
    only = LoadModalities(MODALITIES_OF, available=('flow', 'obj'))
    assert available(only) == dict(rgb=False, flow=True, obj=True)
    assert available(only, absent=('flow',)) == dict(rgb=False, flow=False, obj=True)


def test_a_clip_without_any_is_named():
    load = LoadModalities(MODALITIES_OF, available='flow')
    with pytest.raises(FileNotFoundError, match=r"'P01_1' has none of the modalities"):
        load(clip(absent=('flow',)))


@pytest.mark.parametrize(
    ('p', 'message'),
    [
        ({}, r'needs p=dict\('),
        (0.5, r'needs p=dict\(.*got 0.5'),
        (dict(rgb=1.0, flow=1), r"drops all of \['flow', 'rgb'\] from every clip"),
        (dict(rgb=1.2, flow=0.1), 'p of rgb must be a number|p of rgb must be a'),
    ],
)
def test_bad_probabilities(p, message):
    with pytest.raises(ValueError, match=message):
        ModalityDropout(p)


def test_a_name_that_is_no_modality():
    load = LoadModalities(MODALITIES_OF, dropout=dict(rgb=0.5, depth=1.0))
    with pytest.raises(KeyError, match=r"drops \['depth'\], but the modalities"):
        for _ in range(20):
            load(clip())
    with pytest.raises(KeyError, match=r"available=\['depth'\], but the configured"):
        LoadModalities(MODALITIES_OF, available=('depth',))
    with pytest.raises(KeyError, match=r'available=\[\], but the configured'):
        LoadModalities(MODALITIES_OF, available=())


def dataset(folder, cells, **kwargs):
    rows = [f'v{i},0,4,{i % 2},{cell}' for i, cell in enumerate(cells)]
    (folder / 'a.csv').write_text(
        '\n'.join(['video_id,start_frame,stop_frame,action,has_flow', *rows])
    )
    media = dict(rgb='{video_id}.mp4', flow='{video_id}')
    arguments = dict(media=media, check_media=False, available=dict(flow='has_flow')) | kwargs
    return MultimodalDataset(str(folder / 'a.csv'), **arguments)


def test_a_column_says_which_clips_have_a_modality(tmp_path):
    found = dataset(tmp_path, ['1', '0', 'true', 'No'])
    assert [found.get_data_info(i)['absent'] for i in range(4)] == [(), ('flow',), (), ('flow',)]
    # Their files are not looked for, nor do they pass a filter.
    for name in ('v0.mp4', 'v1.mp4', 'v0'):
        (tmp_path / name).touch()
    checked = dataset(
        tmp_path,
        ['1', '0'],
        media=dict(rgb='{video_id}.mp4', flow='{video_id}'),
        check_media=True,
        data_root=str(tmp_path),
    )
    assert len(checked) == 2
    kept = dataset(tmp_path, ['1', '0'], data_root=str(tmp_path), filter_cfg=dict(media=['flow']))
    assert [kept.get_data_info(i)['video_id'] for i in range(len(kept))] == ['v0']


@pytest.mark.parametrize(
    ('cell', 'columns', 'message'),
    [
        (
            'maybe',
            dict(flow='has_flow'),
            r"line 2: sample 'v0_0_4': column 'has_flow' holds 'maybe'",
        ),
        ('1', dict(flow='hasflow'), r"needs the column 'hasflow', which is not there"),
        ('1', dict(depth='has_flow'), r"needs the entry 'depth' in media, which is not there"),
    ],
)
def test_bad_columns(tmp_path, cell, columns, message):
    with pytest.raises(ValueError, match=message):
        dataset(tmp_path, [cell], available=columns)
