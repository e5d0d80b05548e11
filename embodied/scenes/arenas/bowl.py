"""The bowl: bumpy ground to escape from, DERL's escape arena."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from embodied.scenes.arenas.pooled import PooledArena
from embodied.scenes.terrain.bowl import bowl
from embodied.scenes.terrain.pool import HeightFields


@dataclass(frozen=True)
class BowlArena(PooledArena):
    """A pool of bowls with the origin in the centre, without walls."""

    size: float = 100.0
    """Along x and y, m."""
    count: int = 8
    """Fields in the pool; each takes 4 MB at the default size."""
    seed: int = 0
    """Of the pool."""
    cell: float = 0.1
    """Between samples, m."""

    def draw_fields(self) -> HeightFields:
        """The pool; the same at every call. A pool with more fields begins with those of a smaller one."""
        generators = [np.random.default_rng(s) for s in np.random.SeedSequence(self.seed).spawn(self.count)]
        heights = np.stack([bowl(g, self.size, self.cell) for g in generators])
        kinds = ("bowl",) * self.count
        return HeightFields(heights, self.cell, -self.size / 2, -self.size / 2, np.zeros(self.count), kinds)
