"""tools/data/extract_detections.py: from annotation CSVs to a file that training can read."""

import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from programs import load_program

from mmdistill.modalities.detection_file import DetectionFile
from mmdistill.models.detector import FrameDetector

ROOT = Path(__file__).parents[2]
CONFIG = ROOT / 'projects/demo/configs/detector.py'
TOOL = ROOT / 'tools' / 'data' / 'extract_detections.py'


@pytest.fixture
def run(monkeypatch):
    """Call the tool's main with command-line arguments."""
    tool = load_program('tools/data/extract_detections.py')

    def call(*arguments) -> int:
        arguments = [*map(str, arguments), '--workers', '0', '--device', 'cpu']
        monkeypatch.setattr(sys, 'argv', [str(TOOL), *arguments])
        return tool.main()

    return call


@pytest.fixture(scope='module')
def checkpoint(tmp_path_factory) -> Path:
    torch.manual_seed(0)
    path = tmp_path_factory.mktemp('detector') / 'detector.pth'
    torch.save({'state_dict': FrameDetector(CONFIG, None).model.state_dict()}, path)
    return path


@pytest.fixture
def root(tmp_path) -> Path:
    """Two videos of 10 frames with a segment each, 3 to 6 and 0 to 4."""
    (tmp_path / 'videos').mkdir()
    for name in 'ab':
        path = str(tmp_path / 'videos' / f'{name}.mp4')
        writer = cv2.VideoWriter(path, cv2.VideoWriter_fourcc(*'mp4v'), 10, (128, 96))
        for _ in range(10):
            writer.write(np.full((96, 128, 3), 90, np.uint8))
        writer.release()
    header = 'video_id,start_frame,stop_frame,action\n'
    (tmp_path / 'train.csv').write_text(f'{header}a,3,7,0\n')
    (tmp_path / 'val.csv').write_text(f'{header}b,0,5,0\n')
    return tmp_path


def arguments(root: Path, checkpoint: Path, *more) -> list:
    files = ['--ann', root / 'train.csv', root / 'val.csv', '--data-root', root]
    return [CONFIG, checkpoint, *files, '--out', root / 'd.h5', '--score-thr', '0', *more]


def test_frames_inside_segments_and_second_run(run, root, checkpoint, capsys):
    assert run(*arguments(root, checkpoint)) == 0
    file = DetectionFile(root / 'd.h5')
    assert file.load('a').frames_F.tolist() == [4, 6]
    assert file.load('b').frames_F.tolist() == [0, 2, 4]
    assert file.classes[:2] == ['hand', 'plate']
    assert file.settings['stride'] == 2
    assert not (root / 'd.h5.parts').exists()
    assert run(*arguments(root, checkpoint)) == 0
    assert 'holds all 2 videos already' in capsys.readouterr().out


def test_overwrite(run, root, checkpoint):
    run(*arguments(root, checkpoint))
    with pytest.raises(SystemExit, match='differing: stride.*another place'):
        run(*arguments(root, checkpoint, '--stride', '1'))
    assert run(*arguments(root, checkpoint, '--stride', '1', '--overwrite')) == 0
    assert DetectionFile(root / 'd.h5').load('a').frames_F.tolist() == [3, 4, 5, 6]


def test_summary_and_check(run, root, checkpoint, capsys):
    assert run(*arguments(root, checkpoint)) == 0
    output = capsys.readouterr().out
    assert '5 frames in ' in output and 'On disk: ' in output and '100 hours of such' in output
    assert run(*arguments(root, checkpoint, '--check')) == 0
    assert 'Fine: 2 videos.' in capsys.readouterr().out
    (root / 'val.csv').write_text('video_id,start_frame,stop_frame,action\nb,0,9,0\n')
    assert run(*arguments(root, checkpoint, '--check')) == 1
    assert 'PROBLEM b: ' in capsys.readouterr().out
    content = (root / 'd.h5').read_bytes()
    (root / 'd.h5').unlink()  # HDF5 knows an open file by its place on the disk
    (root / 'd.h5').write_bytes(content[:900])
    with pytest.raises(SystemExit, match='error: '):
        run(*arguments(root, checkpoint, '--check'))


def test_parts_that_a_kill_left_over_are_removed(run, root, checkpoint):
    """Killed when the file had its name, but its parts were still there."""
    run(*arguments(root, checkpoint))
    content, parts = (root / 'd.h5').read_bytes(), root / 'd.h5.parts'
    parts.mkdir()
    (parts / '.a.npz.partial').write_bytes(b'half')
    assert run(*arguments(root, checkpoint)) == 0
    assert not parts.exists() and (root / 'd.h5').read_bytes() == content


def test_damaged_video_is_named_with_exit_code_1(run, root, checkpoint, capsys):
    (root / 'videos' / 'a.mp4').write_bytes(b'no video')
    assert run(*arguments(root, checkpoint)) == 1
    assert 'FAILED a: ' in capsys.readouterr().out
    assert DetectionFile(root / 'd.h5').video_ids == ['b']


def test_whole_videos_with_features(run, root, checkpoint):
    videos = ['--videos', root / 'videos' / '*.mp4', '--roi-features', '--max-boxes', 2]
    out = ['--out', root / 'd.h5', '--score-thr', '0', '--stride', 5]
    assert run(CONFIG, checkpoint, *videos, *out) == 0
    file = DetectionFile(root / 'd.h5')
    assert file.load('b').frames_F.tolist() == [0, 5]
    assert file.read('b', [0, 5], max_boxes=2).shape == (2, 2, 6 + 64)


def test_one_line_errors(run, root, checkpoint, capsys):
    with pytest.raises(SystemExit, match=r'error: There is no checkpoint .*none\.pth'):
        run(*arguments(root, root / 'none.pth'))
    with pytest.raises(SystemExit, match='error: There is no detector config'):
        run('none.py', *arguments(root, checkpoint)[1:])
    with pytest.raises(SystemExit):
        run(*arguments(root, checkpoint, '--stride', '0'))
    assert "--stride: expected a whole number >= 1, got '0'" in capsys.readouterr().err
    (root / 'bad.pth').write_bytes(checkpoint.read_bytes()[:-2000])
    other = {'state_dict': {'backbone.stem.0.conv.weight': torch.zeros(3)}}
    torch.save(other, root / 'bad.pth')
    with pytest.raises(SystemExit, match='does not fit the detector config'):
        run(*arguments(root, root / 'bad.pth'))
