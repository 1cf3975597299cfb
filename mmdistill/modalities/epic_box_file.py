"""EPIC-KITCHENS' automatic annotations: a pickle per video, a list of protobuf messages as bytes.

A pickle can run any code. This one needs lists and bytes alone, so every name that it would import
is refused; the messages are decoded here, field by field, from the owners' schemas `types.proto`.
https://github.com/epic-kitchens/epic-kitchens-100-hand-object-bboxes
https://github.com/epic-kitchens/epic-kitchens-100-object-masks

Shape legend: M boxes of a frame.
"""

import pickle
import struct
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from .box_annotations import HAND, OBJECT
from .video_detections import impossible_boxes

BOX = 1  # field of a detection, in both schemas
# Wire types of protobuf.
VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5
MOST_BYTES = 10  # of a varint, which holds 64 bits
# What decoding any other bytes can raise.
DAMAGED = (ArithmeticError, AttributeError, LookupError, TypeError, ValueError, struct.error)


class Schema(NamedTuple):
    """Field numbers of the message of a frame.

    Attributes:
        video_id: The video's name; None where a message has none.
        number: The frame's number.
        detections: Field of a list of detections to their label; None where each has a class.
        score: Field of a detection.
        category: Field of a detection: its class, of which 0 is the background.
        num_categories: How many classes there are, without the background.
    """

    video_id: int | None
    number: int
    detections: Mapping[int, int | None]
    score: int
    category: int | None = None
    num_categories: int = 0


HANDS_AND_OBJECTS = Schema(video_id=1, number=2, detections={3: HAND, 4: OBJECT}, score=2)
# The classes are COCO's 80, in COCO's order. The masks themselves, field 2, are left alone.
OBJECT_MASKS = Schema(
    video_id=None, number=2, detections={3: None}, score=3, category=4, num_categories=80
)


class FrameBoxes(NamedTuple):
    """One message: the boxes of a frame, (M, 6) float32 x1 y1 x2 y2 (fractions), score, label."""

    video_id: str | None
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
            f'{path} cannot be read as detections of EPIC-KITCHENS ({error}): expected a pickled '
            'list of bytes and nothing else; download it again.'
        ) from error
    if not isinstance(messages, list) or not all(isinstance(m, bytes) for m in messages):
        raise ValueError(f'{path} holds no list of bytes; expected one protobuf message per frame.')
    return messages


def decode_message(message: bytes, where: str, schema: Schema = HANDS_AND_OBJECTS) -> FrameBoxes:
    """Decode the detections of one frame; what is no box is left out, see `impossible_boxes`.

    Raises:
        ValueError: It is no such message, or its boxes are not fractions; begins with `where`.
    """
    video_id, number, rows = None if schema.video_id is None else '', 0, []
    try:
        for field, value in _fields(message):
            if field == schema.video_id:
                video_id = value.decode()
            elif field == schema.number:
                number = int(value)
            elif field in schema.detections:
                rows.append(_row(value, schema.detections[field], schema))
        boxes_M6 = np.array(rows, np.float32).reshape(-1, 6)
    except DAMAGED as error:
        raise ValueError(f'{where} is no message of detections ({error!r}).') from error
    # Detectors draw a little beyond the frame; pixels are far larger.
    if not np.isfinite(boxes_M6).all() or (np.abs(boxes_M6[:, :4]) > 2).any():
        raise ValueError(f'{where}: expected coordinates as fractions of the frame, not pixels.')
    boxes_M6 = boxes_M6[~impossible_boxes(boxes_M6[:, :4], boxes_M6[:, 4])]
    return FrameBoxes(video_id, number, boxes_M6)


def _row(detection: bytes, label: int | None, schema: Schema) -> tuple[float, ...]:
    parts = dict(_fields(detection))
    box = dict(_fields(parts.get(BOX, b'')))
    # A number that is 0 is not written.
    corners = (float(box.get(i, 0.0)) for i in range(1, 5))
    if label is None:
        label = int(parts.get(schema.category, 0)) - 1
        if not 0 <= label < schema.num_categories:
            raise ValueError(f'class {label + 1} is not among 1 to {schema.num_categories}')
    return *corners, float(parts.get(schema.score, 0.0)), label


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
    value = 0
    for number in range(MOST_BYTES):
        byte = message[place + number]
        value |= (byte & 0x7F) << 7 * number
        if byte < 0x80:
            return value, place + number + 1
    raise ValueError(f'a number of more than {MOST_BYTES} bytes')
