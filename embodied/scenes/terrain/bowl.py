"""A sinusoidal ring of bumps around level ground, as in the escape task of dm_control's quadruped and of DERL.

The ground rises with the cosine of the distance from the centre, is highest half way to the edge, and falls again. That
shape is multiplied by random numbers on a coarse grid, smoothly interpolated, so that the way out is bumpy.
"""

from __future__ import annotations

import numpy as np

from embodied.scenes.terrain.pool import samples

MAX_HEIGHT = 1.3
"""m."""
SMOOTHNESS = 0.15
"""Least factor of a bump; 1 would be a smooth bowl."""
BUMP_SCALE = 2.0
"""Distance between bumps, m."""
LEVEL_RADIUS = 2.0
"""Of level ground in the centre, m. dm_control keeps the shape's height constant there, but not the bumps'."""


def bowl(generator: np.random.Generator, size: float, cell: float) -> np.ndarray:
    """(rows, columns) heights, m, of a drawn bowl with sides of ``size``; the highest point is at `MAX_HEIGHT`."""
    count = samples(size, cell)
    bumps = generator.uniform(SMOOTHNESS, 1.0, (round(size / BUMP_SCALE) + 1,) * 2)
    heights = ring(size, count) * stretched(bumps, count)
    return (heights * (MAX_HEIGHT / heights.max())).astype(np.float32)


def ring(size: float, count: int) -> np.ndarray:
    """(count, count) The smooth shape, 0 in the centre and at the inscribed circle, 1 half way between."""
    axis = np.linspace(-size / 2, size / 2, count)
    radius = np.hypot(axis[:, None], axis)
    part = np.clip((radius - LEVEL_RADIUS) / (size / 2 - LEVEL_RADIUS), 0.0, 1.0)
    return 0.5 - 0.5 * np.cos(2 * np.pi * part)


def stretched(coarse: np.ndarray, count: int) -> np.ndarray:
    """(count, count) A square grid of numbers on a finer one: between them smooth and never beyond them."""
    weights = _weights(len(coarse), count)
    return weights @ coarse @ weights.T


def _weights(coarse: int, fine: int) -> np.ndarray:
    """(fine, coarse) How much each fine sample takes from each coarse one; flat at the coarse samples."""
    position = np.linspace(0, coarse - 1, fine)
    first = np.minimum(position.astype(int), coarse - 2)
    part = position - first
    part = part * part * (3 - 2 * part)
    weights = np.zeros((fine, coarse))
    weights[np.arange(fine), first] = 1 - part
    weights[np.arange(fine), first + 1] = part
    return weights
