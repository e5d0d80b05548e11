"""Ground: how high the ground is under a point, in every world, and which height field each world stands on."""

from __future__ import annotations

from abc import ABC, abstractmethod

import torch
from torch import Tensor

from embodied.physics.world import World
from embodied.scenes.arrays import HostArrays, arrays_of
from embodied.scenes.device_triangles import DeviceTriangles
from embodied.scenes.terrain.pool import HeightFields
from embodied.scenes.triangles import HostTriangles


class Ground(ABC):
    """The ground of an arena in all worlds of a World."""

    @abstractmethod
    def height(self, points: Tensor) -> Tensor:
        """(W, N) Height of the ground, m, under the (W, N, 2) horizontal world positions."""

    def window(self, centres: Tensor, yaw: Tensor, along: Tensor, across: Tensor) -> Tensor:
        """(W, A, B) float32 heights on a grid that moves and turns with a body.

        Args:
            centres: (W, 2) World position of the grid's origin, m.
            yaw: (W,) Heading of its first axis, rad.
            along: (A,) Offsets along that axis, m, in ascending order.
            across: (B,) Offsets to its left, m, in ascending order.
        """
        cos, sin = torch.cos(yaw)[:, None, None], torch.sin(yaw)[:, None, None]
        x = centres[:, 0, None, None] + cos * along[:, None] - sin * across
        y = centres[:, 1, None, None] + sin * along[:, None] + cos * across
        heights = self.height(torch.stack((x, y), dim=-1).flatten(1, 2))
        return heights.unflatten(1, (len(along), len(across))).float()


class LevelGround(Ground):
    """Height 0 everywhere."""

    def height(self, points: Tensor) -> Tensor:
        """See `Ground.height`."""
        return torch.zeros(points.shape[:2], dtype=points.dtype, device=points.device)


class InclinedGround(Ground):
    """A plane through the origin that rises along x."""

    def __init__(self, slope: float) -> None:
        """``slope``: rise per metre along x."""
        self.slope = slope

    def height(self, points: Tensor) -> Tensor:
        """See `Ground.height`."""
        return self.slope * points[..., 0]


class FieldGround(Ground):
    """A pool of height fields; every world stands on one of them.

    Heights are those of the engine's triangles: each cell is cut by the diagonal from its first corner, (row, column),
    to (row + 1, column + 1). Outside the field the height is that of the nearest edge; a body that is itself outside
    sees what one at the nearest edge sees.
    """

    def __init__(self, fields: HeightFields, world: World) -> None:
        """Takes a World that varies ``geom_dataid``."""
        self.fields = fields
        geom = world.model.geom("ground").id
        self._first = int(world.model.geom_dataid[geom])
        self._shown = world.parameters["geom_dataid"][:, geom]
        looked_up = HostTriangles if isinstance(arrays_of(world), HostArrays) else DeviceTriangles
        self._triangles = looked_up(fields, self._shown, self._first)

    @property
    def field_ids(self) -> Tensor:
        """(W,) int64, a copy: which field of the pool each world stands on."""
        return self._shown.long() - self._first

    def choose(self, mask: Tensor, ids: Tensor) -> None:
        """Puts worlds on fields (W,) where the mask holds; the physics follow at the next step or forward pass."""
        chosen = (ids + self._first).to(self._shown.dtype)
        self._shown.copy_(torch.where(mask, chosen, self._shown))

    def draw(self, mask: Tensor, generator: torch.Generator) -> None:
        """Puts worlds on fields drawn uniformly; draws for all worlds whatever the mask."""
        ids = torch.randint(len(self.fields), (len(mask),), generator=generator, device=mask.device)
        self.choose(mask, ids)

    def height(self, points: Tensor) -> Tensor:
        """See `Ground.height`."""
        return self._triangles.height(points)

    def window(self, centres: Tensor, yaw: Tensor, along: Tensor, across: Tensor) -> Tensor:
        """See `Ground.window`. In single precision: right to a tenth of a millimetre on slopes of 1."""
        seen = self._triangles.window(centres, yaw, along, across)
        return super().window(centres, yaw, along, across) if seen is None else seen
