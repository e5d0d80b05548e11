"""Heights of a pool of fields by the engine's triangles, in numpy; see `FieldGround`."""

from __future__ import annotations

import math

import numpy as np
import torch
from torch import Tensor

from embodied.scenes.terrain.pool import MARGIN, HeightFields


class HostTriangles:
    """Looks heights up for worlds on CPU threads, level ground only glanced at."""

    def __init__(self, fields: HeightFields, shown: Tensor, first: int) -> None:
        """Takes the fields, (W,) the live ids of the assets that worlds stand on, and that of the first field."""
        self.fields = fields
        self._shown, self._first = shown.numpy(), first
        self._count, rows, columns = fields.heights.shape
        self._last = np.array((columns - 1, rows - 1), dtype=np.float64)
        self._stride = columns + 2 * MARGIN
        self._flat = fields.padded.reshape(-1)
        self._rooms: dict[tuple[int, ...], _Room] = {}

    def height(self, points: Tensor) -> Tensor:
        """(W, N) Heights, m, under (W, N, 2) horizontal positions."""
        places = self._places(points.numpy())
        room = _Room(places.shape[:-1], places.dtype)
        room.columns[...], room.rows[...] = places[..., 0], places[..., 1]
        return torch.from_numpy(self._triangles(room, self._bases()[:, None])).to(points.dtype)

    def window(self, centres: Tensor, yaw: Tensor, along: Tensor, across: Tensor) -> Tensor | None:
        """(W, A, B) float32 heights, m, on grids as of `Ground.window`; None for a grid that reaches too far."""
        cos, sin = (f(yaw.numpy()).astype(np.float32)[:, None] for f in (np.cos, np.sin))
        a, b = (offsets.numpy().astype(np.float32) / np.float32(self.fields.cell) for offsets in (along, across))
        if math.hypot(float(np.abs(a).max()), float(np.abs(b).max())) > MARGIN - 1:
            return None
        x, y = self._places(centres.numpy()).astype(np.float32).T[:, :, None]
        ahead_x, ahead_y, left_x, left_y = x + cos * a, y + sin * a, sin * b, cos * b
        bases = self._bases()
        out = np.zeros((len(x), len(a), len(b)), dtype=np.float32)
        uneven = self._uneven(ahead_x, ahead_y, left_x, left_y)
        for start in range(0, len(uneven), WORLDS_AT_ONCE):  # so that all that is in use stays in a core's cache
            part = uneven[start : start + WORLDS_AT_ONCE]
            room = self._room((len(part), len(a), len(b)))
            np.subtract(ahead_x[part, :, None], left_x[part, None, :], out=room.columns)
            np.add(ahead_y[part, :, None], left_y[part, None, :], out=room.rows)
            out[part] = self._triangles(room, bases[part, None, None])
        return torch.from_numpy(out)

    def _uneven(self, ahead_x: np.ndarray, ahead_y: np.ndarray, left_x: np.ndarray, left_y: np.ndarray) -> np.ndarray:
        """Numbers of the worlds whose windows hold anything but level ground at height 0."""
        first, last = (slice(None), 0), (slice(None), -1)
        corners = [(i, j) for i in (first, last) for j in (first, last)]  # offsets are in order
        columns = np.stack([ahead_x[i] - left_x[j] for i, j in corners])
        rows = np.stack([ahead_y[i] + left_y[j] for i, j in corners])
        return np.flatnonzero(self.fields.uneven_within(self._fields(), columns, rows))

    def _room(self, shape: tuple[int, ...]) -> _Room:
        if shape not in self._rooms:
            self._rooms[shape] = _Room(shape, np.dtype(np.float32))
        return self._rooms[shape]

    def _places(self, positions: np.ndarray) -> np.ndarray:
        """(…, 2) Column and row in the padded field, held to the field itself; 0 for what is no number."""
        cells = (np.nan_to_num(positions, posinf=0.0, neginf=0.0) - (self.fields.x, self.fields.y)) / self.fields.cell
        return np.clip(cells, 0.0, self._last) + MARGIN

    def _bases(self) -> np.ndarray:
        """(W,) Where each world's field begins in the flat array."""
        return self._fields() * (self._flat.size // self._count)

    def _fields(self) -> np.ndarray:
        return (self._shown - self._first).astype(np.intp)

    def _triangles(self, room: _Room, bases: np.ndarray) -> np.ndarray:
        """Heights at the room's places in the padded field, which are overwritten; an array of the room's."""
        columns, rows, column, row = room.columns, room.rows, room.column, room.row
        np.floor(columns, out=column)
        np.floor(rows, out=row)
        columns -= column
        rows -= row
        row *= self._stride
        row += column
        room.cell[...] = row
        np.add(room.cell, bases, out=room.index)
        out = np.take(self._flat, room.index, out=room.lower, mode="clip")
        # The corner that the point's triangle has besides those of the diagonal: along x or along y.
        np.greater_equal(columns, rows, out=room.along_x)
        np.multiply(room.along_x, 1 - self._stride, out=room.other, casting="unsafe")
        room.other += self._stride
        room.other += room.index
        middle = np.take(self._flat, room.other, out=room.middle, mode="clip")
        room.index += self._stride + 1
        upper = np.take(self._flat, room.index, out=room.upper, mode="clip")
        np.minimum(columns, rows, out=row)
        np.maximum(columns, rows, out=columns)
        upper -= middle
        upper *= row
        middle -= out
        middle *= columns
        out += middle
        out += upper
        return out


class _Room:
    """Arrays to work in. Fresh ones of this size would cost as much as what is done in them."""

    def __init__(self, shape: tuple[int, ...], kind: np.dtype) -> None:
        self.columns, self.rows, self.column, self.row = (np.empty(shape, dtype=kind) for _ in range(4))
        self.lower, self.middle, self.upper = (np.empty(shape, dtype=np.float32) for _ in range(3))
        self.index, self.other = (np.empty(shape, dtype=np.intp) for _ in range(2))
        self.cell = np.empty(shape, dtype=np.int32)
        self.along_x = np.empty(shape, dtype=bool)


WORLDS_AT_ONCE = 16
"""Of `FieldGround.window`: arrays of some twenty thousand numbers."""
