"""What the tiles for legged robots share: a level platform in the middle, where a robot starts, and a level edge.

A tile is square, its edge is at height 0, so that level ground can surround it, and its difficulty is 0 to 1.
"""

from __future__ import annotations

import numpy as np

from embodied.scenes.terrain.pool import samples

PLATFORM = 2.0
"""Side of the platform, m; Isaac Lab's for slopes and stairs."""
EDGE = 0.25
"""Width of the level edge, m; Isaac Lab's for fields."""


def distance(size: float, cell: float) -> np.ndarray:
    """(rows, columns) Distance from the centre along the farther axis, m: the same all around a square."""
    axis = np.abs(np.linspace(-size / 2, size / 2, samples(size, cell)))
    return np.maximum(axis[:, None], axis)


def inner(size: float, cell: float) -> np.ndarray:
    """(rows, columns) bool: neither platform nor edge, but what is between."""
    away = distance(size, cell)
    return (away > PLATFORM / 2 + cell / 2) & (away < size / 2 - EDGE - cell / 2)
