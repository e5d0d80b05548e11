"""Stepping stones: square stones in a pit between the platform and the edge, at slightly different heights."""

from __future__ import annotations

import numpy as np

from embodied.scenes.terrain.tile import inner

LARGEST, SMALLEST = 0.9, 0.25
"""Side of a stone at difficulty 0 and 1, m. legged_gym's shrink from 1.6 to 0.08 m, too small to stand on."""
NARROWEST, WIDEST = 0.1, 0.3
"""Of the gaps between them at difficulty 0 and 1, m. legged_gym has 0.05 to 0.1."""
UNEVEN = 0.05
"""Deviation of a stone's height either way at difficulty 1, m."""
DEPTH = 1.0
"""Of the pit, m."""


def stone_side(difficulty: float, cell: float) -> float:
    """m, a whole number of cells."""
    return round((LARGEST + (SMALLEST - LARGEST) * difficulty) / cell) * cell


def stone_gap(difficulty: float, cell: float) -> float:
    """From stone to stone, m: a whole number of cells, two at least, as one would have no depth."""
    return max(round((NARROWEST + (WIDEST - NARROWEST) * difficulty) / cell), 2) * cell


def stepping_stones(generator: np.random.Generator, difficulty: float, size: float, cell: float) -> np.ndarray:
    """(rows, columns) heights, m. Each row of stones is shifted by a drawn length."""
    between = inner(size, cell)
    count = len(between)
    side, gap = round(stone_side(difficulty, cell) / cell), round(stone_gap(difficulty, cell) / cell)
    pitch = side + gap
    heights = np.full((count, count), -DEPTH, dtype=np.float32)
    for row in range(-int(generator.integers(pitch)), count, pitch):
        for column in range(-int(generator.integers(pitch)), count, pitch):
            rows = slice(max(row, 0), max(row + side + 1, 0))
            columns = slice(max(column, 0), max(column + side + 1, 0))
            heights[rows, columns] = generator.uniform(-UNEVEN, UNEVEN) * difficulty
    return np.where(between, heights, 0.0).astype(np.float32)
