"""Footfalls: when each foot stands, where it is put down, and how it gets from there to the next place.

A foot stands still in the world. It is put where its stance is symmetrical: under its shoulder or hip when the body
passes half way through the stance, straight ahead, sideways or in a turn alike.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from embodied.motion.synthesise.easing import arch, ease
from embodied.motion.synthesise.quadruped import Array, Quadruped


@dataclass(frozen=True, eq=False)
class Path:
    """(n,) Where the middle between the feet passes over the ground, and the heading there; times evenly spaced."""

    times: Array
    x: Array
    y: Array
    heading: Array

    @classmethod
    def along(cls, times: Array, forward: Array, sideways: Array, turning: Array) -> Path:
        """The path of a body with (n,) speeds ahead and to the left, m/s, and turning, rad/s; at 0 s in the origin."""
        start = int(np.argmin(np.abs(times)))
        heading = _integrated(times, turning, start)
        cosine, sine = np.cos(heading), np.sin(heading)
        x = _integrated(times, cosine * forward - sine * sideways, start)
        y = _integrated(times, sine * forward + cosine * sideways, start)
        return cls(times, x, y, heading)

    def at(self, time: float) -> tuple[float, float, float]:
        """x, y and heading at a time."""
        x, y, heading = (float(np.interp(time, self.times, each)) for each in (self.x, self.y, self.heading))
        return x, y, heading

    def seen(self, points: Array) -> Array:
        """(n, 2) World points, (n, 2), as seen from the body at each time."""
        x, y = points[:, 0] - self.x, points[:, 1] - self.y
        cosine, sine = np.cos(self.heading), np.sin(self.heading)
        return np.stack((cosine * x + sine * y, -sine * x + cosine * y), axis=1)

    def placed(self, offsets: Array, rows: NDArray[np.int64]) -> Array:
        """(m, 2) The inverse of `seen`, at m of the times."""
        cosine, sine = np.cos(self.heading[rows]), np.sin(self.heading[rows])
        x, y = offsets.T
        return np.stack((self.x[rows] + cosine * x - sine * y, self.y[rows] + sine * x + cosine * y), axis=1)


Stance = tuple[float, float]
"""When a foot comes down and when it leaves, s."""


def stances(times: Array, phase: Array, duty: Array) -> list[Stance]:
    """All stances of a foot that begin and end within the times.

    Args:
        times: (n,) s.
        phase: (n,) rising; the foot comes down at whole numbers.
        duty: (n,) part of a stride that it then stands.
    """
    strides = np.arange(np.ceil(phase[0]), np.floor((phase - duty)[-1]) + 1)
    down, up = np.interp(strides, phase, times), np.interp(strides, phase - duty, times)
    return [(float(a), float(b)) for a, b in zip(down, up, strict=True)]


def between_stands(found: list[Stance], first: float, last: float, go: float, halt: float) -> list[Stance]:
    """Stances of a foot that swings only between two moments, and stands before and after, s.

    Args:
        found: of the gait.
        first: when the first stance begins.
        last: when the last one ends.
        go: before this no foot leaves the ground.
        halt: after this none is in the air.
    """
    swings = [(up, down) for (_, up), (down, _) in pairwise(found) if up >= go and down <= halt]
    edges = [first, *(each for swing in swings for each in swing), last]
    return list(zip(edges[::2], edges[1::2], strict=True))


def footholds(path: Path, standing: list[Stance], neutral: Array, stands_at_ends: bool) -> Array:
    """(stances, 2) Where a foot is put down, m.

    Args:
        path: of the body.
        standing: its stances, in turn.
        neutral: (n, 2) where it belongs as seen from the body, at the path's times.
        stands_at_ends: whether the body stands before the first stance's end and after the last one's beginning.
    """
    places = []
    for number, (down, up) in enumerate(standing):
        middle = 0.5 * (down + up)
        if stands_at_ends and number == 0:
            middle = down
        elif stands_at_ends and number == len(standing) - 1:
            middle = up
        x, y, heading = path.at(middle)
        cosine, sine = np.cos(heading), np.sin(heading)
        ahead, aside = (np.interp(middle, path.times, each) for each in neutral.T)
        places.append((x + cosine * ahead - sine * aside, y + sine * ahead + cosine * aside))
    return np.array(places)


def foot_motion(
    times: Array, standing: list[Stance], places: Array, radius: float, lift: Array
) -> tuple[Array, NDArray[np.bool_]]:
    """(n, 3) The centre of a foot, m, and (n,) whether it stands.

    Args:
        times: (n,) s.
        standing: its stances, in turn.
        places: (stances, 2) where.
        radius: of its ball, m.
        lift: (n,) how high it is lifted in a swing at that time, m.
    """
    feet = np.empty((len(times), 3))
    feet[:, :2], feet[:, 2] = places[0], radius
    contact = np.ones(len(times), dtype=bool)
    for (_, up), (down, _), old, new in zip(standing, standing[1:], places, places[1:], strict=False):
        part = (times - up) / (down - up)
        feet[:, :2] += ease(part)[:, None] * (new - old)
        feet[:, 2] += float(np.interp(0.5 * (up + down), times, lift)) * arch(part)
        contact &= (part <= 0.0) | (part >= 1.0)
    return feet, contact


def neutral_feet(robot: Quadruped) -> Array:
    """(4, 2) Where the feet stand as seen from the middle between them, m."""
    return robot.feet[:, :2] - robot.feet[:, :2].mean(axis=0)


def _integrated(times: Array, rates: Array, start: int) -> Array:
    step = np.diff(times) * 0.5 * (rates[1:] + rates[:-1])
    total = np.concatenate(([0.0], np.cumsum(step)))
    return total - total[start]
