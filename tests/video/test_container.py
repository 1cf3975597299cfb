"""Files that lack bytes which their containers promise."""

import pytest

from mmdistill.video import VideoError, index_video
from mmdistill.video.container import missing_bytes

NAMES = ['clip.mp4', 'clip.mov', 'clip.mkv', 'clip.webm', 'clip.avi']


@pytest.mark.parametrize('name', NAMES)
@pytest.mark.parametrize('missing', [0, 1, 700])
def test_missing_bytes(tmp_path, write_video, name, missing):
    codec = 'libvpx' if 'webm' in name else 'libx264'
    path = write_video(tmp_path / name, codec=codec)
    data = path.read_bytes()
    path.write_bytes(data[: len(data) - missing])
    found = missing_bytes(path)
    # A chunk of AVI is filled to an even number of bytes, or is not.
    assert found == missing or (name == 'clip.avi' and found == missing - 1)


def test_a_large_box(tmp_path, write_video):
    """Boxes above 4 GB state their size in 64 bits."""
    path = tmp_path / 'large.mp4'
    head = b'\0\0\0\x10ftypisom\0\0\0\0'
    path.write_bytes(head + b'\0\0\0\1mdat' + (100).to_bytes(8, 'big') + bytes(50))
    assert missing_bytes(path) == 34


@pytest.mark.parametrize('content', [b'', b'RIFF', b'\x1a\x45\xdf\xa3\x18\x53\x80\x67', b'x' * 99])
def test_containers_that_promise_nothing(tmp_path, content):
    path = tmp_path / 'file'
    path.write_bytes(content)
    assert missing_bytes(path) == 0


def test_a_codec_that_nothing_decodes(tmp_path, write_video):
    path = write_video(tmp_path / 'clip.mp4')
    path.write_bytes(path.read_bytes().replace(b'avc1', b'zzzz'))
    message = r"clip\.mp4 has video of a codec .* here \(none \(zzzz .*ffmpeg -i '.*clip\.mp4' -c:v"
    with pytest.raises(VideoError, match=message):
        index_video(path)
