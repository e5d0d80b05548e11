"""Ground: how high the ground is under a point, in every world, and which height field each world stands on."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod

import numpy as np
import torch
from torch import Tensor

from embodied.physics.world import World
from embodied.scenes.terrain.pool import MARGIN, HeightFields


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
        self._count, rows, columns = fields.heights.shape
        self._last = np.array((columns - 1, rows - 1), dtype=np.float64)
        self._stride = columns + 2 * MARGIN
        self._flat = fields.padded.reshape(-1)

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
        places = self._places(points.numpy())
        out = np.empty(places.shape[:-1], dtype=np.float32)
        self._triangles(places[..., 0], places[..., 1], self._bases()[:, None], out)
        return torch.from_numpy(out).to(points.dtype)

    def window(self, centres: Tensor, yaw: Tensor, along: Tensor, across: Tensor) -> Tensor:
        """See `Ground.window`. In single precision: right to a tenth of a millimetre on slopes of 1."""
        cos, sin = (f(yaw.numpy()).astype(np.float32)[:, None] for f in (np.cos, np.sin))
        a, b = (offsets.numpy().astype(np.float32) / np.float32(self.fields.cell) for offsets in (along, across))
        if math.hypot(float(np.abs(a).max()), float(np.abs(b).max())) > MARGIN - 1:
            return super().window(centres, yaw, along, across)
        x, y = self._places(centres.numpy()).astype(np.float32).T[:, :, None]
        ahead_x, ahead_y, left_x, left_y = x + cos * a, y + sin * a, sin * b, cos * b
        bases = self._bases()
        out = np.empty((len(x), len(a), len(b)), dtype=np.float32)
        for start in range(0, len(x), WORLDS_AT_ONCE):  # so that all that is in use stays in a core's cache
            part = slice(start, start + WORLDS_AT_ONCE)
            columns = ahead_x[part, :, None] - left_x[part, None, :]
            rows = ahead_y[part, :, None] + left_y[part, None, :]
            self._triangles(columns, rows, bases[part, None, None], out[part])
        return torch.from_numpy(out)

    def _places(self, positions: np.ndarray) -> np.ndarray:
        """(…, 2) Column and row in the padded field, held to the field itself; 0 for what is no number."""
        cells = (np.nan_to_num(positions, posinf=0.0, neginf=0.0) - (self.fields.x, self.fields.y)) / self.fields.cell
        return np.clip(cells, 0.0, self._last) + MARGIN

    def _bases(self) -> np.ndarray:
        """(W,) Where each world's field begins in the flat array."""
        size = self._flat.size // self._count
        return (self._dataid.numpy()[:, self._geom] - self._first).astype(np.intp) * size

    def _triangles(self, columns: np.ndarray, rows: np.ndarray, bases: np.ndarray, out: np.ndarray) -> None:
        """Heights at places in the padded field, whose arrays are overwritten."""
        column, row = np.floor(columns), np.floor(rows)
        columns -= column
        rows -= row
        row *= self._stride
        row += column
        index = row.astype(np.intp)
        index += bases
        np.take(self._flat, index, out=out, mode="clip")
        # The corner that the point's triangle has besides those of the diagonal: along x or along y.
        other = np.where(columns >= rows, np.intp(1), np.intp(self._stride))
        other += index
        middle = np.take(self._flat, other, mode="clip")
        index += self._stride + 1
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
