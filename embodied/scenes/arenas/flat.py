"""A level floor with a chequered look, lit from above."""

from __future__ import annotations

from dataclasses import dataclass

import mujoco

from embodied.physics.world import World
from embodied.scenes.arenas.look import GROUND_MATERIAL, dressed_spec
from embodied.scenes.ground import Ground, LevelGround
from embodied.scenes.terrain.pool import FRICTION


@dataclass(frozen=True)
class FlatArena:
    """A floor at z = 0. It is drawn without end; the sizes are where a task puts its edges."""

    ahead: float = 147.0
    """Extent from the origin along x, m."""
    half_width: float = 75.0
    """Extent to each side, m."""
    behind: float = 3.0
    """Extent from the origin against x, m."""

    @property
    def varying(self) -> tuple[str, ...]:
        """Nothing."""
        return ()

    def finish(self, model: mujoco.MjModel) -> None:
        """Nothing is left to be written."""

    def ground(self, world: World) -> Ground:
        """Level."""
        return LevelGround()

    def spec(self) -> mujoco.MjSpec:
        """A fresh spec of floor, sky and light."""
        spec = dressed_spec()
        # Two dimensions of 0: an infinite plane. The third is the spacing of its drawn grid.
        spec.worldbody.add_geom(
            name="floor", type=mujoco.mjtGeom.mjGEOM_PLANE, size=[0, 0, 1], material=GROUND_MATERIAL, friction=FRICTION
        )
        return spec
