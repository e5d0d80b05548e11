"""Velocities of evenly spaced poses by differences over both neighbours, and what a cycle of a loop travels.

Inside a clip the error is of second order in the frame's length. At the ends of one that is not looped it is of first
order: no velocity is larger than the fastest step, which extrapolation would not promise. Looped clips have no ends:
beyond the last frame lies the first, displaced and turned by the `Cycle`.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from embodied.motion.quaternions import (
    conjugate,
    from_yaw,
    multiply,
    rotate,
    rotation_vector,
    yaw_of,
)

Array = NDArray[np.float64]


class Cycle(NamedTuple):
    """What one cycle of a looped clip adds: frame T lies where frame 0 lay, moved by this."""

    x: float = 0.0
    """m, in the world of the clip."""
    y: float = 0.0
    """m."""
    heading: float = 0.0
    """Turn about the vertical through the root, rad."""


STANDING = Cycle()
"""Of what stays where it is."""


def moved(pos: Array, quat: Array, origin: Array, cycle: Cycle, cycles: int = 1) -> tuple[Array, Array]:
    """Poses some cycles later.

    Args:
        pos: (…, 3) m.
        quat: (…, 4).
        origin: (3,) where the root is in the first frame, m.
        cycle: what each adds.
        cycles: how many; may be negative.
    """
    sign = 1 if cycles >= 0 else -1
    place = np.zeros(2)
    for i in range(abs(cycles)):
        angle = cycle.heading * (i if sign > 0 else -(i + 1))
        cosine, sine = np.cos(angle), np.sin(angle)
        place += sign * np.array((cosine * cycle.x - sine * cycle.y, sine * cycle.x + cosine * cycle.y))
    turn = from_yaw(cycles * cycle.heading)
    anchor = np.array((origin[0], origin[1], 0.0))
    return rotate(turn, pos - anchor) + anchor + (*place, 0.0), multiply(turn, quat)


def estimated_cycle(pos: Array, quat: Array) -> Cycle:
    """What a cycle travels where only its T frames are known: the step across the seam is the mean of its neighbours.

    Args:
        pos: (T, 3) m.
        quat: (T, 4).
    """
    yaw = np.unwrap(yaw_of(quat))
    first, last = _step(pos[0], pos[1], yaw[0]), _step(pos[-2], pos[-1], yaw[-2])
    turn = 0.5 * ((yaw[1] - yaw[0]) + (yaw[-1] - yaw[-2]))
    x, y = 0.5 * (first + last)
    cosine, sine = np.cos(yaw[-1]), np.sin(yaw[-1])
    travel = pos[-1, :2] - pos[0, :2] + (cosine * x - sine * y, sine * x + cosine * y)
    return Cycle(float(travel[0]), float(travel[1]), float(yaw[-1] - yaw[0] + turn))


def linear_velocity(values: Array, frame_rate: float, beyond: tuple[Array, Array] | None) -> Array:
    """(T, N) Differences over both neighbours.

    Args:
        values: (T, N).
        frame_rate: frames in a second.
        beyond: what comes before the first frame and what follows the last, (1, N) each; None where nothing does,
            and the ends are one-sided.
    """
    if beyond is not None:
        padded = np.concatenate((beyond[0], values, beyond[1]))
        return (padded[2:] - padded[:-2]) * (0.5 * frame_rate)
    return np.gradient(values, 1.0 / frame_rate, axis=0)


def root_velocity(pos: Array, quat: Array, frame_rate: float, cycle: Cycle | None) -> Array:
    """(T, 6) Of the root: linear in the world's frame, m/s; angular in the root's own, rad/s.

    Args:
        pos: (T, 3) m.
        quat: (T, 4).
        frame_rate: frames in a second.
        cycle: of a looped clip; None for one that ends.
    """
    if cycle is None:
        linear = linear_velocity(pos, frame_rate, None)
        return np.concatenate((linear, _angular_open(quat, frame_rate)), axis=1)
    after = moved(pos[:1], quat[:1], pos[0], cycle)
    before = moved(pos[-1:], quat[-1:], pos[0], cycle, -1)
    padded = np.concatenate((before[1], quat, after[1]))
    angular = _turns(padded[:-2], padded[2:]) * (0.5 * frame_rate)
    return np.concatenate((linear_velocity(pos, frame_rate, (before[0], after[0])), angular), axis=1)


def _angular_open(quat: Array, frame_rate: float) -> Array:
    angular = np.empty((len(quat), 3))
    angular[1:-1] = _turns(quat[:-2], quat[2:]) * (0.5 * frame_rate)
    angular[0], angular[-1] = _turns(quat[0], quat[1]) * frame_rate, _turns(quat[-2], quat[-1]) * frame_rate
    return angular


def _turns(start: Array, end: Array) -> Array:
    """(…, 3) Rotation from one orientation to another, in the frame of the first (and of the second alike), rad."""
    return rotation_vector(multiply(conjugate(start), end))


def _step(start: Array, end: Array, yaw: float) -> Array:
    """(2,) Horizontal step as seen along a heading, m."""
    cosine, sine = np.cos(yaw), np.sin(yaw)
    x, y = end[:2] - start[:2]
    return np.array((cosine * x + sine * y, -sine * x + cosine * y))
