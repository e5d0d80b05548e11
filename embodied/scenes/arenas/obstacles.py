"""The obstacle field: level ground with boxes to run around, drawn anew in each world; DERL's obstacle arena."""

from __future__ import annotations

from dataclasses import dataclass

import mujoco
import numpy as np
import torch
from torch import Tensor

from embodied.physics.world import World
from embodied.scenes.arenas.look import GROUND_MATERIAL, add_walls, dressed_spec
from embodied.scenes.arrays import HostArrays, arrays_of
from embodied.scenes.box_ground import BoxGround, DeviceBoxGround, HostBoxGround
from embodied.scenes.terrain.pool import FRICTION

HALF_SIDES = (0.5, 1.0, 1.5, 2.0, 2.5, 3.0)
"""Of a box along x and, drawn apart, along y, m; evenly spaced."""
HALF_HEIGHT = 2.0
"""Of a box, m."""


@dataclass(frozen=True)
class ObstacleArena:
    """A walled floor and a fixed number of boxes, whose places and sizes are per-world parameters.

    Each box is a body of its own: where one body has several geoms, MuJoCo groups them by their compiled sizes, and
    misses contacts once those change.
    """

    ahead: float = 147.0
    """Extent from the origin along x, m."""
    half_width: float = 30.0
    """Extent to each side, m."""
    behind: float = 3.0
    """Extent from the origin against x, m."""
    count: int = 50
    """Boxes."""
    clear: float = 3.0
    """Boxes begin this far ahead of the origin, m."""
    wall_height: float = 2.0
    """m."""

    @property
    def varying(self) -> tuple[str, ...]:
        """Places and sizes of boxes, and what the engine derives from sizes."""
        return ("geom_pos", "geom_size", "geom_rbound", "geom_aabb")

    def spec(self) -> mujoco.MjSpec:
        """A fresh spec of floor, walls, sky, light and boxes, which lie as `draw` with seed 0 puts them."""
        spec = dressed_spec()
        # Two dimensions of 0: an infinite plane. The third is the spacing of its drawn grid.
        spec.worldbody.add_geom(
            name="floor", type=mujoco.mjtGeom.mjGEOM_PLANE, size=[0, 0, 1], material=GROUND_MATERIAL, friction=FRICTION
        )
        add_walls(spec, self.behind, self.ahead, self.half_width, self.wall_height)
        spec.add_material(name="box", rgba=[0.86, 0.72, 0.55, 1.0])
        places, sizes = self._drawn(1, torch.Generator().manual_seed(0), torch.device("cpu"))
        for box, (place, size) in enumerate(zip(places[0].tolist(), sizes[0].tolist(), strict=True)):
            spec.worldbody.add_body(name=f"box_{box}").add_geom(
                name=f"box_{box}",
                type=mujoco.mjtGeom.mjGEOM_BOX,
                pos=place,
                size=size,
                friction=FRICTION,
                material="box",
            )
        return spec

    def finish(self, model: mujoco.MjModel) -> None:
        """Nothing is left to be written."""

    def ground(self, world: World) -> BoxGround:
        """The tops of boxes, and 0 elsewhere."""
        kind = HostBoxGround if isinstance(arrays_of(world), HostArrays) else DeviceBoxGround
        return kind(world, self._boxes(world.model), 2 * HALF_HEIGHT)

    def box_ids(self, model: mujoco.MjModel) -> np.ndarray:
        """(boxes,) Ids of the boxes' geoms, one after the other."""
        return np.array([model.geom(f"box_{box}").id for box in range(self.count)])

    def _boxes(self, model: mujoco.MjModel) -> slice:
        """Where the boxes' geoms lie among all."""
        first = model.geom("box_0").id
        return slice(first, first + self.count)

    def draw(self, world: World, mask: Tensor, generator: torch.Generator) -> None:
        """Puts all boxes elsewhere where the mask holds; draws for all worlds whatever the mask.

        Boxes lie within the walls and beyond the clear start, uniformly, and may overlap.
        """
        places, sizes = self._drawn(len(mask), generator, mask.device)
        boxes = self._boxes(world.model)
        values = {
            "geom_pos": places,
            "geom_size": sizes,
            "geom_rbound": torch.linalg.vector_norm(sizes, dim=-1),
            "geom_aabb": torch.cat((torch.zeros_like(sizes), sizes), dim=-1),
        }
        for name, value in values.items():
            parameter = world.parameters[name][:, boxes]
            chosen = mask.reshape(-1, *(1,) * (value.dim() - 1))
            parameter.copy_(torch.where(chosen, value.to(parameter.dtype), parameter))

    def _drawn(self, worlds: int, generator: torch.Generator, device: torch.device) -> tuple[Tensor, Tensor]:
        """(worlds, boxes, 3) Centres and (worlds, boxes, 3) half sides, m, float64."""
        uniform = torch.rand((4, worlds, self.count), generator=generator, device=device, dtype=torch.float64)
        half_x, half_y = HALF_SIDES[0] + (HALF_SIDES[1] - HALF_SIDES[0]) * (uniform[:2] * len(HALF_SIDES)).floor()
        x = self.clear + half_x + uniform[2] * (self.ahead - self.clear - 2 * half_x)
        y = (2 * uniform[3] - 1) * (self.half_width - half_y)
        height = torch.full_like(x, HALF_HEIGHT)
        return torch.stack((x, y, height), dim=-1), torch.stack((half_x, half_y, height), dim=-1)
