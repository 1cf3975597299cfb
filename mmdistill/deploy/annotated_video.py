"""A copy of a video with what is predicted drawn on it; the sound is kept.

Shape legend: H, W = pixels of a frame.
"""

from collections.abc import Iterator, Sequence
from contextlib import closing
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np

from ..files import whole_file
from ..video import index_video, read_frames
from .segments import Segment

CLOCK = 90_000  # ticks per second of the pictures' times
INK, PANEL, BAR = (255, 255, 255), (24, 24, 24), (96, 200, 96)
# Segments of one label have one colour; well apart, and readable on dark.
COLOURS = (
    *((230, 159, 0), (86, 180, 233), (0, 158, 115), (240, 228, 66)),
    *((0, 114, 178), (213, 94, 0), (204, 121, 167), (160, 160, 160)),
)
# What an mp4 file carries as it is.
COPIED = ('aac', 'mp3', 'ac3', 'alac')


def write_annotated(source: str | Path, segments: Sequence[Segment], path: str | Path) -> None:
    """Write an mp4: label and confidence below the picture, and a timeline of the segments.

    Args:
        source: The video, of which every picture keeps its own time.
        segments: Of this video, in order, without gaps.
        path: The file to write; there as a whole or not at all.

    Raises:
        ValueError: There is no segment.
        VideoError: The video cannot be read.
        OSError: The file cannot be written.
    """
    if not segments:
        raise ValueError(f'{source} has no segments to be drawn.')
    index = index_video(source)
    width, height = index.size
    panel = Panel(segments, width)
    # By its name: through a Python file FFmpeg would hide why it cannot write.
    with whole_file(path) as file, av.open(file.name, 'w', format='mp4') as out:
        pictures = out.add_stream(
            'libx264', rate=Fraction(index.frames_per_second).limit_denominator(1001)
        )
        pictures.width, pictures.height = width + width % 2, _even(height + panel.height)
        pictures.pix_fmt, pictures.time_base = 'yuv420p', Fraction(1, CLOCK)
        pictures.codec_context.time_base = Fraction(1, CLOCK)
        origin = float(index.times_F[0])
        with closing(SoundCopy(source, out)) as sound:
            for number, picture in read_frames(source, pixel_format='rgb24'):
                seconds = float(index.times_F[number]) - origin
                frame = av.VideoFrame.from_ndarray(panel.under(picture, seconds), 'rgb24')
                frame.pts, frame.time_base = round(seconds * CLOCK), Fraction(1, CLOCK)
                _mux(out, pictures.encode(frame))
                sound.copy_until(seconds)
            _mux(out, pictures.encode(None))
            sound.copy_until(float('inf'))


class Panel:
    """The strip below the picture.

    Args:
        segments: In order, without gaps.
        width: Of the picture, in pixels.
    """

    def __init__(self, segments: Sequence[Segment], width: int) -> None:
        self.segments, self.width = list(segments), width
        self.scale = max(0.35, min(1.0, width / 640))
        self.height = round(64 * self.scale)
        labels = list(dict.fromkeys(segment.label for segment in segments))
        self.colours = {label: COLOURS[i % len(COLOURS)] for i, label in enumerate(labels)}
        self.stop = max(segment.stop for segment in segments) or 1.0

    def under(self, picture_HW3: np.ndarray, seconds: float) -> np.ndarray:
        """The picture with the strip of this moment; sides are even."""
        height, width = picture_HW3.shape[:2]
        canvas = np.empty((_even(height + self.height), width + width % 2, 3), np.uint8)
        canvas[:] = PANEL
        canvas[:height, :width] = picture_HW3
        strip = canvas[height:]
        segment = self.at(seconds)
        self._write(strip, segment)
        self._draw_confidence(strip, segment.confidence)
        self._draw_timeline(strip, seconds)
        return canvas

    def at(self, seconds: float) -> Segment:
        """The segment of a moment."""
        return next((s for s in self.segments if seconds < s.stop), self.segments[-1])

    def _write(self, strip: np.ndarray, segment: Segment) -> None:
        text = f'{segment.label}  {100 * segment.confidence:.0f}%'
        font, thickness = cv2.FONT_HERSHEY_SIMPLEX, max(1, round(1.6 * self.scale))
        size, _ = cv2.getTextSize(text, font, 0.8 * self.scale, thickness)
        scale = 0.8 * self.scale * min(1.0, 0.94 * self.width / max(1, size[0]))
        place = (round(0.03 * self.width), round(26 * self.scale))
        cv2.putText(strip, _ascii(text), place, font, scale, INK, thickness, cv2.LINE_AA)

    def _draw_confidence(self, strip: np.ndarray, confidence: float) -> None:
        left, top, bottom = (
            round(x) for x in (0.03 * self.width, 33 * self.scale, 40 * self.scale)
        )
        right = self.width - left
        cv2.rectangle(strip, (left, top), (right, bottom), (64, 64, 64), -1)
        end = left + round((right - left) * confidence)
        cv2.rectangle(strip, (left, top), (end, bottom), BAR, -1)

    def _draw_timeline(self, strip: np.ndarray, seconds: float) -> None:
        left, top, bottom = (
            round(x) for x in (0.03 * self.width, 47 * self.scale, 56 * self.scale)
        )
        length = self.width - 2 * left
        for segment in self.segments:
            ends = [left + round(length * t / self.stop) for t in (segment.start, segment.stop)]
            cv2.rectangle(strip, (ends[0], top), (ends[1], bottom), self.colours[segment.label], -1)
        now = left + round(length * min(1.0, seconds / self.stop))
        cv2.line(strip, (now, top - 3), (now, bottom + 3), INK, max(1, round(2 * self.scale)))


class SoundCopy:
    """The sound of a video, copied beside its new pictures; encoded again where mp4 lacks it.

    Args:
        source: The video.
        out: The container to write to.
    """

    def __init__(self, source: str | Path, out: Any) -> None:
        self.container = av.open(str(source))
        self.out = out
        self.stream: Any = None
        self.waiting: Any = None
        self.packets: Iterator[Any] = iter(())
        if not self.container.streams.audio:
            return
        track = self.container.streams.audio[0]
        self.as_it_is = track.codec_context.name in COPIED
        if self.as_it_is:
            self.stream = out.add_stream_from_template(track)
        else:
            self.stream = out.add_stream('aac', rate=track.rate)
        self.packets = self._copied(track) if self.as_it_is else self._encoded(track)

    def copy_until(self, seconds: float) -> None:
        """Write what sounds before a moment."""
        while True:
            packet = self.waiting or next(self.packets, None)
            self.waiting = packet
            if packet is None or float(packet.dts * packet.time_base) > seconds:
                return
            self.out.mux(packet)
            self.waiting = None

    def close(self) -> None:
        """Let go of the source."""
        self.container.close()

    def _copied(self, track: Any) -> Iterator[Any]:
        for packet in self.container.demux(track):
            if packet.dts is not None and packet.dts >= 0:
                packet.stream = self.stream
                yield packet

    def _encoded(self, track: Any) -> Iterator[Any]:
        for frame in self.container.decode(track):
            yield from self.stream.encode(frame)
        yield from self.stream.encode(None)


def _mux(out: Any, packets: Sequence[Any]) -> None:
    for packet in packets:
        out.mux(packet)


def _even(number: int) -> int:
    return number + number % 2


def _ascii(text: str) -> str:
    """OpenCV draws no other letters."""
    return text.encode('ascii', 'replace').decode()
