"""Strips of clipped sawtooth across the way: DERL's ``rugged_square``."""

from __future__ import annotations

import numpy as np

from embodied.scenes.terrain.pool import samples

HALF_LENGTHS = (4.0, 8.0)
"""Along x, m; ours, as for hills: what DERL takes is not recorded."""
STRIP_WIDTHS = (1.0, 1.1, 1.2, 1.3, 1.4, 1.5, 1.6, 1.7, 1.8, 1.9)
"""Along y, m."""
PHASES = (10, 15)
"""Of the sawtooth over the length, in units of pi: 5 or 7.5 teeth."""
CLIPS = (0.2, 0.3)
"""Greatest height, m."""


def rubble(generator: np.random.Generator, width: float, cell: float) -> np.ndarray:
    """(rows, columns) heights, m, of strips side by side, each with its own width, teeth and height."""
    columns = samples(2 * generator.choice(HALF_LENGTHS), cell)
    rows = samples(width, cell)
    heights = np.zeros((rows, columns), dtype=np.float32)
    first = 0
    while first < rows:
        last = first + round(generator.choice(STRIP_WIDTHS) / cell)
        heights[first:last] = teeth(generator.choice(PHASES), generator.choice(CLIPS), columns)
        first = last
    return heights


def teeth(phase: float, clip: float, columns: int) -> np.ndarray:
    """(columns,) Heights, m: a sawtooth that rises from -1 to 1 m every 2 pi, cut off at the ground and at ``clip``.

    Each tooth is level ground, then a short ramp, then a plateau that ends in a drop. Of half a tooth only the level
    ground is left.
    """
    turns = np.linspace(0, phase / 2, columns)
    sawtooth = 2 * (turns % 1) - 1
    return np.clip(sawtooth, 0, clip).astype(np.float32)
