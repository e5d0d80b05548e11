"""Senses on rays: a lidar around the body and a depth camera on it. They see the arena and props, not bodies."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from embodied.physics.world import World
from embodied.scenes import EntityView
from embodied.scenes.frames import from_yaw, rotate
from embodied.senses.sense import Term

SEEN = (0,)
"""Geom groups: those of arenas and props, so that a body does not see itself."""


class Lidar:
    """Distances around the root link in the horizontal plane, whatever the body's tilt; the first ray points ahead."""

    def __init__(
        self, entity: EntityView, world: World, rays: int = 128, reach: float = 20.0, height: float = 0.0
    ) -> None:
        """Spreads the rays evenly, counter-clockwise.

        Args:
            entity: that carries it.
            world: of the entity.
            rays: how many.
            reach: distance at which nothing is seen any more, m.
            height: of the rays above the root link's origin, m.
        """
        self._entity, self._world, self._reach = entity, world, reach
        angles = torch.arange(rays, dtype=torch.float64) * (2 * math.pi / rays)
        directions = torch.stack((angles.cos(), angles.sin(), torch.zeros_like(angles)), dim=-1)
        self._directions, self._lift = entity.constant(directions.numpy()), entity.constant([0.0, 0.0, height])
        self.terms = (Term("lidar", rays, "m", reach, "heading, root link"),)

    def read(self) -> Tensor:
        """(W, rays) m; the reach where nothing is hit."""
        directions = rotate(from_yaw(self._entity.heading)[:, None], self._directions)
        return _distances(self._world, self._entity.root_pos + self._lift, directions, self._reach)


class DepthCamera:
    """Depth seen from the root link: distance along the optical axis, row by row from the upper left."""

    def __init__(
        self,
        entity: EntityView,
        world: World,
        width: int = 32,
        height: int = 24,
        field_of_view: float = math.radians(60),
        reach: float = 5.0,
        mount: tuple[float, float, float] = (0.0, 0.0, 0.0),
        pitch: float = 0.0,
    ) -> None:
        """Lays one ray through the middle of every pixel of a pinhole camera that looks along the root link's x axis.

        Args:
            entity: that carries it.
            world: of the entity.
            width, height: pixels.
            field_of_view: horizontal, rad; pixels are square.
            reach: depth at which nothing is seen any more, m.
            mount: of the pinhole in the root link's frame, m.
            pitch: downwards, rad.
        """
        self._entity, self._world, self._reach = entity, world, reach
        pixel = 2 * math.tan(field_of_view / 2) / width
        left = -(torch.arange(width, dtype=torch.float64) - (width - 1) / 2) * pixel
        up = -(torch.arange(height, dtype=torch.float64) - (height - 1) / 2) * pixel
        grid = torch.cartesian_prod(up, left)
        level = torch.stack((torch.ones(len(grid), dtype=torch.float64), grid[:, 1], grid[:, 0]), dim=-1)
        turn = torch.tensor([math.cos(pitch / 2), 0.0, math.sin(pitch / 2), 0.0], dtype=torch.float64)
        # One unit along the axis each, not of unit length: distances in lengths of the ray are then depths.
        self._directions, self._mount = entity.constant(rotate(turn, level).numpy()), entity.constant(mount)
        self.terms = (Term("depth", width * height, "m", reach, "camera", (height, width)),)

    def read(self) -> Tensor:
        """(W, height * width) m; the reach where nothing is hit."""
        quat = self._entity.root_quat
        directions = rotate(quat[:, None], self._directions)
        return _distances(self._world, self._entity.root_pos + rotate(quat, self._mount), directions, self._reach)


def _distances(world: World, origins: Tensor, directions: Tensor, reach: float) -> Tensor:
    start = origins[:, None].expand_as(directions).contiguous()
    distance, _ = world.ray(start, directions.contiguous(), groups=SEEN)
    return torch.where(distance < 0, reach, distance).clamp_(max=reach)
