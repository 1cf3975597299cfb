"""Views of a dump: their order is MMAction2's, fewer of them are what a test would sample."""

import numpy as np
import pytest
import scipy.special
from mmaction.datasets.transforms import CenterCrop, FormatShape, SampleFrames, ThreeCrop

from mmdistill.datasets.transforms import LoadModalities
from mmdistill.metrics import ScoreTable, reduce_views, score_views, table_metrics
from mmdistill.metrics.views import CROPS, clip_choice
from mmdistill.modalities import RGBModality

FRAMES, CLIP_LEN, HEIGHT, WIDTH = 64, 4, 6, 20


def numbered_frames():
    """Frames whose pixels say when and where they are: (frame, column, 0)."""
    frames = np.zeros((FRAMES, HEIGHT, WIDTH, 3), np.uint8)
    frames[..., 0] = np.arange(FRAMES)[:, None, None]
    frames[..., 1] = np.arange(WIDTH)
    return frames


def upstream_views(num_clips, crop):
    """MMAction2's own test pipeline on the numbered frames: (V, C, T, H, W)."""
    results = dict(total_frames=FRAMES, start_index=0, modality='RGB')
    sample = SampleFrames(CLIP_LEN, 2, num_clips, test_mode=True)
    results = sample(results)
    results['imgs'] = list(numbered_frames()[results['frame_inds']])
    results['img_shape'] = (HEIGHT, WIDTH)
    return FormatShape('NCTHW')(crop(results))['imgs']


@pytest.mark.parametrize('num_clips', [1, 2, 5])
def test_views_are_ordered_crop_by_crop_and_the_last_crop_is_the_centre(num_clips):
    views = upstream_views(num_clips, ThreeCrop(crop_size=(HEIGHT, HEIGHT)))
    centre = upstream_views(num_clips, CenterCrop(crop_size=(HEIGHT, HEIGHT)))
    assert len(views) == 3 * num_clips
    crops = views.reshape(3, num_clips, *views.shape[1:])
    # Within a crop time goes on from clip to clip; across crops a clip has the same frames.
    assert (np.diff(crops[0, :, 0, 0, 0, 0].astype(int)) > 0).all()
    np.testing.assert_array_equal(crops[0, :, 0], crops[2, :, 0])
    left, right, middle = crops[:, 0, 1, 0, 0, 0].tolist()
    assert (left, right, middle) == (0, WIDTH - HEIGHT, (WIDTH - HEIGHT) // 2)
    np.testing.assert_array_equal(crops[CROPS[3][1][0]], centre)


def test_our_own_loading_has_the_same_order(monkeypatch):
    monkeypatch.setattr(RGBModality, 'available', lambda self, record: True)
    monkeypatch.setattr(RGBModality, 'read', lambda self, record, inds: numbered_frames()[inds])
    sampled = SampleFrames(CLIP_LEN, 2, 5, test_mode=True)(
        dict(total_frames=FRAMES, start_index=0, sample_id='a', media={})
    )
    load = LoadModalities(
        dict(rgb=dict(type='mmdistill.RGBModality')),
        geometry=[dict(type='ThreeCrop', crop_size=(HEIGHT, HEIGHT))],
    )
    expected = upstream_views(5, ThreeCrop(crop_size=(HEIGHT, HEIGHT)))
    np.testing.assert_array_equal(load(sampled)['rgb'], expected)


@pytest.mark.parametrize('wanted', [1, 2, 3, 5])
def test_exact_choices_are_the_clips_that_would_be_sampled(wanted):
    def starts(num_clips):
        results = SampleFrames(CLIP_LEN, 2, num_clips, test_mode=True)(
            dict(total_frames=63, start_index=0)
        )
        return results['frame_inds'].reshape(num_clips, CLIP_LEN)[:, 0]

    chosen, exact = clip_choice(5, wanted)
    assert exact
    assert starts(5)[list(chosen)].tolist() == starts(wanted).tolist()


def test_other_choices_are_the_nearest_and_say_so():
    assert clip_choice(5, 4) == ((0, 1, 3, 4), False)
    assert clip_choice(4, 1) == ((1,), False)
    assert clip_choice(1, 1) == ((0,), True)


def table_of_views(clips=3, crops=3, num=30):
    rng = np.random.default_rng(0)
    logits = 3 * rng.normal(size=(num, clips * crops, 4)).astype(np.float32)
    ids = np.arange(num).astype(str)
    return ScoreTable(ids, ids, {'action': logits}, {'action': rng.integers(0, 4, num)}, {})


def test_every_combination_is_scored_as_its_views_are():
    table = table_of_views()
    found = {(s.clips, s.crops, s.reducer): s for s in score_views(table, 3, 3)}
    assert len(found) == 3 * 3 * 2
    logits, labels = table.scores['action'].astype(float), table.labels['action']
    # The first and last clip of the left and the right crop.
    some = logits[:, [0, 2, 3, 5]]
    hits = some.mean(1).argmax(1) == labels
    assert found[2, 2, 'logits'].metrics['acc/action/top1'] == pytest.approx(hits.mean())
    probs = scipy.special.softmax(some, axis=2).mean(1)
    assert found[2, 2, 'probs'].metrics['acc/action/top1'] == pytest.approx(
        (probs.argmax(1) == labels).mean()
    )
    nll = -np.log(probs[np.arange(30), labels]).mean()
    assert found[2, 2, 'probs'].metrics['calibration/action/nll'] == pytest.approx(nll)
    assert found[3, 3, 'logits'].metrics == pytest.approx(table_metrics(table))


def test_one_view_is_the_same_under_both_reducers():
    both = score_views(table_of_views(1, 1), 1, 1)
    assert both[0].metrics == pytest.approx(both[1].metrics)


def test_wrong_numbers_of_views_are_refused():
    with pytest.raises(ValueError, match=r'holds \[9\] views of a clip, not 2 clips x 3'):
        score_views(table_of_views(), 2, 3)
    with pytest.raises(ValueError, match='CenterCrop'):
        score_views(table_of_views(5, 2), 5, 2)
    with pytest.raises(ValueError, match='reducer'):
        reduce_views(table_of_views(), (0,), 'median')
