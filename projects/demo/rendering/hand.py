"""The hand of the demo: skin with fingers, nails and a sleeve, pointing up from the origin.

The origin is where the fingertips meet the target; the arm leaves the frame below.
"""

from dataclasses import dataclass

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from .canvas import DRAW_DENSITY, Canvas, Colour, Sprite, hsv, tinted

SKIN: tuple[Colour, ...] = (  # BGR
    (180, 205, 242),
    (150, 182, 228),
    (122, 158, 212),
    (95, 130, 190),
    (70, 98, 152),
    (52, 72, 112),
)
ARM_LENGTH = 1.2  # frame heights; reaches past the frame's edge from everywhere
HAND_LENGTH = 0.40  # from fingertips to wrist
KNUCKLES = np.array([[-0.075, 0.19], [-0.026, 0.175], [0.026, 0.18], [0.073, 0.20]])
FINGER_LENGTHS = (0.165, 0.185, 0.17, 0.135)
THUMB_TIP = (-0.150, 0.155)
KEYPOINTS = ('wrist', 'thumb', 'index', 'middle', 'little')


@dataclass(frozen=True)
class HandLook:
    """What differs between hands; lengths in frame heights."""

    skin: Colour
    sleeve: Colour
    stripe: Colour
    side: int  # 1: thumb on the left (a right hand seen from above), -1: mirrored
    spread: float  # of the fingers, radians
    size: float
    cuff: float  # where the sleeve begins


def draw_look(rng: Generator) -> HandLook:
    """A hand by chance: skin, sleeve, side, spread of the fingers."""
    sleeve = hsv(rng.uniform(), rng.uniform(0.1, 0.8), rng.uniform(0.25, 0.85))
    return HandLook(
        skin=tinted(SKIN[rng.integers(len(SKIN))], rng.uniform(0.92, 1.06)),
        sleeve=sleeve,
        stripe=tinted(sleeve, rng.choice([0.7, 1.0, 1.35])),
        side=int(rng.choice([-1, 1])),
        spread=rng.uniform(0.08, 0.17),
        size=rng.uniform(0.90, 1.08),
        cuff=rng.uniform(0.42, 0.62),
    )


def draw_hand(look: HandLook, height: int, light: NDArray) -> Sprite:
    """The sprite of a hand; its outline covers fingers and palm, not the sleeve."""
    width = 0.21 * look.size
    extent = (-width, -0.08, width, ARM_LENGTH)
    canvas = Canvas(extent, DRAW_DENSITY * height, _proportions(look))
    _draw_arm(canvas, look)
    canvas.solid.clear()  # boxes of hands hold fingers and palm, not the arm
    _draw_palm_and_fingers(canvas, look)
    return canvas.sprite(light, 0.035, 0.12, 0.022)


def hand_keypoints(look: HandLook) -> NDArray:
    """Where `KEYPOINTS` lie on the sprite, (5, 2) in frame heights: the wrist and four tips."""
    tips = [joints[-1] for joints in _fingers(look)]
    wrist = (0.0, HAND_LENGTH - 0.02)
    points = np.array([wrist, THUMB_TIP, tips[0], tips[1], tips[3]])
    return points @ _proportions(look).T


def _proportions(look: HandLook) -> NDArray:
    """The 2x2 matrix from the hand as it is drawn to the hand as it looks."""
    return look.size * np.diag([look.side, 1.0])


def _fingers(look: HandLook) -> list[tuple[NDArray, NDArray, NDArray]]:
    """Knuckle, middle joint and tip of the four fingers, the thumb's neighbour first."""
    fingers = []
    for index, (knuckle, length) in enumerate(zip(KNUCKLES, FINGER_LENGTHS, strict=True)):
        angle = look.spread * (index - 1.5)
        # The fingers curl towards each other at the tip, as a hand does that takes something.
        middle = knuckle + 0.55 * length * np.array([np.sin(angle), -np.cos(angle)])
        tip = middle + 0.45 * length * np.array([-np.sin(angle), -np.cos(angle)])
        fingers.append((knuckle, middle, tip))
    return fingers


def _draw_arm(canvas: Canvas, look: HandLook) -> None:
    wrist, end = HAND_LENGTH - 0.06, ARM_LENGTH / look.size + 0.05
    canvas.polygon([(-0.075, wrist), (0.075, wrist), (0.11, end), (-0.11, end)], look.skin)
    cuff = look.cuff
    canvas.polygon([(-0.105, cuff), (0.105, cuff), (0.16, end), (-0.16, end)], look.sleeve)
    for start in np.arange(cuff + 0.06, end, 0.12):
        band = [(-0.2, start), (0.2, start), (0.2, start + 0.05), (-0.2, start + 0.05)]
        canvas.polygon(band, look.stripe, solid=False)
    canvas.stroke([(-0.105, cuff), (0.105, cuff)], 0.03, tinted(look.sleeve, 0.8))


def _draw_palm_and_fingers(canvas: Canvas, look: HandLook) -> None:
    """Four fingers from the knuckles, a thumb from the side, the palm's back over their roots."""
    skin, crease, nail = look.skin, tinted(look.skin, 0.72), tinted(look.skin, 1.16)
    canvas.stroke([(-0.07, 0.32), (-0.145, 0.245), THUMB_TIP], 0.055, skin)
    canvas.disc((-0.151, 0.150), (0.015, 0.019), nail, solid=False)
    for knuckle, middle, tip in _fingers(look):
        canvas.stroke([knuckle, middle, tip], 0.050, crease)
        canvas.stroke([knuckle, middle, tip], 0.043, skin)
        canvas.disc(tip + (0, 0.002), (0.013, 0.017), nail, solid=False)
        canvas.stroke([middle - (0.012, 0), middle + (0.012, 0)], 0.007, crease, solid=False)
    palm = [(-0.10, 0.20), (-0.05, 0.165), (0.05, 0.165), (0.098, 0.20), (0.095, 0.28)]
    palm += [(0.074, 0.36), (0.075, 0.40), (-0.075, 0.40), (-0.078, 0.35), (-0.11, 0.29)]
    canvas.polygon(palm, skin)
    for knuckle in KNUCKLES:
        canvas.disc(knuckle + (0, 0.012), (0.014, 0.008), crease, solid=False)
