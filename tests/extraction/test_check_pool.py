"""Processes that a decoder kills: the clip is named, and everything else is looked at."""

import os

import numpy as np
import pytest

from mmdistill.extraction.check_pool import VideoTask, check_videos
from mmdistill.modalities import RGBModality


class Fatal(RGBModality):
    """Dies, as a decoder does, of a file whose name says so."""

    def read(self, record, frame_inds_F):
        if 'fatal' in str(self.path(record)):
            os._exit(1)
        if 'bad' in str(self.path(record)):
            raise ValueError(f'{self.path(record)} is bad')
        return np.zeros((len(frame_inds_F), 4, 6, 3), np.uint8)


class Harmless(Fatal):
    def read(self, record, frame_inds_F):
        return np.zeros((len(frame_inds_F), 4, 6, 3), np.uint8)


@pytest.fixture
def task(tmp_path):
    def make(name, *clips):
        modalities = dict(rgb=Fatal(), again=Harmless())
        records = []
        for clip in clips:
            (tmp_path / f'{clip}.h5').touch()
            media = dict(rgb=str(tmp_path / f'{clip}.h5'))
            record = dict(sample_id=clip, video_id=name, start_frame=0, stop_frame=3, media=media)
            records.append(record)
        return VideoTask('train', modalities, 2, records)

    return make


@pytest.mark.parametrize('workers', [1, 3])
def test_the_clip_that_kills_a_process_is_named(task, workers):
    tasks = [task('one', 'a', 'fatal'), task('two', 'b'), task('three', 'bad'), task('four', 'c')]
    found = dict(check_videos(tasks, workers, method='fork'))
    assert [found[number].num_clips for number in range(4)] == [2, 1, 1, 1]
    [fatal] = found[0].problems
    assert (fatal.loader, fatal.sample_id, fatal.modality) == ('train', 'fatal', 'rgb')
    assert 'fatal.h5 killed the process that decoded it' in fatal.text
    [bad] = found[2].problems
    assert bad.text.endswith('is bad') and bad.modality == 'rgb'
    assert not found[1].problems and not found[3].problems
