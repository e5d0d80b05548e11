"""A flight of steps up and down across the way: DERL's ``steps``."""

from __future__ import annotations

import numpy as np

from embodied.scenes.terrain.pool import samples

HALF_LENGTHS = (12.0, 16.0)
"""Along x, m."""
TREADS = (0.0, 0.2, 0.4, 0.6, 0.6, 0.4, 0.2, 0.0)
"""Heights of the eight equally long steps, m."""


def steps(generator: np.random.Generator, width: float, cell: float) -> np.ndarray:
    """(rows, columns) heights, m, of a flight of drawn length."""
    return flight(generator.choice(HALF_LENGTHS), width, cell)


def flight(half_length: float, width: float, cell: float) -> np.ndarray:
    """(rows, columns) heights, m, of a given flight; the same in every row.

    A height field has no vertical faces: a riser is one cell long, and ends where the next tread begins.
    """
    columns = samples(2 * half_length, cell)
    tread = np.minimum(np.arange(columns) * len(TREADS) // (columns - 1), len(TREADS) - 1)
    profile = np.array(TREADS, dtype=np.float32)[tread]
    return np.tile(profile, (samples(width, cell), 1))
