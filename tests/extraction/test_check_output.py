"""--check of flow and detections: sound extractions pass, and every kind of damage is named."""

import re
import shutil
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from mmdistill.extraction.check_output import (
    check_jobs,
    look_at_detections,
    look_at_flow,
    report_check,
)
from mmdistill.extraction.detection_output import manifest_of
from mmdistill.extraction.detections import DetectionJob
from mmdistill.extraction.flow import FlowSettings, set_up_flow
from mmdistill.extraction.jobs import Job, run_jobs
from mmdistill.extraction.manifest import record
from mmdistill.modalities.detection_file import DetectionWriter, VideoDetections
from mmdistill.video import index_video

SETTINGS = FlowSettings({'type': 'DIS', 'preset': 'ultrafast'})


@pytest.fixture
def flow(videos, tmp_path) -> list[Job]:
    """Flow of three videos, as it should be."""
    infos = map(index_video, videos)
    jobs = [
        Job(path.stem, path, tmp_path / 'flow' / path.stem, info.num_frames, info.seconds)
        for path, info in zip(videos, infos, strict=True)
    ]
    run_jobs(partial(set_up_flow, SETTINGS, ()), jobs, workers=0)
    return jobs


def problems(jobs: list[Job], settings: FlowSettings = SETTINGS) -> list[str]:
    return check_jobs(jobs, look_at_flow, settings.fingerprint())


def test_sound_flow(flow, capsys):
    assert problems(flow) == []
    assert report_check([], 3) == 0 and capsys.readouterr().out == 'Fine: 3 videos.\n'


def _cut_a_jpeg(job: Job) -> None:
    path = job.result / 'v/frame_0000000003.jpg'
    path.write_bytes(path.read_bytes()[:-30])


def _lose_an_image(job: Job) -> None:
    (job.result / 'u/frame_0000000008.jpg').unlink()


def _lose_a_folder(job: Job) -> None:
    shutil.rmtree(job.result / 'v')


def _fail(job: Job) -> None:
    shutil.rmtree(job.result)
    job.failure.write_text('the disk is full')


def _forget(job: Job) -> None:
    lines = job.manifest.read_text().splitlines(keepends=True)
    job.manifest.write_text(''.join(line for line in lines if f'"{job.name}"' not in line))


def _replace_the_video(job: Job) -> None:
    job.path.write_bytes(job.path.read_bytes() + b'\0')


@pytest.mark.parametrize(
    ('spoil', 'expected'),
    [
        (_cut_a_jpeg, r'cut short: .*P01_101/v/frame_0000000003\.jpg'),
        (_lose_an_image, 'holds 8 images in u and 9 in v, not 9 each'),
        (_lose_a_folder, 'holds 9 images in u and 0 in v, not 9 each'),
        (lambda job: shutil.rmtree(job.result), 'it was not extracted$'),
        (_fail, r'it was not extracted \(the disk is full\)'),
        (_forget, 'nobody knows how it was made'),
        (_replace_the_video, 'it is stale: made of a video of'),
        (lambda job: job.path.unlink(), 'its video .* is missing'),
    ],
)
def test_damage_is_named_with_its_video(flow, spoil, expected, capsys):
    spoil(flow[1])
    found = problems(flow)
    assert len(found) == 1
    assert re.match(f'P01_101: .*{expected}', found[0]), found
    assert report_check(found, 3) == 1
    assert '1 of 3 videos are not as they should be' in capsys.readouterr().out


def test_a_video_of_another_length(flow):
    assert 'is of 9 frames, but' in problems([replace(flow[1], size=20)])[0]


def test_other_settings(flow):
    found = problems(flow, FlowSettings(SETTINGS.estimator, bound=10.0))
    assert len(found) == 3 and 'bound is 20.0 there, 10.0 now' in found[0]


@pytest.fixture
def detections(videos, tmp_path) -> tuple[Path, list[DetectionJob]]:
    """A file with every second frame of three videos, and no boxes."""
    path, jobs = tmp_path / 'd.h5', []
    with DetectionWriter(path, ['hand']) as writer:
        for video in videos:
            info, part = index_video(video), tmp_path / 'd.h5.parts' / video.stem
            frames = list(range(0, info.num_frames, 2))
            writer.write(video.stem, _no_boxes(frames, info.num_frames))
            jobs.append(
                DetectionJob(
                    video.stem, video, part, len(frames), 1.0, True, frames, info.num_frames
                )
            )
            record(jobs[-1], {}, len(frames), 1)
    return path, jobs


def _no_boxes(frames: list[int], num_frames: int) -> VideoDetections:
    offsets = np.zeros(len(frames) + 1, int)
    nothing = np.zeros((0, 4)), np.zeros(0), np.zeros(0, int)
    return VideoDetections(64, 48, num_frames, 2, np.array(frames), offsets, *nothing)


def test_sound_detections(detections):
    path, jobs = detections
    assert jobs[0].manifest == manifest_of(jobs[0].result.parent)
    assert jobs[0].manifest == Path(f'{path}.manifest.jsonl')
    assert check_jobs(jobs, look_at_detections(path), {}) == []


def test_detections_of_other_frames_or_of_another_video(detections):
    path, jobs = detections
    look = look_at_detections(path)
    more = replace(jobs[0], frames_F=[0, 1, 2], size=3)
    assert 'has 4 frames of it, not 3' in check_jobs([more], look, {})[0]
    longer = replace(jobs[0], num_frames=99)
    assert 'is of a video of 8 frames, but' in check_jobs([longer], look, {})[0]


def test_a_detection_file_that_was_cut_short(detections):
    path, jobs = detections
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    found = check_jobs(jobs, look_at_detections(path), {})
    assert len(found) == 3 and all('cannot be read' in line for line in found)
