"""Opening a video file: which stream is read, and what is said where none can be."""

import os
import re
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, NamedTuple

import av
from av.stream import Disposition

# Pictures that go with a file but are not its video.
NOT_SHOWN = Disposition.attached_pic | Disposition.timed_thumbnails | Disposition.still_image


class VideoError(ValueError):
    """A video that cannot be read, or not at the frames that are asked for."""


class OpenVideo(NamedTuple):
    """A file with the stream that is read, of so many that could be."""

    container: av.container.InputContainer
    stream: av.VideoStream
    num_streams: int


@contextmanager
def open_video(path: str | Path, num_threads: int = 1) -> Iterator[OpenVideo]:
    """Open a file at its default video stream; cover art and thumbnails do not count.

    Args:
        num_threads: Decoding threads.

    Raises:
        VideoError: There is no file, it cannot be opened, or it holds no video that can be decoded.
    """
    if not Path(path).is_file():
        raise VideoError(f'There is no video {path}.')
    try:
        # FFmpeg takes `a:b.mp4` for a protocol. Tags may be in any encoding, and are not read.
        container = av.open(os.path.abspath(path), metadata_errors='ignore')
    except (av.FFmpegError, OSError) as error:
        raise VideoError(
            f'{path} cannot be opened as a video ({error.strerror}): truncated or not a video; '
            'fetch it again.'
        ) from error
    with container:
        stream, num_streams = _default_stream(path, container)
        stream.codec_context.thread_count = num_threads
        stream.codec_context.thread_type = 'AUTO' if num_threads > 1 else 'NONE'
        yield OpenVideo(container, stream, num_streams)


def _default_stream(
    path: str | Path, container: av.container.InputContainer
) -> tuple[av.VideoStream, int]:
    names = container.format.name.split(',')
    if any(name.endswith('_pipe') or name == 'image2' for name in names):
        raise VideoError(f'{path} is a single image, not a video.')
    if 'tty' in names:  # FFmpeg draws any text
        raise VideoError(f'{path} is a text file, not a video.')
    shown = [stream for stream in container.streams.video if not stream.disposition & NOT_SHOWN]
    if not shown:
        raise VideoError(f'{path} has no video stream.')
    flagged = [stream for stream in shown if stream.disposition & Disposition.default]
    best = container.streams.best('video')
    # Several may carry the flag, or none: then FFmpeg's choice counts, as in players.
    among = flagged or shown
    chosen = best if best in among else among[0]
    if chosen.codec_context is None:
        raise VideoError(
            f'{path} has video of a codec that cannot be decoded here ({_codec_of(container)}); '
            'convert it: '
            f"ffmpeg -i '{path}' -c:v libx264 -crf 18 -c:a copy converted.mp4"
        )
    return chosen, len(shown)


def _codec_of(container: av.container.InputContainer) -> str:
    """How FFmpeg describes the codec of the first video stream; PyAV has no name for it."""
    level = av.logging.get_level()
    av.logging.set_level(av.logging.INFO)  # at which FFmpeg describes a file
    text = container.dumps_format()
    av.logging.set_level(level)
    found = re.search(r'Video: (\w+(?: \([^)]*\))*)', text)
    return found[1] if found else 'unknown'


def missing_bytes(path: str | Path) -> int:
    """How many bytes a file lacks of what its container promises; 0 if it promises nothing.

    MP4 and MOV consist of boxes, AVI of chunks, Matroska and WebM of a segment, all of stated size.
    """
    size = Path(path).stat().st_size
    with Path(path).open('rb') as file:
        head = file.read(4096)
        if head.startswith(b'RIFF'):
            end = _end_of_parts(file, size, '<4sI')
        elif head[4:8] in (b'ftyp', b'moov', b'mdat', b'wide', b'free', b'skip'):
            end = _end_of_parts(file, size, '>I4s')
        elif head.startswith(b'\x1a\x45\xdf\xa3'):
            end = _end_of_segment(head)
        else:
            end = 0
    return max(0, end - size)


def _end_of_parts(file: BinaryIO, size: int, layout: str) -> int:
    """Where the last box or chunk ends; each begins with its size and its name."""
    at = 0
    while at + 8 <= size:
        file.seek(at)
        fields = struct.unpack(layout, file.read(8))
        boxes = isinstance(fields[0], int)
        length = fields[0] if boxes else 8 + fields[1] + fields[1] % 2
        if boxes and length == 1:
            length = int.from_bytes(file.read(8), 'big')
        if length < 8 or (not boxes and length == 8):
            return 0  # to the end of the file, or of a recording that was never closed
        at += length
    # An AVI need not have the byte that fills its last chunk.
    return at if layout.startswith('>') else at - 1


def _end_of_segment(head: bytes) -> int:
    """Where Matroska's segment ends; 0 if it does not say, as in live recordings."""
    at = head.find(b'\x18\x53\x80\x67') + 4
    if at < 4 or at >= len(head) or not head[at]:
        return 0
    length = 9 - head[at].bit_length()
    unknown = (1 << 7 * length) - 1
    value = int.from_bytes(head[at : at + length], 'big') & unknown
    return 0 if value == unknown else at + length + value
