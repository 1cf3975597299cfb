"""The picture that is asked for comes, from any container, and an error where it cannot."""

import cv2
import numpy as np
import pytest

from mmdistill.video import (
    VideoError,
    index_cache,
    index_video,
    read_clip,
    read_clip_by_decord,
    read_frames,
    reader,
)

INDS = [[0], [39], [17, 18, 23], [*range(0, 40, 3)], [14, 15, 16, 31], [2, 38]]
READERS = [read_clip, read_clip_by_decord]


@pytest.mark.parametrize('num_threads', [1, 2])
def test_the_pictures_are_those_of_a_plain_decode(video, plain_decode, num_threads):
    expected = plain_decode(video)
    assert len(expected) == 40
    for inds in INDS:
        found = read_clip(video, np.array(inds), num_threads)
        assert found.shape == (len(inds), 48, 64, 3) and found.dtype == np.uint8
        np.testing.assert_array_equal(found, expected[inds])


def test_decord_reads_the_same_or_refuses(video):
    inds = np.array([5, 20, 39])
    if video.suffix in ('.mp4', '.mkv', '.webm'):
        np.testing.assert_array_equal(read_clip_by_decord(video, inds), read_clip(video, inds))
        return
    with pytest.raises(VideoError, match="leave out reader='decord'"):
        read_clip_by_decord(video, inds)


def test_one_after_the_other(video, plain_decode):
    expected = plain_decode(video)
    numbers, pictures = zip(*read_frames(video), strict=True)
    assert numbers == tuple(range(40))
    np.testing.assert_array_equal(np.stack(pictures)[..., ::-1], expected)
    assert [number for number, _ in read_frames(video, np.array([0, 3, 7]))] == [0, 3, 7]
    assert list(read_frames(video, [])) == []


def test_pictures_are_those_of_opencv(tmp_path, write_video):
    """Flow and boxes that were extracted by OpenCV stay valid to the last bit."""
    path = write_video(tmp_path / 'clip.mp4', codec='mpeg4', bf='0')
    capture = cv2.VideoCapture(str(path))
    for _, frame in read_frames(path):
        np.testing.assert_array_equal(frame, capture.read()[1])


def test_far_apart_pictures_are_sought(tmp_path, write_video, monkeypatch):
    """What lies between two pictures is not decoded if a key frame stands before the second."""
    path = write_video(tmp_path / 'clip.mp4', range(400), g='10', bf='0')
    looked_up = []
    position = type(index_video(path)).position
    monkeypatch.setattr(
        type(index_video(path)),
        'position',
        lambda self, stamp: looked_up.append(stamp) or position(self, stamp),
    )
    read_clip(path, np.array([3, 395]))
    assert len(looked_up) < 20


def test_a_container_that_seeks_badly(tmp_path, write_video, plain_decode, monkeypatch):
    """Another place than asked for is noticed, and the file decoded from its beginning."""
    path = write_video(tmp_path / 'clip.mp4', range(100), g='10', bf='0')
    original = reader._packets
    misled = []

    def packets(video, index, key):
        if key != reader.BEGINNING:
            misled.append(key)
            key = min(key + 2, len(index.keys_K) - 1)
        return original(video, index, key)

    monkeypatch.setattr(reader, '_packets', packets)
    np.testing.assert_array_equal(read_clip(path, np.array([35])), plain_decode(path)[[35]])
    assert misled


@pytest.mark.parametrize('codec', ['mpeg4', 'libx264', 'mpeg2video'])
def test_every_picture_is_called_a_key_frame(tmp_path, write_video, plain_decode, codec):
    """An MP4 without a table of key frames; decoders begin at any picture without complaint."""
    path = write_video(tmp_path / 'clip.mp4', codec=codec, g='12')
    path.write_bytes(path.read_bytes().replace(b'stss', b'free'))
    expected = plain_decode(path)
    for number in range(0, 40, 3):
        np.testing.assert_array_equal(read_clip(path, np.array([number])), expected[[number]])


@pytest.mark.parametrize(
    'name', ['clip:1.mp4', 'a%03d.mp4', '-x.mp4', 'a [b]?*.mp4', 'é\udcff.mp4']
)
def test_names_that_mean_something_to_ffmpeg(tmp_path, write_video, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    write_video(tmp_path / 'clip.mp4').rename(name)
    assert read_clip(name, np.array([5])).shape == (1, 48, 64, 3)


def test_an_index_that_the_pictures_deny(tmp_path, write_video, plain_decode, monkeypatch):
    """Packets that are no pictures of their own: the index is made anew by decoding."""
    path = write_video(tmp_path / 'clip.mp4', range(0, 80, 2), g='10', bf='0')
    index = index_video(path)
    step = index.ticks_F[1] - index.ticks_F[0]
    wrong = np.sort(np.concatenate([index.stamps_F, index.stamps_F[:5] + step // 2]))
    values = vars(index) | dict(stamps_F=wrong, ticks_F=wrong)
    values = {name: values[name] for name in type(index).__dataclass_fields__}
    for key in list(index_cache._in_memory):
        if key[0] == str(path):
            monkeypatch.setitem(index_cache._in_memory, key, type(index)(**values))
    assert index_video(path).num_frames == 45
    np.testing.assert_array_equal(read_clip(path, np.array([2, 3])), plain_decode(path)[[2, 3]])
    assert index_video(path).num_frames == 40


@pytest.mark.parametrize('read', READERS)
class TestBadInput:
    def test_beyond_the_end(self, tmp_path, write_video, read):
        path = write_video(tmp_path / 'clip.mp4')
        with pytest.raises(VideoError, match=r'clip\.mp4 has only 40 frames, but frame 40'):
            read(path, np.array([3, 40]))

    def test_no_video(self, tmp_path, read):
        (tmp_path / 'clip.mp4').write_bytes(b'no video at all')
        with pytest.raises(VideoError, match=r'clip\.mp4 cannot be opened as a video'):
            read(tmp_path / 'clip.mp4', np.array([0]))

    def test_no_file(self, tmp_path, read):
        with pytest.raises(VideoError, match=r'There is no video .*none\.mp4'):
            read(tmp_path / 'none.mp4', np.array([0]))

    def test_a_folder(self, tmp_path, read):
        with pytest.raises(VideoError, match='There is no video'):
            read(tmp_path, np.array([0]))


@pytest.mark.parametrize('name', ['clip.mp4', 'clip.ts'])
def test_damage_is_named_where_it_is_and_elsewhere_read(tmp_path, write_video, plain_decode, name):
    path = write_video(tmp_path / name, range(60), g='10', bf='0', qp='10')
    expected, data = plain_decode(path), bytearray(path.read_bytes())
    middle = len(data) // 2
    data[middle : middle + 1500] = bytes(1500)
    path.write_bytes(data)
    np.testing.assert_array_equal(read_clip(path, np.array([0, 9])), expected[[0, 9]])
    with pytest.raises(VideoError, match=r'(has only \d+ frames|cannot be decoded at frame)'):
        list(read_frames(path, range(60)))


@pytest.mark.parametrize('name', ['clip.avi', 'clip.mkv', 'clip.mp4'])
def test_all_pictures_of_a_truncated_file(tmp_path, write_video, name):
    path = write_video(tmp_path / name, range(60), codec='mjpeg' if 'avi' in name else 'libx264')
    data = path.read_bytes()
    path.write_bytes(data[: len(data) // 2])
    with pytest.raises(VideoError, match=r'(ends after \d+ frames: .*truncated|cannot be opened)'):
        list(read_frames(path))
