"""Which clips a rendering holds: other ones by seed, a tail, a holdout of whole videos."""

import numpy as np

from projects.demo.rendering.parameters import DemoParameters
from projects.demo.rendering.plan import held_out, plan_videos


def test_another_seed_gives_other_clips():
    one, two = (plan_videos(24, 9, seed, DemoParameters()) for seed in (0, 1))
    assert [v.clips for v in one] != [v.clips for v in two]


def test_default_plan_has_a_mild_tail():
    videos = plan_videos(1200, 300, 0, DemoParameters())
    clips = [clip for video in videos if video.split == 'train' for clip in video.clips]
    assert len(clips) == 1200
    for task in ('verb', 'noun'):
        _, counts = np.unique([getattr(clip, task) for clip in clips], return_counts=True)
        assert len(counts) == 8
        assert 60 <= counts.min() < counts.max() / 1.7
    assert len({(clip.verb, clip.noun) for clip in clips}) == 64
    assert len({video.video_id for video in videos}) == len(videos) == 125


def test_the_holdout_is_a_share_of_the_labelled_videos_from_all_of_them():
    videos = plan_videos(300, 480, 0, DemoParameters(), num_unlabelled=480)
    train = [video.video_id for video in videos if video.split == 'train']
    chosen = held_out(videos, 0.2)
    assert len(train) == 25 and len(chosen) == 5 and chosen < set(train)
    places = sorted(train.index(name) for name in chosen)
    assert np.diff(places).tolist() == [5] * 4
    assert sum(len(v.clips) for v in videos if v.video_id in chosen) == 60
    assert len(held_out(videos, 0.001)) == 1
