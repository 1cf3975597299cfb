"""tools/data/extract_flow.py: arguments, exit codes and one-line errors."""

import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
from programs import load_program

TOOL = Path(__file__).parents[2] / 'tools' / 'data' / 'extract_flow.py'


@pytest.fixture
def run(monkeypatch):
    """Call the tool's main with command-line arguments."""
    tool = load_program('tools/data/extract_flow.py')

    def call(*arguments) -> int:
        monkeypatch.setattr(sys, 'argv', [str(TOOL), *map(str, arguments), '--workers', '0'])
        return tool.main()

    return call


@pytest.fixture
def root(tmp_path) -> Path:
    for name in ('P01/videos/P01_101.MP4', 'P02/videos/P02_102.MP4'):
        path = tmp_path / name
        path.parent.mkdir(parents=True)
        writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*'mp4v'), 10, (64, 48))
        for _ in range(4):
            writer.write(np.full((48, 64, 3), 90, np.uint8))
        writer.release()
    return tmp_path


def arguments(root: Path, *more) -> list:
    template = f'{root}/{{participant_id}}/flow_frames/{{video_id}}'
    return ['--videos', f'{root}/*/videos/*.MP4', '--out-template', template, *more]


def test_layout_and_second_run(run, root):
    assert run(*arguments(root)) == 0
    images = sorted(root.glob('P0*/flow_frames/P0*/u/*.jpg'))
    assert len(images) == 8
    assert images[0] == root / 'P01/flow_frames/P01_101/u/frame_0000000001.jpg'
    before = images[0].stat().st_mtime_ns
    assert run(*arguments(root)) == 0
    assert images[0].stat().st_mtime_ns == before


def test_overwrite(run, root):
    run(*arguments(root))
    with pytest.raises(SystemExit, match='Choose another place'):
        run(*arguments(root, '--estimator-options', 'preset=fast'))
    assert run(*arguments(root, '--estimator-options', 'preset=fast', '--overwrite')) == 0
    settings = (root / 'P01/flow_frames/P01_101/flow.json').read_text()
    assert '"preset": "fast"' in settings


def test_summary_and_check(run, root, capsys):
    assert run(*arguments(root)) == 0
    output = capsys.readouterr().out
    assert '8 frames in ' in output and 'On disk: ' in output and '100 hours of such' in output
    assert run(*arguments(root, '--check')) == 0
    assert capsys.readouterr().out == 'Fine: 2 videos.\n'
    (root / 'P01/flow_frames/P01_101/u/frame_0000000004.jpg').unlink()
    assert run(*arguments(root, '--check')) == 1
    assert 'PROBLEM P01_101: ' in capsys.readouterr().out


def test_ranks_of_a_slurm_step(run, root, monkeypatch):
    monkeypatch.setenv('SLURM_NTASKS', '2')
    for rank in '10':
        monkeypatch.setenv('SLURM_PROCID', rank)
        assert run(*arguments(root)) == 0
        assert (root / f'P0{int(rank) + 1}/flow_frames').is_dir()
    with pytest.raises(SystemExit, match='several ranks'):
        run(*arguments(root, '--overwrite'))


def test_damaged_video_is_named_with_exit_code_1(run, root, capsys):
    video = root / 'P01/videos/P01_101.MP4'
    video.write_bytes(video.read_bytes()[:200])
    assert run(*arguments(root)) == 1
    output = capsys.readouterr().out
    assert 'FAILED P01_101: ' in output and '1 of 2 videos failed' in output
    assert len(list(root.glob('P02/flow_frames/P02_102/v/*.jpg'))) == 4


@pytest.mark.parametrize(
    ('more', 'message'),
    [
        (['--estimator', 'Rough'], 'Rough is not in'),
        (['--estimator-options', 'preset=best'], "got 'best'"),
        (['--estimator-options', 'speed=3'], 'unexpected keyword'),
        (['--videos', 'nowhere/*.MP4'], "Nothing matches 'nowhere/"),
        (['--import', 'no_such_package'], 'no_such_package'),
        (['--out-template', 'x/{kitchen}'], "placeholders that exist are.*'participant_id'"),
        (['--out-template', 'x'], 'same path'),
    ],
)
def test_one_line_errors(run, root, more, message):
    with pytest.raises(SystemExit, match=message) as error:
        run(*arguments(root, *more))
    assert str(error.value).startswith('error: ')


@pytest.mark.parametrize('bound', ['0', '-1', 'nan', 'inf'])
def test_a_bound_that_is_none(run, root, capsys, bound):
    with pytest.raises(SystemExit):
        run(*arguments(root, f'--bound={bound}'))
    assert 'argument --bound: expected a finite number > 0, got' in capsys.readouterr().err
