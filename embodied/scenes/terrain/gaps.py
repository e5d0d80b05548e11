"""Gaps: square trenches around the platform, one after the other, to be stepped or jumped over."""

from __future__ import annotations

import numpy as np

from embodied.scenes.terrain.tile import EDGE, PLATFORM, distance

NARROWEST, WIDEST = 0.1, 0.6
"""Of a gap at difficulty 0 and 1, m. legged_gym has a single gap of up to 1 m, wider than a small quadruped jumps."""
GROUND = 0.8
"""Level ground between two gaps, m."""
DEPTH = 1.0
"""m."""


def gap_width(difficulty: float, cell: float) -> float:
    """From lip to lip, m: a whole number of cells, two at least, as one would have no depth."""
    return max(round((NARROWEST + (WIDEST - NARROWEST) * difficulty) / cell), 2) * cell


def gaps(generator: np.random.Generator, difficulty: float, size: float, cell: float) -> np.ndarray:
    """(rows, columns) heights, m: level, with trenches as long as they fit. Their walls are one cell thick."""
    away = distance(size, cell)
    heights = np.zeros(away.shape, dtype=np.float32)
    width = gap_width(difficulty, cell)
    lip = PLATFORM / 2
    while lip + width <= size / 2 - EDGE + 1e-9:
        heights[(away > lip + cell / 2) & (away < lip + width - cell / 2)] = -DEPTH
        lip += width + GROUND
    return heights
