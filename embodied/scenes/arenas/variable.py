"""Variable terrain: a corridor of hills, steps and rubble between walls, DERL's VT and, smaller, MVT arenas."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from embodied.scenes.arenas.pooled import PooledArena
from embodied.scenes.terrain.corridor import FIRST_HALF_LENGTH, corridor
from embodied.scenes.terrain.pool import HeightFields


@dataclass(frozen=True)
class VariableArena(PooledArena):
    """A pool of corridors along x. The origin is 3 m from the rear wall, in the middle of the first level piece."""

    length: float = 100.0
    """Along x, m."""
    width: float = 100.0
    """Along y, m."""
    count: int = 16
    """Fields in the pool; each takes 4 MB at the default size."""
    seed: int = 0
    """Of the pool."""
    cell: float = 0.1
    """Between samples, m."""
    wall_height: float = 2.0
    """m."""

    def draw_fields(self) -> HeightFields:
        """The pool; the same at every call. A pool with more fields begins with those of a smaller one."""
        generators = [np.random.default_rng(s) for s in np.random.SeedSequence(self.seed).spawn(self.count)]
        heights = np.stack([corridor(g, self.length, self.width, self.cell) for g in generators])
        kinds = ("corridor",) * self.count
        return HeightFields(heights, self.cell, -FIRST_HALF_LENGTH, -self.width / 2, np.zeros(self.count), kinds)


def manipulation_arena(count: int = 16, seed: int = 0) -> VariableArena:
    """The 60 x 40 m variable terrain of DERL's manipulation environment."""
    return VariableArena(60.0, 40.0, count, seed)
