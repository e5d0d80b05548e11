"""Easing: how something gets from here to there so that it looks alive, and smoothing by linear filters.

Minimum-jerk moves after Flash and Hogan, "The coordination of arm movements" (1985): speed and acceleration are zero at
both ends.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import ArrayLike

from embodied.motion.synthesise.quadruped import Array


def ease(fraction: ArrayLike) -> Array:
    """From 0 to 1 with least jerk; held outside."""
    u = np.clip(np.asarray(fraction, dtype=np.float64), 0.0, 1.0)
    return u**3 * (10.0 - 15.0 * u + 6.0 * u**2)


def arch(fraction: ArrayLike) -> Array:
    """From 0 up to 1 at two fifths, and gently down to 0; 0 outside. Feet are lifted faster than they are put down."""
    u = np.clip(np.asarray(fraction, dtype=np.float64), 0.0, 1.0)
    return u**2 * (1.0 - u) ** 3 / (0.4**2 * 0.6**3)


def hermite(fraction: ArrayLike, duration: float, start: Sequence[float], end: Sequence[float]) -> Array:
    """The polynomial of fifth degree between two states of (position, speed, acceleration), at fractions of the way."""
    u = np.asarray(fraction, dtype=np.float64)
    rows = []
    for at in (0.0, 1.0):
        powers = [[1, at, at**2, at**3, at**4, at**5]]
        powers.append([0, 1, 2 * at, 3 * at**2, 4 * at**3, 5 * at**4])
        powers.append([0, 0, 2, 6 * at, 12 * at**2, 20 * at**3])
        rows += powers
    scale = np.array((1.0, duration, duration**2))
    values = np.concatenate((np.asarray(start) * scale, np.asarray(end) * scale))
    factors = np.linalg.solve(np.array(rows, dtype=np.float64), values)
    return np.asarray(np.polynomial.polynomial.polyval(u, factors), dtype=np.float64)


class Channel:
    """One quantity over time: held or eased from key to key, each (time in s, value)."""

    def __init__(self, *keys: tuple[float, float]) -> None:
        self.keys = sorted(keys)

    def __call__(self, times: Array) -> Array:
        """The values at (n,) times."""
        values = np.full(len(times), self.keys[0][1], dtype=np.float64)
        for (t0, v0), (t1, v1) in pairwise(self.keys):
            if v1 != v0:
                values += (v1 - v0) * ease((times - t0) / (t1 - t0))
        return values


def low_pass(values: Array, step: float, corner: float) -> Array:
    """The bounded solution y of y'' = corner² (y - values), of periodic (n, …) values: a pendulum's answer.

    Args:
        values: (n, …) over one period.
        step: between samples, s.
        corner: rad/s.
    """
    square = _squares(len(values), step)
    return _filtered(values, corner**2 / (corner**2 + square))


def twice_integrated(values: Array, step: float, forget: float = 0.0) -> Array:
    """The periodic solution y of y'' = values - mean, with mean 0, of (n, …) values over one period.

    Args:
        values: (n, …) over one period.
        step: between samples, s.
        forget: rad/s; what changes more slowly than this is left out, so that nothing drifts: y'' = values + forget² y.
    """
    square = _squares(len(values), step)
    gain = np.zeros_like(square)
    gain[1:] = -1.0 / (square[1:] + forget**2)
    return _filtered(values, gain)


def _squares(count: int, step: float) -> Array:
    return np.asarray((2.0 * np.pi * np.fft.rfftfreq(count, step)) ** 2, dtype=np.float64)


def _filtered(values: Array, gain: Array) -> Array:
    shape = (-1,) + (1,) * (values.ndim - 1)
    return np.fft.irfft(np.fft.rfft(values, axis=0) * gain.reshape(shape), n=len(values), axis=0)
