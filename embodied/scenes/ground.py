"""Ground: how high the ground is under a point, in every world, and which height field each world stands on."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod

import numpy as np
import torch
from torch import Tensor

from embodied.physics.world import World
from embodied.scenes.terrain.pool import HeightFields


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
            along: (A,) Offsets along that axis, m.
            across: (B,) Offsets to its left, m.
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
    to (row + 1, column + 1). Outside the field the height is that of the nearest edge.
    """

    def __init__(self, fields: HeightFields, world: World) -> None:
        """Takes a World that varies ``geom_dataid``."""
        self.fields = fields
        self._geom = world.model.geom("ground").id
        self._first = int(world.model.geom_dataid[self._geom])
        self._dataid = world.parameters["geom_dataid"]
        count, self._rows, self._columns = fields.heights.shape
        self._cells = self._rows * self._columns
        self._flat = np.ascontiguousarray(fields.heights, dtype=np.float32).reshape(-1)
        self._count = count

    @property
    def field_ids(self) -> Tensor:
        """(W,) int64, a copy: which field of the pool each world stands on."""
        return self._dataid[:, self._geom].long() - self._first

    def choose(self, mask: Tensor, ids: Tensor) -> None:
        """Puts worlds on fields (W,) where the mask holds; the physics follow at the next step or forward pass."""
        chosen = (ids + self._first).to(self._dataid.dtype)
        self._dataid[:, self._geom] = torch.where(mask, chosen, self._dataid[:, self._geom])

    def draw(self, mask: Tensor, generator: torch.Generator) -> None:
        """Puts worlds on fields drawn uniformly; draws for all worlds whatever the mask."""
        ids = torch.randint(self._count, (len(mask),), generator=generator, device=mask.device)
        self.choose(mask, ids)

    def height(self, points: Tensor) -> Tensor:
        """See `Ground.height`."""
        xy = _finite(points.numpy())
        columns = (xy[..., 0] - self.fields.x) / self.fields.cell
        rows = (xy[..., 1] - self.fields.y) / self.fields.cell
        np.clip(columns, 0.0, self._columns - 1.0, out=columns)
        np.clip(rows, 0.0, self._rows - 1.0, out=rows)
        return torch.from_numpy(self._triangles(columns, rows, self._bases()[:, None]).astype(xy.dtype))

    def _bases(self) -> np.ndarray:
        """(W,) Where each world's field begins in the flat array."""
        return (self._dataid.numpy()[:, self._geom] - self._first).astype(np.int32) * np.int32(self._cells)

    def _triangles(self, columns: np.ndarray, rows: np.ndarray, bases: np.ndarray) -> np.ndarray:
        column = np.minimum(columns.astype(np.int32), self._columns - 2)
        row = np.minimum(rows.astype(np.int32), self._rows - 2)
        columns = columns - column
        rows = rows - row
        first = row * np.int32(self._columns)
        first += column
        first += bases
        lower = np.take(self._flat, first)
        # The corner that the point's triangle has besides those of the diagonal: along x or along y.
        middle = np.take(self._flat, first + np.where(columns >= rows, np.int32(1), np.int32(self._columns)))
        first += np.int32(self._columns + 1)
        upper = np.take(self._flat, first)
        upper -= middle
        upper *= np.minimum(columns, rows)
        middle -= lower
        middle *= np.maximum(columns, rows)
        lower += middle
        lower += upper
        return lower

    def window(self, centres: Tensor, yaw: Tensor, along: Tensor, across: Tensor) -> Tensor:
        """See `Ground.window`. A few worlds at a time, so that all that is in use stays in a core's cache."""
        cell = self.fields.cell
        cos, sin = np.cos(yaw.numpy()), np.sin(yaw.numpy())
        reach = math.hypot(float(along.abs().max()), float(across.abs().max())) / cell
        a, b = (along.numpy() / cell).astype(np.float32), (across.numpy() / cell).astype(np.float32)
        column, row = _finite(centres.numpy()).T / cell - np.array([[self.fields.x], [self.fields.y]]) / cell
        bases = self._bases()
        worlds = len(column)
        out = np.empty((worlds, len(a), len(b)), dtype=np.float32)
        for start in range(0, worlds, WORLDS_AT_ONCE):
            part = slice(start, start + WORLDS_AT_ONCE)
            c, s = (f[part, None].astype(np.float32) for f in (cos, sin))
            x, y = (f[part, None].astype(np.float32) for f in (column, row))
            columns = (x + c * a)[:, :, None] - (s * b)[:, None, :]
            rows = (y + s * a)[:, :, None] + (c * b)[:, None, :]
            if not _inside(x, reach, self._columns) or not _inside(y, reach, self._rows):
                np.clip(columns, 0.0, self._columns - 1.0, out=columns)
                np.clip(rows, 0.0, self._rows - 1.0, out=rows)
            out[part] = self._triangles(columns, rows, bases[part, None, None])
        return torch.from_numpy(out)


WORLDS_AT_ONCE = 8
"""Of `FieldGround.window`: arrays of some ten thousand numbers."""
FAR = 1e6
"""m. Beyond every arena."""


def _finite(positions: np.ndarray) -> np.ndarray:
    """Positions that indices can be made of, whatever a world that went bad holds."""
    return np.clip(np.nan_to_num(positions), -FAR, FAR)


def _inside(centre: np.ndarray, reach: float, size: int) -> bool:
    return bool((centre >= reach).all() and (centre <= size - 1 - reach).all())
