"""An annotated copy: every picture at its time, the sound kept, the panel below."""

import resource
import signal
from fractions import Fraction

import av
import numpy as np
import pytest
from miniature_media import write_video

from mmdistill.deploy import Segment
from mmdistill.deploy.annotated_video import Panel, write_annotated
from mmdistill.video import index_video, read_clip

from .conftest import pictures

SEGMENTS = [Segment('v', 0, 1.2, 'push cup', 0.9), Segment('v', 1.2, 2.8, 'lift pan', 0.4)]


def test_pictures_times_and_sound_are_kept(video, tmp_path):
    out = tmp_path / 'annotated.mp4'
    write_annotated(video, SEGMENTS, out)
    before, after = index_video(video), index_video(out)
    assert after.num_frames == before.num_frames == 70
    np.testing.assert_allclose(after.times_F, before.times_F - before.times_F[0], atol=1e-4)
    with av.open(str(video)) as source, av.open(str(out)) as copy:
        sizes = [
            [packet.size for packet in container.demux(audio=0) if packet.size]
            for container in (source, copy)
        ]
        # What an AAC decoder drops at the beginning is left out.
        assert sizes[1] == sizes[0][-len(sizes[1]) :] and len(sizes[0]) - len(sizes[1]) <= 1
    width, height = before.size
    frames = [read_clip(path, np.array([10, 50])) for path in (video, out)]
    assert frames[1].shape[1] > height
    difference = np.abs(frames[0].astype(float) - frames[1][:, :height, :width])
    assert difference.mean() < 12  # encoded anew, else untouched
    strips = frames[1][:, height:].astype(float)
    assert np.abs(strips[0] - strips[1]).max() > 60
    assert [path.name for path in tmp_path.iterdir()] == ['annotated.mp4']


def test_odd_sizes_and_no_sound(tmp_path):
    source = tmp_path / 'odd.mkv'
    with av.open(str(source), 'w') as container:
        stream = container.add_stream('mpeg4', rate=Fraction(30000, 1001))
        stream.width, stream.height, stream.pix_fmt = 63, 47, 'yuv420p'
        for picture in pictures(5, 48, 64)[:, :47, :63]:
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(picture), 'rgb24')
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    write_annotated(source, SEGMENTS[:1], tmp_path / 'out.mp4')
    found = index_video(tmp_path / 'out.mp4')
    assert found.num_frames == 5 and all(side % 2 == 0 for side in found.size)


def test_sound_that_mp4_lacks_is_encoded_again(tmp_path):
    source = tmp_path / 'a.mkv'
    write_video(tmp_path / 'a.mp4', pictures(25), Fraction(25), tone=440.0)
    with av.open(str(tmp_path / 'a.mp4')) as old, av.open(str(source), 'w') as new:
        seen = new.add_stream_from_template(old.streams.video[0])
        heard = new.add_stream('pcm_s16le', rate=24_000)
        for packet in old.demux(video=0):
            if packet.dts is not None:
                packet.stream = seen
                new.mux(packet)
        old.seek(0)
        for frame in old.decode(audio=0):
            new.mux(heard.encode(frame))
        new.mux(heard.encode(None))
    write_annotated(source, SEGMENTS[:1], tmp_path / 'out.mp4')
    with av.open(str(tmp_path / 'out.mp4')) as found:
        assert found.streams.audio[0].codec_context.name == 'aac'
        samples = sum(frame.samples for frame in found.decode(audio=0))
        assert samples == pytest.approx(24_000, rel=0.1)


def test_a_moment_has_one_segment():
    panel = Panel(SEGMENTS, 320)
    assert [panel.at(t).label for t in (0.0, 1.19, 1.2, 9.0)] == ['push cup'] * 2 + ['lift pan'] * 2


def test_nothing_to_draw_and_no_place(video, tmp_path):
    with pytest.raises(ValueError, match='no segments'):
        write_annotated(video, [], tmp_path / 'out.mp4')
    (tmp_path / 'file').touch()
    with pytest.raises(OSError, match='file'):
        write_annotated(video, SEGMENTS, tmp_path / 'file/out.mp4')


def test_a_place_that_is_full_is_named_and_nothing_is_left(tmp_path):
    noise = np.random.default_rng(0).integers(0, 256, (100, 96, 128, 3), dtype=np.uint8)
    write_video(tmp_path / 'noise.mp4', noise, Fraction(25))
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, limits[1]))
    try:
        with pytest.raises(OSError, match=r'out\.mp4 could not be written'):
            write_annotated(tmp_path / 'noise.mp4', SEGMENTS, tmp_path / 'out.mp4')
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, handler)
    assert [path.name for path in tmp_path.iterdir()] == ['noise.mp4']
