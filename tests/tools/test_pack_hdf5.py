"""The packer: what it writes reads back through the modalities, and a kill loses nothing."""

import cv2
import h5py
import numpy as np
import pytest

from mmdistill.extraction import frame_packing
from mmdistill.locks import output_lock
from mmdistill.modalities import FlowModality, RGBModality


@pytest.fixture
def data(tmp_path):
    """Two videos as folders of frames and of flow, three frames each."""
    rng = np.random.default_rng(0)
    for video in ('P01_101', 'P01_102'):
        for folder in ('frames', 'flow'):
            for axis in 'uv' if folder == 'flow' else ['']:
                path = tmp_path / folder / video / axis
                path.mkdir(parents=True)
                shape = (12, 16) if axis else (12, 16, 3)
                for number in (1, 2, 3):
                    image = rng.integers(0, 256, shape, dtype=np.uint8)
                    cv2.imwrite(str(path / f'frame_{number:010d}.jpg'), image)
    return tmp_path


@pytest.fixture
def pack(load_tool, data):
    def run(*words):
        return load_tool('data/pack_hdf5.py').main([*words, '--out', str(data / 'out.h5')])

    return run


def record(path, source, **more):
    return dict(sample_id='n1', video_id='P01_102', start_frame=0, media={source: str(path)}) | more


def same(modality, source, packed, folder, inds=(2, 0, 1), first=0):
    inds = np.array(inds)
    found = modality.read(record(packed, source, start_frame=first), inds)
    np.testing.assert_array_equal(found, modality.read(record(folder, source), inds))


def test_frames_and_flow_come_back(data, pack):
    pack('--folders', str(data / 'frames/*'))
    same(RGBModality(), 'rgb', data / 'out.h5', data / 'frames/P01_102')
    assert sorted(p.name for p in data.iterdir()) == ['flow', 'frames', 'out.h5']
    (data / 'out.h5').unlink()
    pack('--flow', str(data / 'flow/*'))
    same(FlowModality(channels=3), 'flow', data / 'out.h5', data / 'flow/P01_102')


def test_segments_are_narrations_of_a_video(data, pack):
    csv = data / 'ann.csv'
    csv.write_text('narration_id,video_id,start_frame,stop_frame\nn1,P01_102,2,3\n')
    pack('--folders', str(data / 'frames/*'), '--segments', str(csv))
    with h5py.File(data / 'out.h5') as file:
        assert list(file['P01_102']) == ['n1'] and len(file['P01_102/n1']) == 2
    same(RGBModality(), 'rgb', data / 'out.h5', data / 'frames/P01_102', (1, 2), first=1)


@pytest.mark.parametrize(('video', 'expected'), [('P01_101', [2, 3]), ('P01_02', [1, 2])])
def test_flow_of_segments(data, pack, video, expected):
    """An image pair per RGB frame; in EPIC-KITCHENS-55, flow image k is that of 2 k - 1 and 2 k."""
    (data / 'flow/P01_102').rename(data / 'flow/P01_02')
    csv = data / 'ann.csv'
    csv.write_text(f'narration_id,video_id,start_frame,stop_frame\nn1,{video},2,3\n')
    pack('--flow', str(data / 'flow/*'), '--segments', str(csv))
    with h5py.File(data / 'out.h5') as file:
        stored = [content.tobytes() for content in file[f'{video}/n1']]
    names = [f'{axis}/frame_{k:010d}.jpg' for k in expected for axis in 'uv']
    assert stored == [(data / 'flow' / video / name).read_bytes() for name in names]


def test_videos(data, pack):
    path = data / 'P01_102.mp4'
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*'mp4v'), 12, (64, 48))
    for level in (40, 120, 200):
        writer.write(np.full((48, 64, 3), level, np.uint8))
    writer.release()
    pack('--videos', str(data / '*.mp4'))
    frames = RGBModality().read(record(data / 'out.h5', 'rgb'), np.arange(3))
    assert frames.mean(axis=(1, 2, 3)) == pytest.approx([40, 120, 200], abs=3)


def test_a_killed_run_continues(data, pack, monkeypatch, capsys):
    original = frame_packing._write_part

    def die_at_the_second(name, images, part):
        if name == 'P01_102':
            part.with_suffix('.partial').write_bytes(b'half')
            raise KeyboardInterrupt
        original(name, images, part)

    monkeypatch.setattr(frame_packing, '_write_part', die_at_the_second)
    with pytest.raises(KeyboardInterrupt):
        pack('--folders', str(data / 'frames/*'))
    assert not (data / 'out.h5').exists()
    monkeypatch.undo()
    capsys.readouterr()
    pack('--folders', str(data / 'frames/*'))
    assert 'P01_101' not in capsys.readouterr().out  # it was there
    same(RGBModality(), 'rgb', data / 'out.h5', data / 'frames/P01_102')
    assert not (data / 'out.h5.parts').exists()


def test_a_kill_while_the_file_is_joined_leaves_no_file(data, pack, monkeypatch):
    def die(*_):
        raise KeyboardInterrupt

    original = frame_packing._verify
    monkeypatch.setattr(
        frame_packing, '_verify', lambda p, n: die() if 'out' in p.name else original(p, n)
    )
    with pytest.raises(KeyboardInterrupt):
        pack('--folders', str(data / 'frames/*'))
    assert not (data / 'out.h5').exists()
    monkeypatch.undo()
    pack('--folders', str(data / 'frames/*'))
    same(RGBModality(), 'rgb', data / 'out.h5', data / 'frames/P01_102')


def test_parts_that_a_kill_left_over_are_removed(data, pack, monkeypatch, capsys):
    """Killed when the file had its name, but its parts were still there."""
    monkeypatch.setattr(frame_packing, '_remove_parts', lambda path: None)
    pack('--folders', str(data / 'frames/*'))
    monkeypatch.undo()
    content = (data / 'out.h5').read_bytes()
    assert (data / 'out.h5.parts').exists()
    pack('--folders', str(data / 'frames/*'))
    assert '2 clips' in capsys.readouterr().out and not (data / 'out.h5.parts').exists()
    assert (data / 'out.h5').read_bytes() == content


def test_what_reads_back_otherwise_is_refused(data, pack, monkeypatch):
    digests = iter('ab')
    monkeypatch.setattr(frame_packing, '_digest', lambda _: next(digests))
    with pytest.raises(SystemExit, match='reads back otherwise'):
        pack('--folders', str(data / 'frames/*'))
    assert not (data / 'out.h5').exists()


def test_videos_of_a_csv_have_its_names(data, pack):
    """An id with a folder is a group in the file, and the data set's record finds it."""
    (data / 'flow/Step_1').mkdir()
    (data / 'flow/P01_102').rename(data / 'flow/Step_1/P01_102')
    (data / 'ann.csv').write_text('video_id,start_frame,stop_frame\nStep_1/P01_102,0,3\n')
    ann = ['--ann', str(data / 'ann.csv'), '--data-root', str(data)]
    pack('--flow', *ann, '--media', 'flow/{video_id}')
    video_id = 'Step_1/P01_102'
    found, expected = (
        FlowModality().read(record(data / path, 'flow', video_id=video_id), np.arange(3))
        for path in ('out.h5', f'flow/{video_id}')
    )
    np.testing.assert_array_equal(found, expected)


class TestBadInput:
    def test_the_file_is_there(self, data, pack):
        (data / 'out.h5').touch()
        with pytest.raises(SystemExit, match='is there already'):
            pack('--folders', str(data / 'frames/*'))

    def test_other_settings(self, data, pack):
        (data / 'out.h5.parts').mkdir()
        (data / 'out.h5.parts/settings.json').write_text('{"quality": 50}')
        with pytest.raises(SystemExit, match='was begun with'):
            pack('--folders', str(data / 'frames/*'))

    def test_flow_that_is_not_complete(self, data, pack, capsys):
        """The other clip is packed, and the file appears when the bad one has been repaired."""
        image = data / 'flow/P01_101/v/frame_0000000003.jpg'
        content = image.read_bytes()
        image.unlink()
        assert pack('--flow', str(data / 'flow/*')) == 1
        printed = capsys.readouterr().out
        assert 'FAILED P01_101: ' in printed and '3 images in u and 2 in v' in printed
        assert '1 of 2 clips failed' in printed and 'out.h5.parts' in printed
        assert not (data / 'out.h5').exists()
        image.write_bytes(content)
        assert pack('--flow', str(data / 'flow/*')) == 0
        assert 'P01_102' not in capsys.readouterr().out  # it was there
        same(FlowModality(channels=3), 'flow', data / 'out.h5', data / 'flow/P01_102')
        assert not (data / 'out.h5.parts').exists()

    def test_nothing_but_bad_clips_leaves_nothing(self, data, pack):
        for image in data.glob('flow/*/v/frame_0000000003.jpg'):
            image.unlink()
        assert pack('--flow', str(data / 'flow/*')) == 1
        assert sorted(path.name for path in data.iterdir()) == ['flow', 'frames']

    def test_a_folder_of_parts_that_holds_something_else(self, data, pack):
        (data / 'out.h5.parts').mkdir()
        (data / 'out.h5.parts/notes.txt').write_text('mine')
        with pytest.raises(SystemExit, match=r'out\.h5\.parts is not replaced.*holds notes\.txt'):
            pack('--folders', str(data / 'frames/*'))
        assert (data / 'out.h5.parts/notes.txt').read_text() == 'mine'

    def test_parts_that_are_not_in_the_file_are_kept(self, data, pack, monkeypatch):
        monkeypatch.setattr(frame_packing, '_remove_parts', lambda path: None)
        pack('--folders', str(data / 'frames/*'))
        monkeypatch.undo()
        with h5py.File(data / 'out.h5', 'w') as file:
            file['P01_101'] = 1
        with pytest.raises(SystemExit, match='is there already; move it away'):
            pack('--folders', str(data / 'frames/*'))
        assert len(list((data / 'out.h5.parts').glob('*.h5'))) == 2

    def test_another_run_packs_the_same_file(self, data, pack):
        message = r'Another run still works in .*out\.h5: `python '
        with output_lock(data / 'out.h5'), pytest.raises(SystemExit, match=message):
            pack('--folders', str(data / 'frames/*'))

    def test_a_frame_that_is_missing(self, data, pack, capsys):
        csv = data / 'ann.csv'
        csv.write_text('narration_id,video_id,start_frame,stop_frame\nn1,P01_102,1,9\n')
        assert pack('--folders', str(data / 'frames/*'), '--segments', str(csv)) == 1
        assert 'frame_0000000004.jpg is missing' in capsys.readouterr().out

    def test_a_folder_that_is_missing_is_told_before_anything_is_packed(self, data, pack):
        csv = data / 'ann.csv'
        rows = 'n1,P01_102,1,2\nn2,P09_109,1,2\n'
        csv.write_text(f'narration_id,video_id,start_frame,stop_frame\n{rows}')
        with pytest.raises(SystemExit, match=r'ann\.csv.*no folder of its video among the 2'):
            pack('--folders', str(data / 'frames/*'), '--segments', str(csv))
        assert not (data / 'out.h5.parts').exists()

    def test_nothing_found(self, data, pack):
        with pytest.raises(SystemExit, match="Nothing matches '.*gone"):
            pack('--folders', str(data / 'gone/*'))
        with pytest.raises(SystemExit, match='no clips were found'):
            pack('--folders', str(data / 'flow/*/*/*.jpg'))
        assert not (data / 'out.h5').exists()

    def test_names_that_do_not_go_together(self, data, pack):
        with pytest.raises(SystemExit, match="both called 'P01_101'"):
            pack('--folders', str(data / '*/P01_101'))
        csv = data / 'ann.csv'
        csv.write_text('video_id,start_frame,stop_frame\na,0,2\na/b,0,2\n')
        with pytest.raises(SystemExit, match="'a/b' would lie inside 'a'"):
            pack('--flow', '--ann', str(csv), '--media', 'flow/{video_id}')

    @pytest.mark.parametrize(
        ('words', 'message'),
        [
            (['--videos'], 'give files or patterns, or --ann and none'),
            (['--flow', 'x', '--ann', 'a.csv'], 'give files or patterns, or --ann and none'),
            (['--flow', '--ann', 'a.csv'], "needs --media, for example 'flow/{video_id}'"),
            (['--folders', '--ann', 'a.csv', '--media', 'x', '--segments', 'b.csv'], '--segments'),
        ],
    )
    def test_flags_that_do_not_go_together(self, pack, capsys, words, message):
        with pytest.raises(SystemExit):
            pack(*words)
        assert message in capsys.readouterr().err

    def test_segments_of_videos(self, data, pack, capsys):
        with pytest.raises(SystemExit):
            pack('--videos', str(data / '*.mp4'), '--segments', 'a.csv')
        assert '--segments needs --folders or --flow' in capsys.readouterr().err
