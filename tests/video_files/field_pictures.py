"""H.264 whose pictures are coded as two fields each, as of AVCHD camcorders and television.

x264 cannot make it, so the stream is written by hand: every macroblock is raw samples (I_PCM).
Parts of ITU-T H.264 are named beside what they describe.
"""

from collections.abc import Iterable
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from barcode import draw
from encode import NUM_FRAMES, RATE, SIZE

MACROBLOCK = 16
GROUP = 15


class Bits:
    """A string of bits."""

    def __init__(self) -> None:
        self.text = ''

    def u(self, value: int, width: int = 1) -> 'Bits':
        """Unsigned, of a fixed width."""
        self.text += format(value, f'0{width}b')
        return self

    def ue(self, *values: int) -> 'Bits':
        """Exponential-Golomb code (9.1)."""
        for value in values:
            code = format(value + 1, 'b')
            self.text += '0' * (len(code) - 1) + code
        return self

    def align(self) -> 'Bits':
        """Zeros to the next byte."""
        self.text += '0' * (-len(self.text) % 8)
        return self

    def to_bytes(self) -> bytes:
        return int(self.text, 2).to_bytes(len(self.text) // 8, 'big')


def unit(header: int, content: bytes) -> bytes:
    """A NAL unit with a start code (annex B); no start code appears within (7.4.1)."""
    safe, zeros = bytearray(), 0
    for byte in content:
        if zeros >= 2 and byte <= 3:
            safe.append(3)
            zeros = 0
        safe.append(byte)
        zeros = zeros + 1 if byte == 0 else 0
    return b'\0\0\0\1' + bytes([header]) + bytes(safe)


def parameter_sets() -> bytes:
    """Sequence and picture parameter sets (7.3.2.1, 7.3.2.2)."""
    width, height = SIZE
    sequence = Bits().u(77, 8).u(0, 8).u(30, 8).ue(0, 0, 2, 1).u(0)
    # The height counts pairs of macroblocks: there are fields.
    sequence.ue(width // MACROBLOCK - 1, height // MACROBLOCK // 2 - 1).u(0, 2).u(1).u(0, 2)
    picture = Bits().ue(0, 0).u(0, 2).ue(0, 0, 0).u(0, 3).ue(0, 0, 0).u(1).u(0, 2)
    return unit(0x67, sequence.u(1).align().to_bytes()) + unit(
        0x68, picture.u(1).align().to_bytes()
    )


def field(planes: list[np.ndarray], number: int, bottom: int) -> bytes:
    """The slice of a field (7.3.3): its luma and chroma as they are."""
    is_idr = number % GROUP == 0 and not bottom
    bits = Bits().ue(0, 7, 0).u(number % GROUP, 4).u(1).u(bottom)
    if is_idr:
        bits.ue(number // GROUP % 2).u(0, 2)
    else:
        bits.u(0)
    # Quantiser as it is; no deblocking across the raw blocks.
    bits.ue(0, 1)
    content = b''
    rows, columns = planes[0].shape[0] // MACROBLOCK, planes[0].shape[1] // MACROBLOCK
    for place in range(rows * columns):
        y, x = divmod(place, columns)
        content += bits.ue(25).align().to_bytes()
        bits = Bits()
        for plane in planes:
            side = MACROBLOCK * plane.shape[1] // planes[0].shape[1]
            content += plane[y * side : (y + 1) * side, x * side : (x + 1) * side].tobytes()
    return unit(0x65 if is_idr else 0x61, content + b'\x80')


def pictures() -> Iterable[tuple[bytes, bytes]]:
    """The top and the bottom field of each picture, with the parameter sets before key frames."""
    width, height = SIZE
    for number in range(NUM_FRAMES):
        frame = av.VideoFrame.from_ndarray(draw(number), format='rgb24').reformat(format='yuv420p')
        samples = frame.to_ndarray()
        chroma = samples[height:].reshape(2, height // 2, width // 2)
        planes = [samples[:height], *chroma]
        top, bottom = (field([p[parity::2] for p in planes], number, parity) for parity in (0, 1))
        yield (parameter_sets() if number % GROUP == 0 else b'') + top, bottom


def write_fields(path: Path) -> None:
    """A packet per field in a transport stream, one per picture elsewhere."""
    apart = path.suffix == '.ts'
    raw = path.with_name(f'{path.stem}_raw.h264')
    raw.write_bytes(b''.join(top + bottom for top, bottom in pictures()))
    with av.open(str(raw), format='h264') as file, av.open(str(path), 'w') as out:
        stream = out.add_stream_from_template(file.streams.video[0])
        duration = Fraction(1, RATE)
        for number, (top, bottom) in enumerate(pictures()):
            for part, content in enumerate((top, bottom) if apart else (top + bottom,)):
                packet = av.Packet(content)
                packet.stream, packet.time_base = stream, duration / 2
                packet.pts = packet.dts = 2 * number + part
                packet.duration = 1 if apart else 2
                packet.is_keyframe = number % GROUP == 0 and not part
                out.mux(packet)
    raw.unlink()
