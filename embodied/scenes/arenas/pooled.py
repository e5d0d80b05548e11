"""Arenas whose ground is a pool of height fields, one of which each world stands on."""

from __future__ import annotations

from abc import ABC, abstractmethod
from functools import lru_cache

import mujoco

from embodied.physics.world import World
from embodied.scenes.arenas.look import GROUND_MATERIAL, LOW_SUN, add_walls, dressed_spec
from embodied.scenes.ground import FieldGround
from embodied.scenes.terrain.pool import HeightFields


class PooledArena(ABC):
    """An arena with height fields and, where it has a wall height, walls around them.

    Subclasses are frozen dataclasses.
    """

    wall_height: float = 0.0
    """m; 0 for no walls."""

    @property
    def varying(self) -> tuple[str, ...]:
        """Which height field is shown."""
        return ("geom_dataid",)

    @abstractmethod
    def draw_fields(self) -> HeightFields:
        """The pool; the same at every call."""

    @property
    def fields(self) -> HeightFields:
        """The pool, drawn when first asked for, and shared by equal arenas."""
        return _drawn(self)

    @property
    def behind(self) -> float:
        """Extent from the origin against x, m."""
        return -self.fields.x

    @property
    def ahead(self) -> float:
        """Extent from the origin along x, m."""
        return self.fields.x + self.fields.size[0]

    @property
    def half_width(self) -> float:
        """Extent to each side, m."""
        return self.fields.size[1] / 2

    def spec(self) -> mujoco.MjSpec:
        """A fresh spec of ground, walls, sky and light; `finish` gives the ground its heights after compiling."""
        spec = dressed_spec(LOW_SUN)
        self.fields.add_to(spec, GROUND_MATERIAL)
        if self.wall_height > 0:
            add_walls(spec, self.behind, self.ahead, self.half_width, self.wall_height)
        return spec

    def finish(self, model: mujoco.MjModel) -> None:
        """Writes the heights into a compiled model."""
        self.fields.write(model)

    def ground(self, world: World) -> FieldGround:
        """Heights under points of a World of this arena, and which field each world stands on."""
        return FieldGround(self.fields, world)


@lru_cache(maxsize=4)
def _drawn(arena: PooledArena) -> HeightFields:
    return arena.draw_fields()
