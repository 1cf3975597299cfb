"""Flow extraction: right motion, EPIC-KITCHENS' layout, atomic and restartable."""

import json
import multiprocessing
import os
import signal
from functools import partial
from pathlib import Path

import cv2
import numpy as np
import pytest

from mmdistill.extraction.flow import (
    FlowSettings,
    check_earlier_results,
    extract_flow,
    set_up_flow,
)
from mmdistill.extraction.flow_estimators import DIS
from mmdistill.extraction.jobs import MANIFEST, Job, run_jobs
from mmdistill.modalities.flow_encoding import decode_flow
from mmdistill.video import VideoError

SETTINGS = FlowSettings()
SETUP = partial(set_up_flow, SETTINGS, ())


def make_jobs(videos: list[Path], out: Path) -> list[Job]:
    return [Job(path.stem, path, out / path.stem, 8) for path in videos]


def contents(folder: Path) -> dict[str, bytes]:
    """All but the manifest, which says when it was made."""
    files = sorted(p for p in folder.rglob('*') if p.is_file() and p.name != MANIFEST)
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}


def test_layout_lengths_and_motion(videos, tmp_path):
    jobs = make_jobs(videos, tmp_path / 'flow')
    report = run_jobs(SETUP, jobs, workers=0)
    assert report.complete and not report.failures
    for speed, (count, job) in enumerate(zip((8, 9, 10), jobs, strict=True), start=1):
        for name in 'uv':
            images = sorted(path.name for path in (job.result / name).iterdir())
            assert images == [f'frame_{number:010d}.jpg' for number in range(1, count + 1)]
        u, v = (
            decode_flow(cv2.imread(str(job.result / name / 'frame_0000000004.jpg'), 0))
            for name in 'uv'
        )
        assert u.shape == (48, 64)
        assert np.median(u[12:-12, 16:-16]) == pytest.approx(speed, abs=0.3)
        assert np.median(v[12:-12, 16:-16]) == pytest.approx(0, abs=0.3)
        last, before = (job.result / 'u' / f'frame_{n:010d}.jpg' for n in (count, count - 1))
        assert last.read_bytes() == before.read_bytes()


def test_first_image_is_the_motion_from_frame_1_to_frame_2(tmp_path, make_video):
    """A stand-in estimator tells which frames it was called with."""
    calls = []

    def estimate(before, after):
        calls.append((before.mean(), after.mean()))
        return np.full((*before.shape, 2), len(calls), np.float32)

    video = make_video(tmp_path / 'a.MP4', num_frames=4)
    job = Job('a', video, tmp_path / 'flow' / 'a', 4)
    extract_flow(SETTINGS, estimate, job, lambda frames: None)
    values = [
        round(float(decode_flow(cv2.imread(str(path), 0)).mean()))
        for path in sorted((job.result / 'u').iterdir())
    ]
    assert values == [1, 2, 3, 3]
    assert [after for _, after in calls[:-1]] == [before for before, _ in calls[1:]]


def test_single_frame_is_no_motion(tmp_path, make_video):
    job = Job('a', make_video(tmp_path / 'a.MP4', num_frames=1), tmp_path / 'flow' / 'a', 1)
    assert not run_jobs(SETUP, [job], workers=0).failures
    assert (cv2.imread(str(job.result / 'u' / 'frame_0000000001.jpg'), 0) == 128).all()


def test_short_side(videos, tmp_path):
    job = make_jobs(videos[1:2], tmp_path / 'flow')[0]  # 2 pixels per frame at 64 x 48
    extract_flow(FlowSettings(short_side=96), DIS(), job, lambda frames: None)
    u = decode_flow(cv2.imread(str(job.result / 'u' / 'frame_0000000003.jpg'), 0))
    assert u.shape == (96, 128)
    assert np.median(u[24:-24, 32:-32]) == pytest.approx(4, abs=0.4)


def test_workers_give_what_one_process_gives_and_name_the_damaged(videos, truncated, tmp_path):
    alone, together = (make_jobs([*videos, truncated], tmp_path / name) for name in 'ab')
    for jobs, workers in ((alone, 0), (together, 2)):
        report = run_jobs(SETUP, jobs, workers)
        assert report.complete and list(report.failures) == ['P01_109']
        assert 'P01_109.MP4 cannot be opened' in report.failures['P01_109']
    for one, other in zip(alone[:3], together[:3], strict=True):
        assert contents(one.result) == contents(other.result) != {}
    assert not alone[3].result.exists() and not alone[3].partial.exists()


def kill_at(call: int):
    """An estimator that dies in the middle of a video, without any clean-up."""
    calls, dis = 0, DIS()

    def estimate(before, after):
        nonlocal calls
        calls += 1
        if calls == call:
            os.kill(os.getpid(), signal.SIGKILL)
        return dis(before, after)

    return estimate


def test_killed_and_restarted_gives_the_same_files(videos, tmp_path):
    whole, killed = (make_jobs(videos, tmp_path / name) for name in ('whole', 'killed'))
    run_jobs(SETUP, whole, workers=0)

    def run_until_killed():
        run_jobs(lambda worker: partial(extract_flow, SETTINGS, kill_at(10)), killed, workers=0)

    child = multiprocessing.get_context('fork').Process(target=run_until_killed)
    child.start()
    child.join(timeout=60)
    assert child.exitcode == -signal.SIGKILL
    assert [job.result.exists() for job in killed] == [True, False, False]
    assert killed[1].partial.exists()  # died inside the second video
    first = (killed[0].result / 'flow.json').stat().st_mtime_ns

    assert not run_jobs(SETUP, killed, workers=0).failures
    assert (killed[0].result / 'flow.json').stat().st_mtime_ns == first  # not made again
    assert contents(tmp_path / 'whole') == contents(tmp_path / 'killed')
    assert not killed[1].partial.exists()


def test_flow_of_other_settings_is_refused(videos, tmp_path):
    jobs = make_jobs(videos[:1], tmp_path / 'flow')
    check_earlier_results(SETTINGS, jobs)
    run_jobs(SETUP, jobs, workers=0)
    check_earlier_results(SETTINGS, jobs)
    with pytest.raises(ValueError, match=r'bound is 20\.0 there, 10\.0 now.*another place'):
        check_earlier_results(FlowSettings(bound=10.0), jobs)
    (jobs[0].result / 'flow.json').unlink()
    with pytest.raises(ValueError, match='unknown settings'):
        check_earlier_results(SETTINGS, jobs)


def test_settings_file_tells_how_to_decode(videos, tmp_path):
    jobs = make_jobs(videos[:1], tmp_path / 'flow')
    run_jobs(SETUP, jobs, workers=0)
    stored = json.loads((jobs[0].result / 'flow.json').read_text())
    assert stored == {'bound': 20.0, 'estimator': {'type': 'DIS'}, 'short_side': 0}


def test_a_video_that_ends_early_leaves_no_result(tmp_path, make_video, monkeypatch):
    def frames(path):
        yield 0, np.zeros((48, 64, 3), np.uint8)
        raise VideoError('cut short')

    monkeypatch.setattr('mmdistill.extraction.flow.read_frames', frames)
    job = Job('a', tmp_path / 'a.MP4', tmp_path / 'flow' / 'a', 4)
    assert run_jobs(SETUP, [job], workers=0).failures == {'a': 'cut short'}
    assert not job.result.exists()
