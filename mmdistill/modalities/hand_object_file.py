"""EPIC-KITCHENS' hand-object detections: a pickle per video, a list of protobuf messages as bytes.

A pickle can run any code. This one needs lists and bytes alone, so every name that it would import
is refused; the messages are decoded here, field by field, from the owners' schema `types.proto`.
https://github.com/epic-kitchens/epic-kitchens-100-hand-object-bboxes

Shape legend: M boxes of a frame.
"""

import pickle
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from .box_annotations import HAND, OBJECT

# Field numbers of the owners' messages.
VIDEO_ID, FRAME_NUMBER, HANDS, OBJECTS = 1, 2, 3, 4
BOX, SCORE = 1, 2
LABELS = {HANDS: HAND, OBJECTS: OBJECT}
# Wire types of protobuf.
VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5


class FrameBoxes(NamedTuple):
    """One message: the boxes of a frame, (M, 6) float32 x1 y1 x2 y2 (fractions), score, label."""

    video_id: str
    number: int
    boxes_M6: np.ndarray


class _DataOnly(pickle.Unpickler):
    """Lists, bytes and the like; nothing that has to be imported."""

    def find_class(self, module: str, name: str) -> Any:
        raise pickle.UnpicklingError(f'it wants to import {module}.{name}')


def read_messages(path: Path) -> list[bytes]:
    """The messages of a file, one per frame, not decoded; no code of the file is run.

    Raises:
        ValueError: It is no pickled list of bytes, or one that would import something.
    """
    try:
        with path.open('rb') as file:
            messages = _DataOnly(file).load()
    # A pickle that is cut short or none at all can raise nearly anything.
    except Exception as error:
        raise ValueError(
            f'{path} cannot be read as hand-object detections ({error}): expected a pickled list '
            'of bytes and nothing else; download it again.'
        ) from error
    if not isinstance(messages, list) or not all(isinstance(m, bytes) for m in messages):
        raise ValueError(f'{path} holds no list of bytes; expected one protobuf message per frame.')
    return messages


def decode_message(message: bytes, where: str) -> FrameBoxes:
    """Decode the detections of one frame.

    Raises:
        ValueError: It is no such message, or its boxes are not fractions; begins with `where`.
    """
    video_id, number, rows = '', 0, []
    try:
        for field, value in _fields(message):
            if field == VIDEO_ID:
                video_id = value.decode()
            elif field == FRAME_NUMBER:
                number = int(value)
            elif field in LABELS:
                parts = dict(_fields(value))
                box = dict(_fields(parts.get(BOX, b'')))
                # A number that is 0 is not written.
                corners = (float(box.get(i, 0.0)) for i in range(1, 5))
                rows.append((*corners, float(parts.get(SCORE, 0.0)), LABELS[field]))
        boxes_M6 = np.array(rows, np.float32).reshape(-1, 6)
    except (AttributeError, IndexError, TypeError, ValueError, struct.error) as error:
        raise ValueError(f'{where} is no message of hands and objects ({error!r}).') from error
    # Detectors draw a little beyond the frame; pixels are far larger.
    if not np.isfinite(boxes_M6).all() or (np.abs(boxes_M6[:, :4]) > 2).any():
        raise ValueError(f'{where}: expected coordinates as fractions of the frame, not pixels.')
    return FrameBoxes(video_id, number, boxes_M6)


def _fields(message: bytes) -> Iterator[tuple[int, Any]]:
    """Field number and value of everything in a message: int, float or bytes."""
    place = 0
    while place < len(message):
        tag, place = _varint(message, place)
        kind = tag & 7
        if kind == VARINT:
            value, place = _varint(message, place)
        elif kind == BYTES:
            size, place = _varint(message, place)
            value, place = message[place : place + size], place + size
            if place > len(message):
                raise ValueError('it is cut short')
        elif kind in (FIXED32, FIXED64):
            form = '<f' if kind == FIXED32 else '<d'
            [value] = struct.unpack_from(form, message, place)
            place += struct.calcsize(form)
        else:
            raise ValueError(f'wire type {kind} is unknown')
        yield tag >> 3, value


def _varint(message: bytes, place: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = message[place]
        value |= (byte & 0x7F) << shift
        place, shift = place + 1, shift + 7
        if byte < 0x80:
            return value, place
