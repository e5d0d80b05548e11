"""Heights of a pool of fields by the engine's triangles, in torch on any device; see `FieldGround`."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from embodied.scenes.terrain.pool import HeightFields


class DeviceTriangles:
    """Looks heights up for all worlds alike, without waiting for the device."""

    def __init__(self, fields: HeightFields, shown: Tensor, first: int) -> None:
        """Takes the fields, (W,) the live ids of the assets that worlds stand on, and that of the first field."""
        self._x, self._y, self._cell = fields.x, fields.y, fields.cell
        self._shown, self._first = shown, first
        _, self._rows, self._columns = fields.heights.shape
        self._flat = torch.tensor(np.ascontiguousarray(fields.heights), device=shown.device).flatten()

    def height(self, points: Tensor) -> Tensor:
        """(W, N) Heights, m, under (W, N, 2) horizontal positions."""
        columns, rows = self._places(points)
        return self._heights(columns, rows).to(points.dtype)

    def window(self, centres: Tensor, yaw: Tensor, along: Tensor, across: Tensor) -> Tensor:
        """(W, A, B) float32 heights, m, on grids as of `Ground.window`."""
        column, row = (place.float()[:, None] for place in self._places(centres))
        cos, sin = yaw.cos().float()[:, None], yaw.sin().float()[:, None]
        a, b = along.float() / self._cell, across.float() / self._cell
        columns = (column + cos * a)[:, :, None] - (sin * b)[:, None, :]
        rows = (row + sin * a)[:, :, None] + (cos * b)[:, None, :]
        return self._heights(columns, rows)

    def _places(self, positions: Tensor) -> tuple[Tensor, Tensor]:
        """(…) Columns and rows in the field, held to it; 0 for what is no number."""
        known = positions.nan_to_num(0.0, 0.0, 0.0)
        columns = ((known[..., 0] - self._x) / self._cell).clamp_(0, self._columns - 1)
        rows = ((known[..., 1] - self._y) / self._cell).clamp_(0, self._rows - 1)
        return columns, rows

    def _heights(self, columns: Tensor, rows: Tensor) -> Tensor:
        """(W, …) Heights at places in each world's field; beyond it those of its edge."""
        columns, rows = columns.clamp(0, self._columns - 1), rows.clamp(0, self._rows - 1)
        # Whole numbers are held to the field too: clamping leaves NaN as it is.
        column, row = columns.long().clamp_(0, self._columns - 2), rows.long().clamp_(0, self._rows - 2)
        along_x, along_y = columns - column, rows - row
        base = (self._shown.long() - self._first) * (self._rows * self._columns)
        index = row.mul_(self._columns).add_(column).add_(base.reshape(-1, *(1,) * (row.dim() - 1)))
        lower, upper = self._flat[index], self._flat[index + (self._columns + 1)]
        # The corner that the point's triangle has besides those of the diagonal.
        middle = self._flat[index + torch.where(along_x >= along_y, 1, self._columns)]
        nearer, farther = torch.minimum(along_x, along_y), torch.maximum(along_x, along_y)
        return lower + (middle - lower) * farther + (upper - middle) * nearer
