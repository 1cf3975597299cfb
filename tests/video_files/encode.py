"""Write videos with PyAV: encode numbered pictures with sound, copy packets, change bytes."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from av.bitstream import BitStreamFilterContext
from barcode import draw, sweep

NUM_FRAMES, RATE, SIZE = 60, 25, (96, 64)
# A key frame every 15 pictures, three B-frames between others, and B-frames that refer to B-frames.
X264 = dict(preset='ultrafast', bf='3', g='15', sc_threshold='0', b_strategy='0', threads='1')
SAMPLES_PER_SECOND = 48000


@dataclass(frozen=True)
class Picture:
    """The pictures of a video.

    Args:
        codec: Name of FFmpeg's encoder.
        numbers: What the pictures show, in the order in which they are shown.
        rate: Pictures per second.
        times_ms: When each is shown, in milliseconds; None spaces them evenly.
        options: Of the encoder.
        turned: (quarter turns clockwise, mirrored) that a player applies: they are stored so that
            this makes them upright. `size` is that of the stored pictures.
    """

    codec: str = 'libx264'
    numbers: Sequence[int] = range(NUM_FRAMES)
    rate: Fraction | int = RATE
    times_ms: Sequence[int] | None = None
    size: tuple[int, int] = SIZE
    pix_fmt: str = 'yuv420p'
    options: dict[str, str] = field(default_factory=lambda: dict(X264))
    turned: tuple[int, bool] = (0, False)

    @property
    def clock(self) -> list[Fraction]:
        """The time stamp of each picture, in seconds."""
        if self.times_ms is None:
            return [i / Fraction(self.rate) for i in range(len(self.numbers))]
        return [Fraction(ms, 1000) for ms in self.times_ms]

    @property
    def times(self) -> list[float]:
        """Seconds of each picture since the first."""
        clock = self.clock
        return [float(moment - clock[0]) for moment in clock]

    def add_to(self, out: av.container.OutputContainer) -> av.VideoStream:
        """A stream with our settings; its encoder is opened with its first picture."""
        stream = out.add_stream(self.codec, rate=self.rate, options=self.options)
        stream.width, stream.height = self.size
        stream.pix_fmt = self.pix_fmt
        even = all(moment * self.rate % 1 == 0 for moment in self.clock)
        ticks = self.rate if even else 1000
        stream.codec_context.time_base = 1 / Fraction(ticks)
        return stream

    def draw(self, number: int) -> np.ndarray:
        """The picture (H, W, 3) as it is stored."""
        turns, mirrored = self.turned
        upright_size = self.size[::-1] if turns % 2 else self.size
        stored = np.rot90(draw(number, *upright_size), turns)
        return np.ascontiguousarray(stored[:, ::-1] if mirrored else stored)

    def packets(self, stream: av.VideoStream) -> list[av.Packet]:
        """All packets, encoded."""
        found, clock = [], self.clock
        for place, number in enumerate(self.numbers):
            frame = av.VideoFrame.from_ndarray(self.draw(number), format='rgb24')
            frame = frame.reformat(format=self.pix_fmt)
            frame.pts = round(clock[place] / stream.codec_context.time_base)
            frame.time_base = stream.codec_context.time_base
            found += stream.encode(frame)
        return found + stream.encode(None)


@dataclass(frozen=True)
class Sound:
    """The sound of a video.

    Args:
        codec: Name of FFmpeg's encoder.
        seconds: How long it is; None is as long as the pictures.
        start: At which second of the pictures it begins.
    """

    codec: str = 'aac'
    seconds: float | None = None
    start: float = 0.0
    rate: int = SAMPLES_PER_SECOND

    def add_to(self, out: av.container.OutputContainer) -> av.AudioStream:
        stream = out.add_stream(self.codec, rate=self.rate, layout='mono')
        stream.codec_context.bit_rate = 96000
        return stream

    def packets(self, stream: av.AudioStream, seconds: float) -> list[av.Packet]:
        """All packets, encoded."""
        context = stream.codec_context
        context.open()
        length = self.seconds or max(0.1, seconds - self.start)
        samples = sweep(length, self.rate, self.start)
        size = context.frame_size or 1024
        resampler = av.AudioResampler(format=context.format.name, layout='mono', rate=self.rate)
        found = []
        for first in range(0, len(samples), size):
            part = np.ascontiguousarray(samples[None, first : first + size])
            frame = av.AudioFrame.from_ndarray(part, format='fltp', layout='mono')
            frame.sample_rate, frame.time_base = self.rate, Fraction(1, self.rate)
            frame.pts = first + round(self.start * self.rate)
            for piece in resampler.resample(frame):
                found += stream.encode(piece)
        return found + stream.encode(None)


def write(
    path: Path,
    pictures: Iterable[Picture] = (Picture(),),
    sound: Sound | None = Sound(),  # noqa: B008  (frozen)
    container_format: str | None = None,
    options: dict[str, str] | None = None,
    dispositions: Sequence[av.stream.Disposition | None] = (),
) -> None:
    """Encode a file: its video streams, then its sound."""
    pictures = list(pictures)
    with av.open(str(path), 'w', format=container_format, options=options or {}) as out:
        streams = [picture.add_to(out) for picture in pictures]
        heard = sound.add_to(out) if sound else None
        for stream, disposition in zip(streams, dispositions, strict=False):
            if disposition is not None:
                stream.disposition = disposition
        packets = [p.packets(stream) for p, stream in zip(pictures, streams, strict=True)]
        if sound:
            seconds = max((p.times[-1] + 0.04 for p in pictures), default=2.0)
            packets.append(sound.packets(heard, seconds))
        mux(out, [packet for some in packets for packet in some])


def mux(out: av.container.OutputContainer, packets: list[av.Packet]) -> None:
    """Write packets of all streams in the order of their time."""
    for packet in sorted(packets, key=lambda p: p.dts * p.time_base):
        out.mux(packet)


def copy(
    source: Path,
    path: Path,
    change: Callable[[list[av.Packet]], list[av.Packet]] = lambda packets: packets,
    options: dict[str, str] | None = None,
    bitstream_filter: str = 'null',
) -> None:
    """Copy the packets of a file into another, as `ffmpeg -c copy`.

    Args:
        change: May alter the packets.
        options: Of the container.
        bitstream_filter: Of the pictures.
    """
    with av.open(str(source)) as file, av.open(str(path), 'w', options=options or {}) as out:
        streams = {s.index: out.add_stream_from_template(s) for s in file.streams}
        pictures = BitStreamFilterContext(bitstream_filter, file.streams.video[0])
        packets = [packet for packet in file.demux() if packet.dts is not None]
        for packet in change(packets):
            target = streams[packet.stream_index]
            filtered = pictures.filter(packet) if target.type == 'video' else [packet]
            for part in filtered:
                part.stream = target
                out.mux(part)


def shift(packet: av.Packet, seconds: float) -> None:
    """Move a packet in time."""
    ticks = round(seconds / packet.time_base)
    packet.pts, packet.dts = packet.pts + ticks, packet.dts + ticks


def turn(path: Path, turns: int, mirrored: bool) -> None:
    """Write a display matrix into the header of the pictures of an MP4 or MOV file.

    Args:
        turns: How many quarter turns clockwise a player makes.
        mirrored: Whether it mirrors them left to right before.
    """
    cosine, sine = [(1, 0), (0, 1), (-1, 0), (0, -1)][turns]
    sign = -1 if mirrored else 1
    values = [sign * cosine, sign * sine, 0, -sine, cosine, 0, 0, 0, 1 << 14]
    matrix = b''.join((value << 16).to_bytes(4, 'big', signed=True) for value in values)
    content = bytearray(path.read_bytes())
    # The box of the first track: version 0, its matrix 40 bytes after the version.
    place = content.index(b'tkhd') + 4 + 40
    content[place : place + 36] = matrix
    path.write_bytes(content)
