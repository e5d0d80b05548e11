"""A half-sine hill across the way: DERL's ``curve_slope``."""

from __future__ import annotations

import numpy as np

from embodied.scenes.terrain.pool import samples

HALF_LENGTHS = (4.0, 8.0)
"""Along x, m."""
HEIGHTS = (0.6, 0.7, 0.8, 0.9, 1.0, 1.1, 1.2)
"""Of the crest, m."""


def curve_slope(generator: np.random.Generator, width: float, cell: float) -> np.ndarray:
    """(rows, columns) heights, m, of a hill with a drawn length and crest, level at both ends."""
    return hill(generator.choice(HALF_LENGTHS), generator.choice(HEIGHTS), width, cell)


def hill(half_length: float, height: float, width: float, cell: float) -> np.ndarray:
    """(rows, columns) heights, m, of a given hill; the same in every row."""
    columns = samples(2 * half_length, cell)
    profile = height * np.sin(np.linspace(0, np.pi, columns))
    return np.tile(profile.astype(np.float32), (samples(width, cell), 1))
