"""Tiles for legged robots: kinds of ground, each at several levels of difficulty, surrounded by level ground."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import mujoco
import numpy as np

from embodied.scenes.arenas.look import GROUND_MATERIAL
from embodied.scenes.arenas.pooled import PooledArena
from embodied.scenes.terrain.gaps import gaps
from embodied.scenes.terrain.pool import FRICTION, HeightFields, level_field
from embodied.scenes.terrain.rough import rough
from embodied.scenes.terrain.slopes import slopes_down, slopes_up
from embodied.scenes.terrain.stairs import stairs_down, stairs_up
from embodied.scenes.terrain.stepping_stones import stepping_stones

KINDS: dict[str, Callable[[np.random.Generator, float, float, float], np.ndarray]] = {
    "rough": rough,
    "slopes_up": slopes_up,
    "slopes_down": slopes_down,
    "stairs_up": stairs_up,
    "stairs_down": stairs_down,
    "gaps": gaps,
    "stepping_stones": stepping_stones,
}
"""Generators by name: of a numpy generator, a difficulty, a size and a cell."""


@dataclass(frozen=True)
class LeggedArena(PooledArena):
    """A pool of kinds x levels square tiles with the origin on the platform in their middle.

    Level 0 of every kind is level ground; the others' difficulties rise evenly to 1. Field `field_id(kind, level)` of
    the pool is that kind's level.
    """

    kinds: tuple[str, ...] = tuple(KINDS)
    """Names of kinds of ground."""
    levels: int = 6
    """Of each kind, level ground included; two at least."""
    seed: int = 0
    """Of the pool."""
    size: float = 10.0
    """Side of a tile, m."""
    cell: float = 0.05
    """Between samples, m."""
    border: float = 20.0
    """Width of the level ground around a tile, m."""

    def __post_init__(self) -> None:
        if unknown := [kind for kind in self.kinds if kind not in KINDS]:
            raise ValueError(f"no kinds of ground are {', '.join(unknown)}; there are {', '.join(KINDS)}")
        if not self.kinds or self.levels < 2:
            raise ValueError(f"at least one kind and two levels are needed, not {len(self.kinds)} and {self.levels}")

    @property
    def ahead(self) -> float:
        """Extent from the origin along x, the border included, m."""
        return self.size / 2 + self.border

    @property
    def behind(self) -> float:
        """Extent from the origin against x, the border included, m."""
        return self.ahead

    @property
    def half_width(self) -> float:
        """Extent to each side, the border included, m."""
        return self.ahead

    @property
    def difficulties(self) -> tuple[float, ...]:
        """Of the levels, 0 to 1."""
        return tuple(level / (self.levels - 1) for level in range(self.levels))

    def field_id(self, kind: int, level: int) -> int:
        """Number in the pool of a level of the kind with that number in `kinds`; tensors are welcome."""
        return kind * self.levels + level

    def draw_fields(self) -> HeightFields:
        """The pool; the same at every call."""
        seeds = np.random.SeedSequence(self.seed).spawn(len(self.kinds))
        heights, kinds = [], []
        for kind, seed in zip(self.kinds, seeds, strict=True):
            generator = np.random.default_rng(seed)
            heights.append(level_field(self.size, self.size, self.cell))
            kinds.append("level")
            for difficulty in self.difficulties[1:]:
                heights.append(KINDS[kind](generator, difficulty, self.size, self.cell))
                kinds.append(kind)
        difficulties = np.tile(self.difficulties, len(self.kinds))
        return HeightFields(np.stack(heights), self.cell, -self.size / 2, -self.size / 2, difficulties, tuple(kinds))

    def spec(self) -> mujoco.MjSpec:
        """A fresh spec of tile, border, sky and light; `finish` gives the tile its heights after compiling."""
        spec = super().spec()
        if self.border > 0:
            half, middle = self.border / 2, (self.size + self.border) / 2
            whole = self.size / 2 + self.border
            sides = {
                "rear": (-middle, 0, half, whole),
                "front": (middle, 0, half, whole),
                "right": (0, -middle, self.size / 2, half),
                "left": (0, middle, self.size / 2, half),
            }
            for name, (x, y, half_length, half_width) in sides.items():
                spec.worldbody.add_geom(
                    name=f"border/{name}",
                    type=mujoco.mjtGeom.mjGEOM_BOX,
                    pos=[x, y, -half],
                    size=[half_length, half_width, half],
                    friction=FRICTION,
                    material=GROUND_MATERIAL,
                )
        return spec
