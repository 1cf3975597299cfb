"""tools/data/check.py: names what would end a training, and is content with sound data."""

import json
import shutil
from pathlib import Path

import cv2
import h5py
import pytest

from mmdistill.video import read_frames

ROOT = Path(__file__).parents[2]
CONFIG = ROOT / 'configs/distill/swin_ek100_rgbflowobj.py'


@pytest.fixture
def data(tiny_data, tmp_path) -> Path:
    """A copy of the tiny data set that may be spoilt."""
    skipped = shutil.ignore_patterns('detector', 'keypoints')
    return Path(shutil.copytree(tiny_data, tmp_path / 'data', ignore=skipped))


@pytest.fixture
def check(load_tool, data, tmp_path, capsys, monkeypatch):
    """Run the tool in this process: exit code, and the lines that name a problem."""
    main = load_tool('data/check.py').main
    monkeypatch.chdir(ROOT)

    def run(*options: str, config: Path = CONFIG) -> tuple[int, list[str]]:
        words = [str(config), '--out-dir', str(tmp_path / 'out'), '--workers', '0', *options]
        code = main([*words, '--frames', '3', '--cfg-options', f'data_root={data}/'])
        lines = capsys.readouterr().out.splitlines()
        return code, [line for line in lines if line.startswith('PROBLEM')]

    return run


def a_video(data: Path) -> Path:
    """A validation video: `val` and `test` read it, and nobody its flow."""
    line = (data / 'annotations/EPIC_100_validation.csv').read_text().splitlines()[1]
    [path] = data.glob(f'*/videos/{line.split(",")[2]}.MP4')
    return path


def a_training_clip(data: Path) -> dict[str, str]:
    header, first, *_ = (data / 'annotations/EPIC_100_train.csv').read_text().splitlines()
    return dict(zip(header.split(','), first.split(','), strict=True))


def test_sound_data(check, data, tmp_path):
    assert check() == (0, [])
    result = json.loads((tmp_path / 'out/check.json').read_text())
    train, holdout, test = (result['loaders'][name] for name in ('train', 'holdout', 'test'))
    assert train['num_clips'] + holdout['num_clips'] == 24 and test['num_clips'] == 8
    assert sum(train['class_counts']['verb']) == train['num_clips']
    assert train['modalities'] == ['flow', 'obj', 'rgb'] and test['modalities'] == ['rgb']
    sheet = cv2.imread(str(tmp_path / 'out/contact_sheet.png'))
    assert sheet.shape[1] == 4 * 324 - 4 and sheet.std() > 20


def test_a_sample_of_the_clips(check, tmp_path):
    assert check('--num', '2')[0] == 0
    loaders = json.loads((tmp_path / 'out/check.json').read_text())['loaders']
    assert {loader['num_checked'] for loader in loaders.values()} == {2}
    assert loaders['test']['num_clips'] == 8


def test_truncated_video(check, data):
    path = a_video(data)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    code, problems = check()
    assert code == 1 and problems
    assert all(f'{path} cannot be opened as a video' in line for line in problems)
    assert all(f'test, clip {path.stem}' in line for line in problems)


def test_missing_video(check, data):
    path = a_video(data)
    path.unlink()
    code, problems = check()
    assert code == 1 and all(f'is missing: {path}' in line for line in problems)


def test_truncated_jpeg_and_missing_last_flow_frame(check, data):
    clip = a_training_clip(data)
    folder = data / clip['participant_id'] / 'flow_frames' / clip['video_id']
    cut = folder / f'u/frame_{int(clip["start_frame"]):010d}.jpg'
    gone = folder / f'v/frame_{int(clip["stop_frame"]) - 1:010d}.jpg'
    cut.write_bytes(cut.read_bytes()[:-40])
    gone.unlink()
    code, problems = check()
    assert code == 1
    [of_u] = [line for line in problems if str(cut) in line]
    [of_v] = [line for line in problems if str(gone) in line]
    assert 'is cut short after' in of_u and 'is missing' in of_v
    assert all(clip['narration_id'] in line and 'flow' in line for line in (of_u, of_v))


def test_flow_of_another_length(check, data):
    clip = a_training_clip(data)
    folder = data / clip['participant_id'] / 'flow_frames' / clip['video_id']
    last = max((folder / 'u').iterdir())
    for number in range(10):
        for axis in 'uv':
            name = f'frame_{int(last.stem[6:]) + 1 + number:010d}.jpg'
            shutil.copy(folder / axis / last.name, folder / axis / name)
    code, [problem] = check()
    assert code == 1 and clip['video_id'] in problem and 'another version of the video' in problem


@pytest.mark.parametrize('width', [64, 200])
def test_detections_of_another_resolution(check, data, width):
    """Boxes run over the edge of smaller frames; larger ones have another shape."""
    clip = a_training_clip(data)
    with h5py.File(data / 'detections.h5', 'r+') as file:
        file[clip['video_id']].attrs['width'] = width
    code, problems = check()
    assert code == 1 and all(clip['video_id'] in line for line in problems)
    expected = 'are of another resolution' if width == 64 else 'another shape'
    assert any(expected in line for line in problems)


def test_labels_out_of_range(check, data):
    """Two are wrong: both are named, and the media are looked at nonetheless."""
    path = data / 'annotations/EPIC_100_train.csv'
    header, *rows = path.read_text().splitlines()
    column = header.split(',').index('noun_class')
    for number in (2, 5):
        fields = rows[number].split(',')
        fields[column] = '77'
        rows[number] = ','.join(fields)
    path.write_text('\n'.join([header, *rows]) + '\n')
    code, problems = check()
    of_train = [line for line in problems if line.startswith('PROBLEM train, labels')]
    assert code == 1 and len(of_train) == 2
    assert 'line 4' in of_train[0] and 'noun class 77' in of_train[0]


def test_annotations_that_cannot_be_read(check, data):
    (data / 'annotations/EPIC_100_validation.csv').unlink()
    code, [problem] = check()
    assert code == 1 and 'There is no annotation file' in problem
    assert 'none of its clips was looked at' in problem


def test_audio(check, data):
    """A video without a track is named; where audio is optional, it is counted."""
    silent = a_video(data)
    frames = [frame for _, frame in read_frames(silent)]
    encoder = cv2.VideoWriter(str(silent), cv2.VideoWriter_fourcc(*'mp4v'), 10, (128, 96))
    for frame in frames:
        encoder.write(frame)
    encoder.release()
    code, problems = check(config=ROOT / 'configs/unimodal/swin_ek100_audio.py')
    assert code == 1 and problems
    assert all(f'{silent} has no audio track' in line for line in problems)


@pytest.mark.slow
def test_workers_find_the_same(data, start_tool, tmp_path):
    a_video(data).unlink()
    process, log = start_tool(
        *('tools/data/check.py', CONFIG, '--workers', '2', '--out-dir', tmp_path / 'out'),
        *('--cfg-options', f'data_root={data}/'),
    )
    assert process.wait(timeout=600) == 1, log.read_text()
    problems = [line for line in log.read_text().splitlines() if line.startswith('PROBLEM')]
    assert problems and all('is missing' in line for line in problems)
