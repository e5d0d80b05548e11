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
        out = np.empty(columns.shape, dtype=np.float32)
        self._triangles(columns, rows, self._bases()[:, None], False, out)
        return torch.from_numpy(out.astype(xy.dtype))

    def _bases(self) -> np.ndarray:
        """(W,) Where each world's field begins in the flat array."""
        return (self._dataid.numpy()[:, self._geom] - self._first).astype(np.intp) * self._cells

    def window(self, centres: Tensor, yaw: Tensor, along: Tensor, across: Tensor) -> Tensor:
        """See `Ground.window`. In single precision: right to a tenth of a millimetre on slopes of 1."""
        cell = self.fields.cell
        cos, sin = (f(yaw.numpy()).astype(np.float32)[:, None] for f in (np.cos, np.sin))
        a, b = (offsets.numpy().astype(np.float32) / np.float32(cell) for offsets in (along, across))
        centre = (_finite(centres.numpy()) - (self.fields.x, self.fields.y)) / cell
        x, y = centre.astype(np.float32).T[:, :, None]
        reach = math.hypot(float(np.abs(a).max()), float(np.abs(b).max())) + 1
        inside = _inside(x, reach, self._columns) and _inside(y, reach, self._rows)
        ahead_x, ahead_y, left_x, left_y = x + cos * a, y + sin * a, sin * b, cos * b
        bases = self._bases()
        out = np.empty((len(x), len(a), len(b)), dtype=np.float32)
        for start in range(0, len(x), WORLDS_AT_ONCE):  # so that all that is in use stays in a core's cache
            part = slice(start, start + WORLDS_AT_ONCE)
            columns = ahead_x[part, :, None] - left_x[part, None, :]
            rows = ahead_y[part, :, None] + left_y[part, None, :]
            self._triangles(columns, rows, bases[part, None, None], inside, out[part])
        return torch.from_numpy(out)

    def _triangles(
        self, columns: np.ndarray, rows: np.ndarray, bases: np.ndarray, inside: bool, out: np.ndarray
    ) -> None:
        """Heights at places counted in cells, which are overwritten. ``inside``: all of them lie within the field."""
        if not inside:
            np.clip(columns, 0.0, self._columns - 1.0, out=columns)
            np.clip(rows, 0.0, self._rows - 1.0, out=rows)
        column, row = np.floor(columns), np.floor(rows)
        if not inside:  # the last sample belongs to the last cell
            np.minimum(column, self._columns - 2, out=column)
            np.minimum(row, self._rows - 2, out=row)
        columns -= column
        rows -= row
        row *= self._columns
        row += column
        index = row.astype(np.intp)
        index += bases
        np.take(self._flat, index, out=out, mode="clip")
        # The corner that the point's triangle has besides those of the diagonal: along x or along y.
        other = np.where(columns >= rows, np.intp(1), np.intp(self._columns))
        other += index
        middle = np.take(self._flat, other, mode="clip")
        index += self._columns + 1
        upper = np.take(self._flat, index, mode="clip")
        np.minimum(columns, rows, out=row)
        np.maximum(columns, rows, out=columns)
        upper -= middle
        upper *= row
        middle -= out
        middle *= columns
        out += middle
        out += upper


WORLDS_AT_ONCE = 16
"""Of `FieldGround.window`: arrays of some twenty thousand numbers."""
FAR = 1e6
"""m. Beyond every arena."""


def _finite(positions: np.ndarray) -> np.ndarray:
    """Positions that indices can be made of, whatever a world that went bad holds."""
    return np.clip(np.nan_to_num(positions), -FAR, FAR)


def _inside(centre: np.ndarray, reach: float, size: int) -> bool:
    return bool((centre >= reach).all() and (centre <= size - 1 - reach).all())
