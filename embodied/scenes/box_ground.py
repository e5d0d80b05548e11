"""The ground of upright boxes on a level floor, whose places and sizes differ between worlds."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from embodied.physics.world import World
from embodied.scenes.ground import Ground

BITS = 63
"""Boxes that are compared with places at once on a device: the bits of a positive whole number."""


class BoxGround(Ground):
    """The tops of boxes of one height, and 0 elsewhere."""

    def __init__(self, world: World, boxes: slice, height: float) -> None:
        """Takes a World that varies places and sizes.

        Args:
            world: of the boxes.
            boxes: where their geoms lie among all.
            height: of their tops, m.
        """
        self._pos, self._size = (world.parameters[name][:, boxes, :2] for name in ("geom_pos", "geom_size"))
        self._height = height


class HostBoxGround(BoxGround):
    """For worlds on CPU threads: only boxes that come near a world's places are compared with them."""

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
        """(W, N) Heights at places (W, N)."""
        centre, half = self._pos.numpy(), self._size.numpy()
        lowest, highest = centre - half, centre + half
        near = (highest[..., 0] >= x.min(axis=1, keepdims=True)) & (lowest[..., 0] <= x.max(axis=1, keepdims=True))
        near &= (highest[..., 1] >= y.min(axis=1, keepdims=True)) & (lowest[..., 1] <= y.max(axis=1, keepdims=True))
        tops = np.zeros_like(x)
        for world, box in zip(*near.nonzero(), strict=True):
            (x0, y0), (x1, y1) = lowest[world, box], highest[world, box]
            inside = (x[world] >= x0) & (x[world] <= x1) & (y[world] >= y0) & (y[world] <= y1)
            tops[world][inside] = self._height
        return tops


class DeviceBoxGround(BoxGround):
    """For worlds on a device: all boxes at once.

    For a place along one axis, which boxes it lies within is one whole number with a bit for each. That number changes
    only at the boxes' edges: a world's sorted edges are searched for a place, instead of comparing it with every box.
    A place is under a box where the numbers of both axes share a bit.
    """

    def __init__(self, world: World, boxes: slice, height: float) -> None:
        """See `BoxGround`."""
        super().__init__(world, boxes, height)
        self._bits = torch.tensor([1 << bit for bit in range(BITS)], device=self._pos.device)

    def height(self, points: Tensor) -> Tensor:
        """See `Ground.height`."""
        under = torch.zeros(points.shape[:2], dtype=torch.bool, device=points.device)
        for centre, half in zip(self._pos.split(BITS, dim=1), self._size.split(BITS, dim=1), strict=True):
            x, y = (self._within(points[..., axis], centre[..., axis], half[..., axis]) for axis in (0, 1))
            under |= (x & y) != 0
        return under.to(points.dtype) * self._height

    def _within(self, places: Tensor, centre: Tensor, half: Tensor) -> Tensor:
        """(W, N) int64: bits of the boxes, (W, k) along one axis, that places (W, N) lie within."""
        edges, order = torch.cat((centre - half, centre + half), dim=1).sort(dim=1)
        bits = self._bits[: centre.shape[1]]
        held = torch.nn.functional.pad(torch.cat((bits, -bits))[order].cumsum(dim=1), (1, 0))
        return held.gather(1, torch.searchsorted(edges, places.to(edges.dtype).contiguous(), right=True))
