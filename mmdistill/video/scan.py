"""Making the index of a video: one walk through the file.

Where a container stores one shown picture per packet with its own time (MP4, Matroska, FLV with the
common codecs), its packets tell everything and nothing is decoded. Elsewhere (AVI, MPEG streams,
old codecs) the file is decoded once from its start, as a player does; each packet gets a number,
which the decoder hands on to the picture.

Shape legend: F = pictures that are shown, K = key frames, P = packets in the order of decoding.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import islice
from pathlib import Path
from typing import Any

import av
import numpy as np

from .container import OpenVideo, VideoError, missing_bytes, open_video
from .index import VideoIndex
from .orientation import turn_of

# One packet is one picture here, shown at the time that the container states.
TRUSTED_CONTAINERS = {'mov', 'matroska', 'flv'}
TRUSTED_CODECS = {'h264', 'hevc', 'av1', 'vp8', 'vp9', 'mjpeg', 'prores', 'dnxhd', 'ffv1', 'png'}
# So many pictures are decoded to see whether the packets told the truth.
LOOKED_AT = 4
USUAL_RATE = 25


class NotTold(Exception):
    """The packets of a file do not tell which pictures are shown."""


@dataclass
class Packets:
    """What the container says of its packets; None is unknown."""

    pts_P: list[int | None] = field(default_factory=list)
    dts_P: list[int | None] = field(default_factory=list)
    key_P: list[bool] = field(default_factory=list)
    shown_P: list[bool] = field(default_factory=list)
    complete: bool = True

    def add(self, packet: 'av.Packet[Any]', codec: str) -> None:
        """Note down a packet."""
        self.pts_P.append(packet.pts)
        self.dts_P.append(packet.dts)
        self.key_P.append(packet.is_keyframe)
        self.shown_P.append(not packet.is_discard and not _is_hidden(packet, codec))


def scan_video(path: str | Path, decode: bool = False) -> VideoIndex:
    """Walk through a video file once.

    Args:
        decode: Decode all of it, even where the packets seem to tell everything.

    Raises:
        VideoError: It cannot be opened, or not a single picture can be decoded.
    """
    if not decode:
        with open_video(path) as video:
            try:
                return _by_packets(path, video)
            except NotTold:
                pass
    with open_video(path) as video:
        return _by_decoding(path, video)


def _by_packets(path: str | Path, video: OpenVideo) -> VideoIndex:
    codec = _codec(video.stream)
    trusted = TRUSTED_CONTAINERS & set(video.container.format.name.split(','))
    if not trusted or codec not in TRUSTED_CODECS:
        raise NotTold
    packets = _read_packets(video, codec)
    stamps_P = [pts for pts in packets.pts_P if pts is not None]
    if len(stamps_P) < len(packets.pts_P):
        raise NotTold
    shown = [pts for pts, is_shown in zip(stamps_P, packets.shown_P, strict=True) if is_shown]
    if not shown or len(set(shown)) < len(shown):
        raise NotTold
    # Pictures that refer to others before the file's first key frame: decoders differ on them.
    if not packets.key_P[0] or min(shown) < stamps_P[0]:
        raise NotTold
    stamps_F = np.array(sorted(shown), np.int64)
    first = _first_pictures(path)
    if not first or [frame.pts for frame in first] != stamps_F[: len(first)].tolist():
        raise NotTold
    damage = _damage(path, packets.complete)
    return _index(video, first[0], packets, 'pts', stamps_F, damage)


def _read_packets(video: OpenVideo, codec: str) -> Packets:
    packets = Packets()
    try:
        for packet in video.container.demux(video.stream):
            if packet.is_corrupt:
                packets.complete = False
                break
            if packet.size:
                packets.add(packet, codec)
    except av.FFmpegError:
        packets.complete = False
    return packets


def _first_pictures(path: str | Path) -> list[av.VideoFrame]:
    with open_video(path) as (container, stream, _):
        try:
            return list(islice(container.decode(stream), LOOKED_AT))
        except av.FFmpegError:
            return []


def _by_decoding(path: str | Path, video: OpenVideo) -> VideoIndex:
    packets, numbers, first = Packets(), [], None
    try:
        for packet in video.container.demux(video.stream):
            if packet.size:
                packets.add(packet, '')
                packet.pts = len(packets.pts_P) - 1
            try:
                frames = packet.decode()
            except av.FFmpegError:
                if first is None:
                    continue  # it begins amid pictures whose references are not there
                raise
            first = first or next(iter(frames), None)
            numbers += [frame.pts for frame in frames]
    except av.FFmpegError:
        packets.complete = False
    if first is None:
        raise VideoError(
            f'{path}: not a single picture can be decoded: the file is damaged, fetch it again.'
        )
    known_by, stamps_F = _stamps(packets, numbers, 'avi' in video.container.format.name)
    damage = _damage(path, packets.complete)
    return _index(video, first, packets, known_by, stamps_F, damage, decoded=True)


def _stamps(packets: Packets, numbers: list[Any], is_avi: bool) -> tuple[str, np.ndarray]:
    """By what the pictures, which came from the packets of these numbers, can be known again."""
    if None not in numbers:
        pts_F = [packets.pts_P[number] for number in numbers]
        dts_F = [packets.dts_P[number] for number in numbers]
        # FFmpeg makes up the times of an AVI, which has none, from the order of decoding.
        if not is_avi and None not in pts_F and (np.diff(pts_F) > 0).all():
            return 'pts', np.array(pts_F, np.int64)
        if None not in dts_F and len(set(dts_F)) == len(dts_F):
            return 'dts', np.array(dts_F, np.int64)
    return 'order', np.arange(len(numbers), dtype=np.int64)


def _index(
    video: OpenVideo,
    first: av.VideoFrame,
    packets: Packets,
    known_by: str,
    stamps_F: np.ndarray,
    damage: str,
    decoded: bool = False,
) -> VideoIndex:
    stream = video.stream
    rate = Fraction(stream.average_rate or stream.guessed_rate or USUAL_RATE)
    tick = (stream.time_base if known_by != 'order' else None) or 1 / rate
    ticks_F = np.sort(stamps_F)
    steps = np.diff(ticks_F)
    step = int(np.median(steps)) if len(steps) else max(1, round(1 / (rate * tick)))
    keys = _keys(packets, known_by, stamps_F)
    columns = np.ascontiguousarray(np.array(keys, np.int64).reshape(-1, 3).T)
    return VideoIndex(
        stamps_F,
        known_by,
        ticks_F,
        int(ticks_F[-1]) + step,
        columns[0],
        columns[1],
        columns[2],
        tick=tick,
        width=first.width,
        height=first.height,
        turn=turn_of(first),
        codec=_codec(stream),
        num_streams=video.num_streams,
        damage=damage,
        decoded=decoded,
    )


def _keys(packets: Packets, known_by: str, stamps_F: np.ndarray) -> list[tuple[int, int, int]]:
    """(first picture from there on, stamp, where to seek) of each key frame but the file's first.

    Pictures after a key frame in the order of decoding but before it in that of showing may need
    what comes before it.
    """
    if known_by == 'order':
        return []
    keys, furthest = [], 0
    own_P = packets.pts_P if known_by == 'pts' else packets.dts_P
    places = {} if known_by == 'pts' else {int(stamp): i for i, stamp in enumerate(stamps_F)}
    for number, is_key in enumerate(packets.key_P):
        stamp, dts = own_P[number], packets.dts_P[number]
        if not is_key or not number or stamp is None:
            continue
        place = int(np.searchsorted(stamps_F, stamp)) if known_by == 'pts' else places.get(stamp)
        if place is not None and furthest < place < len(stamps_F):
            keys.append((place, stamp, stamp if dts is None else min(stamp, dts)))
            furthest = place
    return keys


def _damage(path: str | Path, complete: bool) -> str:
    missing = missing_bytes(path)
    if missing:
        return f'the file is truncated by {missing:,} bytes or more'
    return '' if complete else 'the file is damaged there'


def _codec(stream: av.VideoStream) -> str:
    return stream.codec_context.codec.canonical_name


def _is_hidden(packet: 'av.Packet[Any]', codec: str) -> bool:
    """Whether a packet of VP8 or VP9 holds a picture that is only referred to, never shown."""
    if codec not in ('vp8', 'vp9'):
        return False
    content: Sequence[int] = memoryview(packet)
    if codec == 'vp8':
        return not content[0] >> 4 & 1
    if content[-1] >> 5 == 0b110:
        return False  # several pictures, of which the last is shown
    # Bits of the first byte: 2 marker, 2 profile (and 1 more of profile 3), show existing, type,
    # show.
    shift = 0 if content[0] >> 4 & 3 == 3 else 1
    return not (content[0] >> (2 + shift) & 1 or content[0] >> shift & 1)
