"""Rough ground: random heights in small steps, every 0.2 m, with slopes between them."""

from __future__ import annotations

import numpy as np

from embodied.scenes.terrain.tile import inner

LARGEST = 0.1
"""Of the deviation either way at difficulty 1, m. legged_gym has 0.05 at any difficulty, Isaac Lab 0.02 to 0.10."""
STEP = 0.005
"""Heights are multiples of this, m; as in legged_gym."""
SPACING = 0.2
"""Between drawn heights, m; as in legged_gym."""


def rough(generator: np.random.Generator, difficulty: float, size: float, cell: float) -> np.ndarray:
    """(rows, columns) heights, m, uniform within ±difficulty · `LARGEST` where they are drawn."""
    between = inner(size, cell)
    steps = round(difficulty * LARGEST / STEP)
    drawn = STEP * generator.integers(-steps, steps + 1, (round(size / SPACING) + 1,) * 2)
    weights = _between(len(drawn), len(between))
    return np.where(between, weights @ drawn @ weights.T, 0.0).astype(np.float32)


def _between(coarse: int, fine: int) -> np.ndarray:
    """(fine, coarse) Weights of linear interpolation."""
    position = np.linspace(0, coarse - 1, fine)
    return np.maximum(1 - np.abs(position[:, None] - np.arange(coarse)), 0.0)
