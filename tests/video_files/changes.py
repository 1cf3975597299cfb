"""How an ordinary file becomes an odd one: packets or bytes are changed, nothing is lost."""

import shutil
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from functools import partial
from pathlib import Path

import av
import cv2
from barcode import draw
from encode import NUM_FRAMES, SIZE, Picture, copy, shift, turn, write

DEFAULT = av.stream.Disposition.default
COVER = av.stream.Disposition.attached_pic


def turned(turns: int, mirrored: bool) -> Callable[[Path, Path], None]:
    """A player has to turn the stored pictures, and to mirror them, as the container says."""

    def change(source: Path, path: Path) -> None:
        turn(source, turns, mirrored)
        copy(source, path) if path.suffix == '.mkv' else shutil.copy(source, path)

    return change


def turned_by_stream(source: Path, path: Path) -> None:
    """The H.264 stream says that it is turned (an SEI message), the container does not."""
    copy(source, path, bitstream_filter='h264_metadata=display_orientation=insert:rotate=270')


def cut(seconds: float) -> Callable[[Path, Path], None]:
    """As `ffmpeg -ss SECONDS -c copy`: from the key frame before, times shifted."""

    def change(packets: list[av.Packet]) -> list[av.Packet]:
        keys = [p for p in packets if p.stream.type == 'video' and p.is_keyframe]
        begin = max(p.pts * p.time_base for p in keys if p.pts * p.time_base <= seconds)
        kept = [packet for packet in packets if packet.pts * packet.time_base >= begin]
        for packet in kept:
            shift(packet, -seconds)
        return kept

    return partial(copy, change=change)


def later(seconds: float) -> Callable[[Path, Path], None]:
    """All time stamps are so much later."""

    def change(packets: list[av.Packet]) -> list[av.Packet]:
        for packet in packets:
            shift(packet, seconds)
        return packets

    return partial(copy, change=change, options=dict(avoid_negative_ts='disabled'))


def with_cover(source: Path, path: Path) -> None:
    """A still picture (attached) as the first video stream."""
    image = cv2.imencode('.jpg', draw(200)[..., ::-1])[1].tobytes()
    with av.open(str(source)) as file, av.open(str(path), 'w') as out:
        cover = out.add_stream('mjpeg', rate=1)
        cover.width, cover.height, cover.pix_fmt = *SIZE, 'yuvj420p'
        cover.disposition = COVER
        streams = {s.index: out.add_stream_from_template(s) for s in file.streams}
        packet = av.Packet(image)
        packet.stream, packet.pts, packet.dts = cover, 0, 0
        packet.time_base, packet.is_keyframe = Fraction(1, 90000), True
        out.mux(packet)
        for packet in file.demux():
            if packet.dts is not None:
                packet.stream = streams[packet.stream_index]
                out.mux(packet)


def two_streams(path: Path) -> None:
    """The second is the default one: the first counts from 100."""
    first = replace(Picture(), numbers=range(100, 100 + NUM_FRAMES))
    write(path, [first, Picture()], dispositions=[None, DEFAULT])


def joined(source: Path, path: Path) -> None:
    """Two transport streams one after the other: time stamps jump back."""
    path.write_bytes(source.read_bytes() * 2)
