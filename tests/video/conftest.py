"""Small videos of patches of noise, others in each picture, and what a plain decode shows."""

from fractions import Fraction

import av
import numpy as np
import pytest

NUM_FRAMES = 40


def write_video(path, moments=range(NUM_FRAMES), codec='libx264', size=(64, 48), **options):
    """Pictures shown at `moments` / 30 seconds; options are the encoder's."""
    rng = np.random.default_rng(0)
    with av.open(str(path), 'w') as out:
        stream = out.add_stream(codec, rate=30, options=options)
        stream.width, stream.height = size
        stream.pix_fmt = 'yuvj420p' if codec == 'mjpeg' else 'yuv420p'
        stream.codec_context.time_base = Fraction(1, 30)
        for moment in moments:
            noise = rng.integers(0, 256, (size[1] // 8, size[0] // 8, 3))
            pixels = np.kron(noise, np.ones((8, 8, 1))).astype(np.uint8)
            frame = av.VideoFrame.from_ndarray(pixels, format='rgb24')
            frame.pts, frame.time_base = int(moment), Fraction(1, 30)
            out.mux(stream.encode(frame))
        out.mux(stream.encode())
    return path


def plain_decode(path):
    """All pictures in turn, (F, H, W, 3) RGB, as a player shows them but for their orientation."""
    with av.open(str(path)) as container:
        frames = container.decode(container.streams.best('video'))
        return np.stack([frame.to_ndarray(format='rgb24') for frame in frames])


@pytest.fixture(name='write_video', scope='session')
def _write_video():
    return write_video


@pytest.fixture(name='plain_decode', scope='session')
def _plain_decode():
    return plain_decode


@pytest.fixture(autouse=True)
def _own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv('XDG_CACHE_HOME', str(tmp_path / 'cache'))


# How the same pictures may be stored: file name, moments and options of `write_video`.
KINDS = {
    'B frames': ('clip.mp4', {}),
    'no B frames': ('clip.mp4', dict(bf='0')),
    'open groups': ('clip.mp4', {'x264-params': 'open-gop=1:keyint=12:min-keyint=12'}),
    'MPEG-4': ('clip.mp4', dict(codec='mpeg4', g='12')),
    'starts late': ('clip.mp4', dict(moments=range(7, 7 + NUM_FRAMES), g='10')),
    'uneven': ('clip.mp4', dict(moments=np.cumsum(1 + np.arange(NUM_FRAMES) % 3 // 2))),
    'AVI with B frames': ('clip.avi', dict(codec='mpeg4', g='12', bf='2')),
    'H.264 in AVI': ('clip.avi', dict(g='12')),
    'Matroska': ('clip.mkv', dict(g='12')),
    'VP8 with hidden pictures': (
        'clip.webm',
        {'codec': 'libvpx', 'auto-alt-ref': '1', 'lag-in-frames': '12', 'b': '100k', 'g': '20'},
    ),
    'program stream': ('clip.mpg', dict(codec='mpeg2video', g='12', bf='2')),
    'transport stream': ('clip.ts', dict(g='12')),
    'no times at all': ('clip.h264', dict(g='12')),
}


@pytest.fixture(scope='module', params=KINDS)
def video(request, tmp_path_factory):
    """The same 40 pictures in every container."""
    name, options = KINDS[request.param]
    return write_video(tmp_path_factory.mktemp('video') / name, **options)
