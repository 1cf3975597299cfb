"""An index is made once per file, on disk too, and never of another file."""

import numpy as np
import pytest

from mmdistill.video import index_cache, index_video
from mmdistill.video.index import VideoIndex


@pytest.fixture
def scans(monkeypatch):
    """The paths that were walked through; the memory is empty."""
    done, scan = [], index_cache.scan_video
    monkeypatch.setattr(index_cache, '_in_memory', {})
    monkeypatch.setattr(
        index_cache, 'scan_video', lambda path, decode: done.append(path) or scan(path, decode)
    )
    return done


def forget():
    index_cache._in_memory.clear()


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
    monkeypatch.setattr(index_cache, 'IN_MEMORY', 2)
    paths = [write_video(tmp_path / f'{i}.mp4', range(4)) for i in range(3)]
    for path in paths:
        index_video(path)
    assert [key[0] for key in index_cache._in_memory] == [str(path) for path in paths[1:]]
