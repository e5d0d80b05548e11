"""Slopes: a pyramid with its top cut off, on whose top or at whose bottom a robot starts."""

from __future__ import annotations

import numpy as np

from embodied.scenes.terrain.tile import EDGE, PLATFORM, distance

STEEPEST = 0.4
"""Rise per metre at difficulty 1; legged_gym's and Isaac Lab's."""


def slopes_down(generator: np.random.Generator, difficulty: float, size: float, cell: float) -> np.ndarray:
    """(rows, columns) heights, m: the platform is on top."""
    between = np.clip(size / 2 - EDGE - distance(size, cell), 0, size / 2 - EDGE - PLATFORM / 2)
    return (STEEPEST * difficulty * between).astype(np.float32)


def slopes_up(generator: np.random.Generator, difficulty: float, size: float, cell: float) -> np.ndarray:
    """(rows, columns) heights, m: the platform is at the bottom."""
    return -slopes_down(generator, difficulty, size, cell)
