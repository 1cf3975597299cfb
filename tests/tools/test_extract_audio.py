"""tools/data/extract_audio.py: arguments, exit codes, and --check."""

import sys
from pathlib import Path

import av
import numpy as np
import pytest

from mmdistill.modalities.audio_track import probe_track
from projects.demo.rendering.video import add_sound, open_encoder

RATE = 24000


def make_video(path: Path, seconds: float, sound: bool = True) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    silent = path.with_name('silent.mp4')
    writer = open_encoder(silent, 10, (64, 48))
    for number in range(round(10 * seconds)):
        writer.write(np.full((48, 64, 3), number, np.uint8))
    writer.release()
    if not sound:
        return silent.rename(path)
    tone = 0.3 * np.sin(2 * np.pi * 440 * np.arange(round(seconds * RATE)) / RATE)
    add_sound(silent, tone, RATE, path)
    return path


@pytest.fixture
def root(tmp_path) -> Path:
    """Two videos with sound and one without."""
    make_video(tmp_path / 'P01/videos/P01_101.MP4', 2.0)
    make_video(tmp_path / 'P02/videos/P02_101.MP4', 3.0)
    make_video(tmp_path / 'P02/videos/P02_102.MP4', 1.0, sound=False)
    return tmp_path


@pytest.fixture
def run(load_tool, root, monkeypatch, capsys):
    """Run the tool in this process: exit code and output."""
    tool = load_tool('data/extract_audio.py')

    def call(*options: str) -> tuple[int, str]:
        words = ['--videos', f'{root}/*/videos/*.MP4', '--workers', '0', *options]
        if '--out-template' not in options:
            words += ['--out-template', f'{root}/{{participant_id}}/audio/{{video_id}}.flac']
        monkeypatch.setattr(sys, 'argv', ['extract_audio.py', *words])
        return tool.main(), capsys.readouterr().out

    return call


def test_files_summary_and_second_run(run, root):
    code, output = run()
    assert code == 0
    files = sorted(root.glob('P0*/audio/*.flac'))
    assert [path.stem for path in files] == ['P01_101', 'P02_101']
    assert 'No audio track: 1 videos (P02_102)' in output
    assert '50 frames in ' in output and 'hours of video per hour' in output
    assert 'for 0.001 hours of video' in output and '100 hours of such video' in output
    before = files[0].stat().st_mtime_ns
    code, output = run()
    assert code == 0 and files[0].stat().st_mtime_ns == before
    assert 'frames in' not in output and 'On disk' in output


def test_overwrite(run):
    run()
    with pytest.raises(SystemExit, match='error: .*sample_rate is 24000 there, 16000 now'):
        run('--sample-rate', '16000')
    assert run('--sample-rate', '16000', '--overwrite')[0] == 0
    assert run('--check', '--sample-rate', '16000')[0] == 0


def test_check_names_what_is_wrong(run, root):
    run()
    assert run('--check') == (0, run('--check')[1]) and 'Fine: 2 videos.' in run('--check')[1]
    one, two = sorted(root.glob('P0*/audio/*.flac'))
    one.write_bytes(one.read_bytes()[:-100])
    two.unlink()
    code, output = run('--check')
    assert code == 1
    assert f'PROBLEM P01_101: {one} has' in output and 'cut short' in output
    assert 'PROBLEM P02_101: it was not extracted' in output
    assert '2 of 2 videos are not as they should be' in output


def test_check_notices_a_video_that_was_replaced(run, root):
    run()
    make_video(root / 'P01/videos/P01_101.MP4', 4.0)
    probe_track.cache_clear()  # a user looks in another process
    code, output = run('--check')
    assert code == 1 and 'P01_101: it is stale' in output
    assert 'is of 20 frames, but' in output and 'P02_101' not in output


def test_damaged_video(run, root):
    path = root / 'P02/videos/P02_101.MP4'
    path.write_bytes(path.read_bytes()[:300])
    code, output = run()
    assert code == 1 and 'FAILED P02_101: ' in output and '1 of 2 videos failed' in output


def test_shares_of_a_slurm_array(run, root, monkeypatch):
    for number in '01':
        monkeypatch.setenv('SLURM_ARRAY_TASK_ID', number)
        monkeypatch.setenv('SLURM_ARRAY_TASK_COUNT', '2')
        code, output = run()
        assert code == 0 and f'share {int(number) + 1} of 2' in output
        assert len(list(root.glob('P0*/audio/*.flac'))) == int(number) + 1
    monkeypatch.setenv('SLURM_ARRAY_TASK_ID', '2')
    with pytest.raises(SystemExit, match='error: Job 2 of a Slurm array of 2'):
        run()


def test_bad_template(run, root, capsys):
    with pytest.raises(SystemExit, match='same path'):
        run('--out-template', f'{root}/audio.flac')
    with pytest.raises(SystemExit):
        run('--out-template', f'{root}/{{video_id}}.wav')
    assert 'must end with .flac' in capsys.readouterr().err


def test_channels_that_cancel_each_other_are_named(run, root):
    """In the run, when it is looked at, and in the file itself, where training reads it."""
    path = root / 'P01/videos/P01_101.MP4'
    source = path.with_name('P01_100.mkv')
    tone = np.rint(10_000 * np.sin(np.arange(2 * RATE) / 10)).astype(np.int16)
    with av.open(str(source), 'w') as out:
        stream = out.add_stream('pcm_s16le', rate=RATE, layout='stereo')
        both = np.stack([tone, -tone], axis=1).reshape(1, -1)
        frame = av.AudioFrame.from_ndarray(both, format='s16', layout='stereo')
        frame.sample_rate, frame.pts = RATE, 0
        out.mux([*stream.encode(frame), *stream.encode(None)])
    arguments = ('--videos', str(path), str(source), '--out-template', f'{root}/{{video_id}}.flac')
    for more in ((), ('--check',)):
        code, out = run(*arguments, *more)
        [warning] = [line for line in out.splitlines() if line.startswith('warning: ')]
        assert code == 0 and str(source) in warning and 'cancel each other' in warning
    assert probe_track(root / 'P01_100.flac').cancelled
    assert not probe_track(root / 'P01_101.flac').cancelled
