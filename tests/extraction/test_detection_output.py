"""The detection file that grows from parts: nothing finished is lost, no bad part stops others."""

from pathlib import Path

import numpy as np
import pytest

from mmdistill.extraction.detection_output import Output, write_part
from mmdistill.extraction.detections import DetectionJob
from mmdistill.modalities.detection_file import DetectionFile, VideoDetections

SETTINGS, OTHER = dict(checkpoint_sha256='a', stride=2), dict(checkpoint_sha256='b', stride=2)
CLASSES = ['hand', 'cup']


def detections(score: float) -> VideoDetections:
    """One frame with one box."""
    box = np.array([[1, 2, 30, 40]], np.float32)
    scores, labels = np.array([score], np.float32), np.array([1], np.int16)
    return VideoDetections(64, 48, 9, 2, np.array([0]), np.array([0, 1]), box, scores, labels)


def write(out: Output, names: str, score: float = 0.5) -> None:
    """Process some videos."""
    out.open_parts()
    for name in names:
        video = out.path.with_name(f'{name}.mp4')
        video.touch()
        write_part(DetectionJob(name, video, out.part(name), 1), detections(score), out.fingerprint)


def make(path: Path, names: str) -> None:
    """A finished file."""
    out = Output(path, SETTINGS)
    write(out, names)
    assert not out.merge(CLASSES, 'toy', {})


def scores(path: Path) -> dict[str, float]:
    file = DetectionFile(path)
    return {name: round(float(file.load(name).scores_M[0]), 3) for name in file.video_ids}


def damage(part: Path) -> None:
    data = part.read_bytes()
    part.write_bytes(data[: len(data) // 2])


def test_overwriting_some_videos_keeps_the_others(tmp_path):
    path = tmp_path / 'd.h5'
    make(path, 'abc')
    out = Output(path, SETTINGS, overwrite=True)
    out.check_kept('b')
    assert not out.holds('b', np.array([0]))
    write(out, 'b', 0.9)
    assert scores(path) == dict(a=0.5, b=0.5, c=0.5)  # until all is complete
    out.merge(CLASSES, 'toy', {})
    assert scores(path) == dict(a=0.5, b=0.9, c=0.5)
    assert not out.parts.exists()


def test_videos_of_other_settings_are_not_dropped(tmp_path):
    path = tmp_path / 'd.h5'
    make(path, 'abc')
    with pytest.raises(ValueError, match=r'2 more videos \(a, c\), which would be lost'):
        Output(path, OTHER, overwrite=True).check_kept('b')
    out = Output(path, OTHER, overwrite=True)
    out.check_kept('abc')
    write(out, 'ab', 0.9)
    out.merge(CLASSES, 'toy', {'c': 'damaged'})
    assert scores(path) == dict(a=0.5, b=0.5, c=0.5)  # c would be lost
    out = Output(path, OTHER, overwrite=True)
    write(out, 'c', 0.8)  # the same command goes on
    out.merge(CLASSES, 'toy', {})
    assert scores(path) == dict(a=0.9, b=0.9, c=0.8)
    assert DetectionFile(path).settings == OTHER


def test_parts_of_other_settings_give_way(tmp_path):
    write(Output(tmp_path / 'd.h5', OTHER), 'a')
    out = Output(tmp_path / 'd.h5', SETTINGS, overwrite=True)
    out.open_parts()
    assert not out.part('a').exists()
    with pytest.raises(ValueError, match='checkpoint_sha256 is a there, b now'):
        Output(tmp_path / 'd.h5', OTHER)


def test_a_damaged_part_is_made_again(tmp_path, capsys):
    out = Output(tmp_path / 'd.h5', SETTINGS)
    write(out, 'ab')
    damage(out.part('a'))
    Output(tmp_path / 'd.h5', SETTINGS).open_parts()
    assert not out.part('a').exists() and out.part('b').exists()
    assert 'a.npz is damaged' in capsys.readouterr().out


def test_a_part_that_is_damaged_in_the_end_is_named_and_the_others_are_merged(tmp_path):
    path = tmp_path / 'd.h5'
    make(path, 'ab')
    out = Output(path, SETTINGS)
    write(out, 'acd', 0.9)
    for name in 'ac':
        damage(out.part(name))
    found = out.merge(CLASSES, 'toy', {})
    assert sorted(found) == ['a', 'c'] and 'run the same command again' in found['c']
    assert scores(path) == dict(a=0.5, b=0.5, d=0.9)  # a as it was before
    write(out, 'c', 0.8)
    assert not out.merge(CLASSES, 'toy', {}) and scores(path)['c'] == 0.8


def test_a_part_with_impossible_arrays_is_named(tmp_path):
    out = Output(tmp_path / 'd.h5', SETTINGS)
    write(out, 'ab')
    video = detections(0.5)._replace(offsets_F1=np.array([0, 7]))
    job = DetectionJob('a', tmp_path / 'a.mp4', out.part('a'), 1)
    write_part(job, video, SETTINGS)
    assert list(out.merge(CLASSES, 'toy', {})) == ['a']
    assert scores(tmp_path / 'd.h5') == dict(b=0.5)


def test_files_of_the_user_stay(tmp_path):
    out = Output(tmp_path / 'd.h5', SETTINGS)
    write(out, 'a')
    (out.parts / 'b.npz').write_bytes(b'mine')  # the manifest does not know it
    with pytest.raises(ValueError, match=r'parts is not replaced.*holds b\.npz'):
        Output(tmp_path / 'd.h5', SETTINGS)
    assert (out.parts / 'b.npz').read_bytes() == b'mine'
