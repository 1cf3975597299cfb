"""Files that no encoder of FFmpeg writes, changed by hand from those that it does."""

import struct
from fractions import Fraction
from pathlib import Path

import av
from encode import NUM_FRAMES, RATE, Picture, write

VOP, USER_DATA = b'\0\0\1\xb6', b'\0\0\1\xb2'
# A picture "as before": coding type P, no seconds, marker, five bits of time, marker, not coded.
NOT_CODED = VOP + bytes([0b01010000, 0b01011111])
ONE_B_FRAME = Picture('mpeg4', options=dict(bf='1', g='12', b_strategy='0', sc_threshold='1000000'))
# Pictures of a film whose middle was taken out by edit lists.
EDITED = [*range(20), *range(40, 60)]
# Pictures that a slow camera did not deliver.
DROPPED = [number for number in range(NUM_FRAMES) if number % 7 != 3]


def write_packed(path: Path) -> None:
    """AVI of DivX and XviD: a B-frame lies in the chunk of the picture before it, then a dummy."""
    source = path.with_name(f'{path.stem}_source.avi')
    write(source, [ONE_B_FRAME], None)
    with av.open(str(source)) as file, av.open(str(path), 'w') as out:
        encoded = [bytes(packet) for packet in file.demux() if packet.size]
        kinds = ['IPBS'[content[content.index(VOP) + len(VOP)] >> 6] for content in encoded]
        stream = out.add_stream_from_template(file.streams.video[0])
        for number, content in enumerate(encoded):
            if kinds[number] == 'B':
                content = NOT_CODED
            elif kinds[number + 1 : number + 2] == ['B']:
                content += encoded[number + 1]
            if kinds[number] == 'I':
                content = content.replace(VOP, USER_DATA + b'DivX503b1393p' + VOP, 1)
            packet = av.Packet(content)
            packet.stream, packet.time_base = stream, Fraction(1, RATE)
            packet.pts = packet.dts = number
            packet.is_keyframe = kinds[number] == 'I'
            out.mux(packet)
    source.unlink()


def write_edited(path: Path) -> None:
    """MP4 with two edits: what lies between them is not shown. Its index is at the end."""
    write(path, [Picture()], None)
    content = bytearray(path.read_bytes())
    (scale,) = struct.unpack_from('>I', content, content.index(b'mdhd') + 16)
    place = content.index(b'elst') + 12
    _, first, _ = struct.unpack_from('>3I', content, place)
    (movie_scale,) = struct.unpack_from('>I', content, content.index(b'mvhd') + 16)
    length = 20 * movie_scale // RATE
    edits = [(length, first, 1 << 16), (length, first + 40 * scale // RATE, 1 << 16)]
    struct.pack_into('>I', content, place - 4, len(edits))
    content[place : place + 12] = b''.join(struct.pack('>3I', *edit) for edit in edits)
    for box in (b'moov', b'trak', b'edts', b'elst'):
        size = content.index(box) - 4
        struct.pack_into('>I', content, size, struct.unpack_from('>I', content, size)[0] + 12)
    path.write_bytes(content)
