"""The obstacle field: level ground with boxes to run around, drawn anew in each world; DERL's obstacle arena."""

from __future__ import annotations

from dataclasses import dataclass

import mujoco
import numpy as np
import torch
from torch import Tensor

from embodied.physics.world import World
from embodied.scenes.arenas.look import GROUND_MATERIAL, add_walls, dressed_spec
from embodied.scenes.ground import Ground
from embodied.scenes.terrain.pool import FRICTION

HALF_SIDES = (0.5, 1.0, 1.5, 2.0, 2.5, 3.0)
"""Of a box along x and, drawn apart, along y, m."""
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
        places, sizes = self._drawn(1, torch.Generator().manual_seed(0))
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
        return BoxGround(world, self.box_ids(world.model))

    def box_ids(self, model: mujoco.MjModel) -> np.ndarray:
        """(boxes,) Ids of the boxes' geoms."""
        return np.array([model.geom(f"box_{box}").id for box in range(self.count)])

    def draw(self, world: World, mask: Tensor, generator: torch.Generator) -> None:
        """Puts all boxes elsewhere where the mask holds; draws for all worlds whatever the mask.

        Boxes lie within the walls and beyond the clear start, uniformly, and may overlap.
        """
        places, sizes = self._drawn(world.num_worlds, generator)
        ids = torch.as_tensor(self.box_ids(world.model), device=world.device)
        values = {
            "geom_pos": places,
            "geom_size": sizes,
            "geom_rbound": torch.linalg.vector_norm(sizes, dim=-1),
            "geom_aabb": torch.cat((torch.zeros_like(sizes), sizes), dim=-1),
        }
        for name, value in values.items():
            parameter = world.parameters[name]
            chosen = mask.reshape(-1, *(1,) * (value.dim() - 1))
            parameter[:, ids] = torch.where(chosen, value.to(parameter.dtype), parameter[:, ids])

    def _drawn(self, worlds: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """(worlds, boxes, 3) Centres and (worlds, boxes, 3) half sides, m, float64."""
        uniform = torch.rand((4, worlds, self.count), generator=generator, device=generator.device, dtype=torch.float64)
        half_sides = torch.tensor(HALF_SIDES, dtype=torch.float64, device=generator.device)
        half_x, half_y = half_sides[(uniform[:2] * len(half_sides)).long()]
        x = self.clear + half_x + uniform[2] * (self.ahead - self.clear - 2 * half_x)
        y = (2 * uniform[3] - 1) * (self.half_width - half_y)
        height = torch.full_like(x, HALF_HEIGHT)
        return torch.stack((x, y, height), dim=-1), torch.stack((half_x, half_y, height), dim=-1)


class BoxGround(Ground):
    """The tops of upright boxes on level ground at height 0."""

    def __init__(self, world: World, boxes: np.ndarray) -> None:
        """Takes a World that varies places and sizes, and the ids of the boxes' geoms."""
        self._pos, self._size = world.parameters["geom_pos"], world.parameters["geom_size"]
        self._boxes = boxes

    def height(self, points: Tensor) -> Tensor:
        """See `Ground.height`."""
        places = points.numpy()
        return torch.from_numpy(self._tops(places[..., 0], places[..., 1]))

    def window(self, centres: Tensor, yaw: Tensor, along: Tensor, across: Tensor) -> Tensor:
        """See `Ground.window`."""
        cos, sin = (f(yaw.numpy())[:, None] for f in (np.cos, np.sin))
        a, b, (x, y) = along.numpy(), across.numpy(), centres.numpy().T[:, :, None]
        grid_x = ((x + cos * a)[:, :, None] - (sin * b)[:, None, :]).astype(np.float32)
        grid_y = ((y + sin * a)[:, :, None] + (cos * b)[:, None, :]).astype(np.float32)
        tops = self._tops(grid_x.reshape(len(x), -1), grid_y.reshape(len(x), -1))
        return torch.from_numpy(tops.reshape(grid_x.shape))

    def _tops(self, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        """(W, N) Heights at places (W, N); only boxes that come near a world's places are compared with them."""
        centre, half = (field.numpy()[:, self._boxes, :2] for field in (self._pos, self._size))
        lowest, highest = centre - half, centre + half
        near = (highest[..., 0] >= x.min(axis=1, keepdims=True)) & (lowest[..., 0] <= x.max(axis=1, keepdims=True))
        near &= (highest[..., 1] >= y.min(axis=1, keepdims=True)) & (lowest[..., 1] <= y.max(axis=1, keepdims=True))
        tops = np.zeros_like(x)
        for world, box in zip(*near.nonzero(), strict=True):
            (x0, y0), (x1, y1) = lowest[world, box], highest[world, box]
            inside = (x[world] >= x0) & (x[world] <= x1) & (y[world] >= y0) & (y[world] <= y1)
            tops[world][inside] = 2 * HALF_HEIGHT
        return tops
