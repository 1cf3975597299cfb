"""The verbs of the demo: where hand and target are in every frame.

Positions are (x, y) in frame heights, y down, as a still camera would see them. The first frame
follows from `Start` alone, which is drawn without knowing the verb: only motion tells verbs apart.
"""

from dataclasses import dataclass

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from .parameters import DemoParameters

# Name -> EPIC-style category. Lift and put-down, push and pull, closer and apart are each
# other's reversal; lift and push differ by height; touch and pretend are halves of an action.
VERBS: dict[str, str] = {
    'push': 'manipulate',
    'lift': 'retrieve',
    'put-down': 'leave',
    'move-closer': 'manipulate',
    'touch': 'sense',
    'pull': 'manipulate',
    'move-apart': 'split',
    'pretend': 'other',
}
MOVING = tuple(verb for verb in VERBS if verb not in ('touch', 'pretend'))


@dataclass(frozen=True)
class Start:
    """What the first frame shows, and where the hand heads."""

    target: NDArray  # (2,)
    height: float  # of the target above the table
    companion: NDArray  # (2,)
    arm: NDArray  # (2,) unit vector along which the hand points
    reach: float
    grip: float


@dataclass(frozen=True)
class Track:
    """One row per frame: fingertips (T, 2), target (T, 2), its height (T,) and its growth (T,).

    `moments` are when the hand reaches the target and when the action is over, shares of the clip.
    """

    tips: NDArray
    target: NDArray
    height: NDArray
    growth: NDArray
    moments: tuple[float, float]


@dataclass(frozen=True)
class Displacement:
    """A move of the target: in the image (2,), and how much of it is height."""

    image: NDArray
    height: float


def draw_start(aspect: float, rng: Generator, params: DemoParameters) -> Start:
    """The beginning of a clip by chance; `aspect` is width over height of the frame."""
    target = np.array([rng.uniform(*params.start_x) * aspect, rng.uniform(*params.start_y)])
    tilt = np.deg2rad(rng.uniform(-1, 1) * params.companion_angle)
    aside = np.array([rng.choice([-1, 1]) * np.cos(tilt), np.sin(tilt)])
    return Start(
        target=target,
        height=rng.uniform(*params.start_height),
        companion=target + aside * rng.uniform(*params.companion_distance),
        arm=_turned(np.array([0.0, -1.0]), rng.uniform(-1, 1) * params.arm_angle),
        reach=rng.uniform(*params.reach),
        grip=rng.uniform(*params.grip),
    )


def draw_track(
    verb: str, start: Start, outline: NDArray, frames: int, rng: Generator, params: DemoParameters
) -> Track:
    """Carry out a verb.

    Args:
        outline: Hull (P, 2) of the target around its centre.
        frames: Length of the clip.
    """
    time = np.linspace(0, 1, frames)
    contact_time, end = rng.uniform(*params.approach_end), rng.uniform(*params.action_end)
    approach, action = _ease(time, 0, contact_time), _ease(time, contact_time, end)
    edge = float((outline @ -start.arm).max())
    still = Displacement(np.zeros(2), 0.0)
    first = start.target - start.arm * (start.grip * edge + start.reach)
    contact = start.target - start.arm * start.grip * edge
    if verb == 'pretend':
        contact = start.target - start.arm * (edge + rng.uniform(*params.pretend_gap))
        hand, moved = draw_displacement(str(rng.choice(MOVING)), start, rng, params), still
    elif verb == 'touch':
        image = start.arm * rng.uniform(*params.nudge)
        hand = moved = Displacement(image, 0.0)
    else:
        hand = moved = draw_displacement(verb, start, rng, params)
    tips = first + approach[:, None] * (contact - first) + action[:, None] * hand.image
    tips -= _ease(time, end, 1.05)[:, None] * start.arm * _withdrawal(verb, rng, params)
    tips[1:] += rng.normal(0, params.hand_tremor, (frames - 1, 2))
    growth = params.perspective * (moved.image[1] + moved.height) + params.rise * moved.height
    return Track(
        tips=tips,
        target=start.target + action[:, None] * moved.image,
        height=start.height + action * moved.height,
        growth=1 + action * growth,
        moments=(contact_time, end),
    )


def draw_displacement(
    verb: str, start: Start, rng: Generator, params: DemoParameters
) -> Displacement:
    """How far and where a moving verb takes the target.

    Raises:
        ValueError: If the verb does not move anything or is unknown.
    """
    distance = rng.uniform(*params.distance)
    jitter = rng.uniform(-1, 1) * params.direction_jitter
    forward = distance * _turned(start.arm, jitter)
    away = start.companion - start.target
    room = np.linalg.norm(away)
    aside = min(distance, 0.45 * room) * _turned(away / room, jitter)
    lifted = params.lift_height * distance
    moves = {
        'push': (forward, 0.0),
        'pull': (-forward, 0.0),
        'lift': (forward, lifted),
        'put-down': (-forward, -min(lifted, start.height)),
        'move-closer': (aside, 0.0),
        'move-apart': (-aside, 0.0),
    }
    if verb not in moves:
        raise ValueError(f'Expected a verb that moves the target, one of {MOVING}, got {verb!r}.')
    return Displacement(*moves[verb])


def _withdrawal(verb: str, rng: Generator, params: DemoParameters) -> float:
    """How far the hand goes back at the end; a lifted target is never left in the air."""
    leaves = rng.uniform() < params.withdraw_probability and verb != 'lift'
    return leaves * rng.uniform(*params.withdraw)


def _ease(time: NDArray, begin: float, end: float) -> NDArray:
    """Smooth step from 0 at `begin` to 1 at `end`."""
    phase = np.clip((time - begin) / (end - begin), 0, 1)
    return phase * phase * (3 - 2 * phase)


def _turned(vector: NDArray, degrees: float) -> NDArray:
    cos, sin = np.cos(np.deg2rad(degrees)), np.sin(np.deg2rad(degrees))
    return np.array([[cos, -sin], [sin, cos]]) @ vector
