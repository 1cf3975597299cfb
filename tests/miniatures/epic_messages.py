"""Protobuf messages of EPIC-KITCHENS' automatic annotations, written byte by byte."""

import struct


def number(field: int, value: int) -> bytes:
    """A whole number as protobuf has it, in groups of seven bits."""
    return bytes([field << 3]) + _varint(value)


def text(field: int, content: bytes) -> bytes:
    """A string, bytes or a message inside of a message."""
    return bytes([field << 3 | 2]) + _varint(len(content)) + content


def real(field: int, value: float) -> bytes:
    """A float; 0 is not written."""
    return b'' if value == 0 else bytes([field << 3 | 5]) + struct.pack('<f', value)


def corners(box: tuple[float, ...]) -> bytes:
    """left, top, right, bottom."""
    return b''.join(real(i, x) for i, x in enumerate(box, start=1))


def detection(box: tuple[float, ...], score: float, **hand: int) -> bytes:
    """Of hands and objects; a hand has a state, an offset and a side."""
    more = number(3, hand['state']) + text(4, real(1, 0.1)) + number(5, 1) if hand else b''
    return text(1, corners(box)) + real(2, score) + more


def message(index: int, *boxes: bytes, video: bytes = b'P01_101') -> bytes:
    """The hands (field 3) and objects (field 4) of a frame."""
    return text(1, video) + number(2, index) + b''.join(boxes)


def mask(box: tuple[float, ...], score: float, category: int) -> bytes:
    """Of object masks; the mask itself is a run-length code, which nobody reads here."""
    return text(1, corners(box)) + text(2, b'0' * 200) + real(3, score) + number(4, category)


def mask_message(index: int, *masks: bytes) -> bytes:
    """The masks of a frame; it does not say which video it is of."""
    return number(2, index) + b''.join(text(3, content) for content in masks)


def _varint(value: int) -> bytes:
    data = b''
    while value >= 128:
        data, value = data + bytes([value % 128 + 128]), value // 128
    return data + bytes([value])
