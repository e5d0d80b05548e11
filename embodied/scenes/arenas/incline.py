"""The incline: a tilted plane to climb, DERL's incline arenas."""

from __future__ import annotations

import math
from dataclasses import dataclass

import mujoco
import numpy as np

from embodied.physics.world import World
from embodied.scenes.arenas.look import GROUND_MATERIAL, SUN, dressed_spec
from embodied.scenes.ground import Ground, InclinedGround
from embodied.scenes.terrain.pool import FRICTION


@dataclass(frozen=True)
class InclineArena:
    """A plane through the origin that rises along x. It is drawn without end; sizes are where a task puts its edges.

    DERL tilts its ground by -10 degrees. We read that as a turn about y by the right-hand rule, which lifts what lies
    along +x: robots run uphill, and boxes are pushed uphill.
    """

    ahead: float = 147.0
    """Horizontal extent from the origin along x, m."""
    half_width: float = 20.0
    """Extent to each side, m."""
    behind: float = 3.0
    """Horizontal extent from the origin against x, m."""
    degrees: float = 10.0
    """Of the slope; positive is uphill along x."""

    @property
    def slope(self) -> float:
        """Rise per horizontal metre."""
        return math.tan(math.radians(self.degrees))

    @property
    def quat(self) -> tuple[float, float, float, float]:
        """(w, x, y, z) of a body that stands square on the plane and faces uphill."""
        half = math.radians(-self.degrees) / 2
        return math.cos(half), 0.0, math.sin(half), 0.0

    @property
    def varying(self) -> tuple[str, ...]:
        """Nothing."""
        return ()

    def spec(self) -> mujoco.MjSpec:
        """A fresh spec of floor, sky and light."""
        sun = np.zeros(3)
        mujoco.mju_rotVecQuat(sun, np.array(SUN), np.array(self.quat))
        spec = dressed_spec(sun.tolist())
        # Two dimensions of 0: an infinite plane. The third is the spacing of its drawn grid.
        spec.worldbody.add_geom(
            name="floor",
            type=mujoco.mjtGeom.mjGEOM_PLANE,
            size=[0, 0, 1],
            quat=list(self.quat),
            material=GROUND_MATERIAL,
            friction=FRICTION,
        )
        return spec

    def finish(self, model: mujoco.MjModel) -> None:
        """Nothing is left to be written."""

    def ground(self, world: World) -> Ground:
        """Height in closed form."""
        return InclinedGround(self.slope)
