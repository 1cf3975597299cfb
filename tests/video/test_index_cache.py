"""An index is made once per file, on disk too, and never of another file."""

import warnings

import av
import numpy as np
import pytest

from mmdistill.video import index_cache, index_video, read_clip
from mmdistill.video.index import VideoIndex


@pytest.fixture
def scans(monkeypatch):
    """The paths that were walked through; the memory is empty."""
    done, scan = [], index_cache.scan_video
    monkeypatch.setattr(index_cache, '_in_memory', index_cache._Memory())
    monkeypatch.setattr(
        index_cache, 'scan_video', lambda path, decode: done.append(path) or scan(path, decode)
    )
    return done


def forget():
    index_cache._in_memory = index_cache._Memory()


def test_once_per_file(tmp_path, write_video, scans):
    path = write_video(tmp_path / 'clip.avi', codec='mpeg4')
    first = index_video(path)
    assert index_video(path) is first and len(scans) == 1
    forget()
    again = index_video(path)
    assert len(scans) == 1
    for name in VideoIndex.__dataclass_fields__:
        one, other = getattr(first, name), getattr(again, name)
        assert type(one) is type(other)
        np.testing.assert_array_equal(one, other)


def test_another_file_of_the_same_name(tmp_path, write_video, scans):
    path = write_video(tmp_path / 'clip.avi', codec='mpeg4')
    assert index_video(path).num_frames == 40
    write_video(path, range(12), codec='mpeg4')
    assert index_video(path).num_frames == 12 and len(scans) == 2


@pytest.mark.parametrize('content', [b'', b'no zip file', None])
def test_a_damaged_or_unwritable_cache_costs_time_only(tmp_path, write_video, scans, content):
    path = write_video(tmp_path / 'clip.avi', codec='mpeg4')
    index_video(path)
    (kept,) = (tmp_path / 'cache').rglob('*.npz')
    if content is None:
        kept.unlink()
        kept.mkdir()
    else:
        kept.write_bytes(content)
    forget()
    assert index_video(path).num_frames == 40 and len(scans) == 2


def test_memory_is_bounded(tmp_path, write_video, scans, monkeypatch):
    monkeypatch.setattr(index_cache, 'FRAMES_IN_MEMORY', 9)
    paths = [write_video(tmp_path / f'{i}.mp4', range(4)) for i in range(3)]
    for path in paths:
        index_video(path)
    assert [key[0] for key in index_cache._in_memory] == [str(path) for path in paths[1:]]
    long = write_video(tmp_path / 'long.mp4', range(40))
    assert index_video(long).num_frames == 40 and len(index_cache._in_memory) == 1
    assert index_video(long) is index_video(long)


def test_an_index_of_another_ffmpeg_is_made_again(tmp_path, write_video, scans, monkeypatch):
    path = write_video(tmp_path / 'clip.avi', codec='mpeg4')
    index_video(path)
    forget()
    monkeypatch.setattr(index_cache, 'VERSION', (1, '0.0'))
    index_video(path)
    assert len(scans) == 2


def test_a_choice_of_streams_is_told_once(tmp_path, write_video, plain_decode, scans):
    """The stream with the default flag is read, whichever comes first."""
    path, sources = tmp_path / 'two.mkv', []
    for codec, size in (('mpeg4', (32, 24)), ('libx264', (64, 48))):
        source = write_video(tmp_path / f'{codec}.mp4', range(12), codec=codec, size=size)
        sources.append(av.open(str(source)))
    with av.open(str(path), 'w') as out:
        tracks = [out.add_stream_from_template(source.streams.video[0]) for source in sources]
        tracks[0].disposition = 0
        tracks[1].disposition = av.stream.Disposition.default
        for source, track in zip(sources, tracks, strict=True):
            for packet in source.demux(video=0):
                if packet.dts is not None:
                    packet.stream = track
                    out.mux(packet)
            source.close()
    with pytest.warns(UserWarning, match=r'two\.mkv holds 2 video streams; the default'):
        index = index_video(path)
    assert index.size == (64, 48)
    with warnings.catch_warnings():
        warnings.simplefilter('error')
        found = read_clip(path, np.array([3]))
    np.testing.assert_array_equal(found, plain_decode(tmp_path / 'libx264.mp4')[[3]])
