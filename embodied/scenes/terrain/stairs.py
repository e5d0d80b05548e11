"""Stairs: a stepped pyramid, on whose top or at whose bottom a robot starts."""

from __future__ import annotations

import numpy as np

from embodied.scenes.terrain.tile import EDGE, PLATFORM, distance

LOWEST, HIGHEST = 0.05, 0.23
"""Of a step at difficulty 0 and 1, m; legged_gym's and Isaac Lab's."""
TREAD = 0.3
"""Length of a step, m; Isaac Lab's. legged_gym has 0.31."""


def step_height(difficulty: float) -> float:
    """Of one step, m."""
    return LOWEST + (HIGHEST - LOWEST) * difficulty


def stairs_down(generator: np.random.Generator, difficulty: float, size: float, cell: float) -> np.ndarray:
    """(rows, columns) heights, m: the platform is on top. As many steps as fit; the platform takes what is left."""
    count = int((size / 2 - EDGE - PLATFORM / 2) / TREAD + 1e-9)
    inwards = (size / 2 - EDGE - distance(size, cell)) / TREAD
    steps = np.clip(np.floor(inwards + 1e-9) + 1, 0, count)
    return (step_height(difficulty) * steps).astype(np.float32)


def stairs_up(generator: np.random.Generator, difficulty: float, size: float, cell: float) -> np.ndarray:
    """(rows, columns) heights, m: the platform is at the bottom."""
    return -stairs_down(generator, difficulty, size, cell)
