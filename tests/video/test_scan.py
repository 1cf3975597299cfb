"""The index of a file: how many pictures are shown, when, and which of the ways told it."""

from fractions import Fraction

import av
import numpy as np
import pytest

from mmdistill.video import VideoError
from mmdistill.video.scan import _is_hidden, scan_video


def test_every_container_shows_the_same_pictures(video):
    index = scan_video(video)
    assert index.num_frames == 40 and not index.damage
    assert index.size == (64, 48) and index.turn.degrees == 0 and index.num_streams == 1
    np.testing.assert_array_equal(scan_video(video, decode=True).times_F, index.times_F)


def test_only_packets_that_tell_are_believed(video):
    told = video.suffix in ('.mkv', '.webm') or (video.suffix == '.mp4' and _codec(video) == 'h264')
    assert scan_video(video).decoded is not told


def _codec(path):
    with av.open(str(path)) as container:
        return container.streams.video[0].codec_context.name


def test_pictures_are_shown_at_their_own_times(tmp_path, write_video):
    moments = np.array([0, 1, 2, 10, 11, 40, 41, 44])
    for name in ('clip.mp4', 'clip.mkv'):
        index = scan_video(write_video(tmp_path / name, moments))
        np.testing.assert_allclose(index.times_F, moments / 30, atol=1e-3)
        assert not index.constant_rate
        assert index.frame_at(9.9 / 30) == 2 and index.frame_at(10 / 30) == 3
        assert index.frame_at(-1) == 0 and index.frame_at(99) == 7
    late = scan_video(write_video(tmp_path / 'late.mp4', moments + 15))
    np.testing.assert_allclose(late.times_F, moments / 30, atol=1e-3)
    assert late.origin == pytest.approx(0.5)


def test_length_and_rate(tmp_path, write_video):
    index = scan_video(write_video(tmp_path / 'clip.mkv', range(90)))
    assert index.seconds == pytest.approx(3, abs=2e-3) and index.constant_rate
    assert index.frames_per_second == pytest.approx(30, abs=0.02)
    one = scan_video(write_video(tmp_path / 'one.mp4', [0]))
    assert one.num_frames == 1 and one.seconds == pytest.approx(1 / 30)
    np.testing.assert_allclose(one.frame_times.at(np.array([0.0, 1.0])), [0, 1 / 30])


def test_positions_between_pictures(tmp_path, write_video):
    index = scan_video(write_video(tmp_path / 'clip.mp4', [0, 1, 4]))
    np.testing.assert_allclose(index.frame_times.at(np.array([0.5, 1.5])), [0.5 / 30, 2.5 / 30])
    after = index.frame_times.at(np.array([3.0]))[0] - index.times_F[-1]
    assert after == pytest.approx(1 / index.frames_per_second)


def test_sound_that_outlasts_the_pictures(tmp_path, write_video, write_sound):
    silent = write_video(tmp_path / 'silent.mp4', range(30))
    path = write_sound(tmp_path / 'long.mp4', np.zeros(5 * 24000, np.float32), 24000, silent)
    assert scan_video(path).num_frames == 30


def test_cover_art_is_not_the_video(tmp_path, write_video):
    path = tmp_path / 'cover.mp4'
    with av.open(str(path), 'w') as out, av.open(str(write_video(tmp_path / 'v.mp4'))) as source:
        cover = out.add_stream('mjpeg')
        cover.width, cover.height, cover.pix_fmt = 32, 32, 'yuvj420p'
        cover.disposition = av.stream.Disposition.attached_pic
        track = out.add_stream_from_template(source.streams.video[0])
        picture = av.VideoFrame.from_ndarray(np.zeros((32, 32, 3), np.uint8), format='rgb24')
        picture.pts, picture.time_base = 0, Fraction(1, 30)
        packets = [*cover.encode(picture), *cover.encode()]
        for packet in source.demux(video=0):
            if packet.dts is not None:
                packet.stream = track
                packets.append(packet)
        out.mux(packets)
    index = scan_video(path)
    assert (index.num_frames, index.size, index.num_streams) == (40, (64, 48), 1)


def test_hidden_pictures_of_vp8_and_vp9(tmp_path, write_video):
    """What the bits say agrees with what a decoder shows, packet by packet."""
    options = {'auto-alt-ref': '1', 'lag-in-frames': '16', 'b': '100k', 'g': '40'}
    for codec in ('libvpx', 'libvpx-vp9'):
        path = write_video(tmp_path / f'{codec}.webm', codec=codec, **options)
        with av.open(str(path)) as container:
            stream = container.streams.video[0]
            name = stream.codec_context.codec.canonical_name
            for packet in container.demux(stream):
                if packet.size:
                    assert bool(packet.decode()) is not _is_hidden(packet, name)


def test_an_image_or_text_is_no_video(tmp_path):
    from PIL import Image

    Image.new('RGB', (64, 48)).save(tmp_path / 'a.png')
    (tmp_path / 'a.png').rename(tmp_path / 'picture.mp4')
    (tmp_path / 'text.mp4').write_text('1,2,3\n' * 100)
    (tmp_path / 'empty.mp4').touch()
    with pytest.raises(VideoError, match=r'picture\.mp4 is a single image'):
        scan_video(tmp_path / 'picture.mp4')
    with pytest.raises(VideoError, match=r'empty\.mp4 cannot be opened as a video'):
        scan_video(tmp_path / 'empty.mp4')
    with pytest.raises(VideoError, match=r'text\.mp4 (cannot be opened|is a text file)'):
        scan_video(tmp_path / 'text.mp4')


def test_only_sound(tmp_path, write_sound):
    path = write_sound(tmp_path / 'sound.mp4', np.zeros(24000, np.float32), 24000)
    with pytest.raises(VideoError, match=r'sound\.mp4 has no video stream'):
        scan_video(path)
