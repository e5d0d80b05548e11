"""Hills, steps and rubble in a row, with level ground between them: DERL's variable terrain."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from embodied.scenes.terrain.curve_slope import curve_slope
from embodied.scenes.terrain.pool import level_field, samples
from embodied.scenes.terrain.rubble import rubble
from embodied.scenes.terrain.steps import steps

FIRST_HALF_LENGTH = 3.0
"""Of the level ground at the start, m; a robot begins in its middle."""
HALF_LENGTHS = (1.0, 2.0, 3.0)
"""Of the level ground before each obstacle, m."""
OBSTACLES: dict[str, Callable[[np.random.Generator, float, float], np.ndarray]] = {
    "curve_slope": curve_slope,
    "steps": steps,
    "rugged_square": rubble,
}
"""By DERL's names; each is drawn equally often."""


def corridor(generator: np.random.Generator, length: float, width: float, cell: float) -> np.ndarray:
    """(rows, columns) heights, m, of a drawn corridor along x.

    Level ground 6 m long, then level ground and an obstacle in turn until the length is used; the last is cut off.
    """
    heights = level_field(length, width, cell)
    for _, first, obstacle in obstacles(generator, length, width, cell):
        room = heights[:, first : first + obstacle.shape[1]]
        room[:] = obstacle[:, : room.shape[1]]
    return heights


def obstacles(
    generator: np.random.Generator, length: float, width: float, cell: float
) -> Iterator[tuple[str, int, np.ndarray]]:
    """Yields each obstacle's name, its first column in the corridor, and its (rows, columns) heights, m."""
    names = tuple(OBSTACLES)
    end = samples(length, cell) - 1
    at = round(2 * FIRST_HALF_LENGTH / cell) + round(2 * generator.choice(HALF_LENGTHS) / cell)
    while at < end:
        name = names[generator.integers(len(names))]
        heights = OBSTACLES[name](generator, width, cell)
        yield name, at, heights
        at += heights.shape[1] - 1 + round(2 * generator.choice(HALF_LENGTHS) / cell)
