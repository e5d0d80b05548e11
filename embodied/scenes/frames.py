"""Frames: turning vectors between the world's frame and a body's, for all worlds at once.

Quaternions are (w, x, y, z) and of unit length.
"""

from __future__ import annotations

import torch
from torch import Tensor


def rotate(quat: Tensor, vectors: Tensor) -> Tensor:
    """(…, 3) Vectors of the frame that the (…, 4) quaternions describe, in the frame they are given in."""
    scalar, axis = quat[..., :1], quat[..., 1:]
    axis, vectors = torch.broadcast_tensors(axis, vectors)
    cross = 2.0 * torch.linalg.cross(axis, vectors)
    return vectors + scalar * cross + torch.linalg.cross(axis, cross)


def rotate_back(quat: Tensor, vectors: Tensor) -> Tensor:
    """(…, 3) The inverse of `rotate`: world vectors as seen from a body with that orientation."""
    return rotate(torch.cat((quat[..., :1], -quat[..., 1:]), dim=-1), vectors)


def yaw_of(quat: Tensor) -> Tensor:
    """(…) Heading of a body's x axis in the world's horizontal plane, rad."""
    w, x, y, z = quat.unbind(-1)
    return torch.atan2(2.0 * (w * z + x * y), 1.0 - 2.0 * (y * y + z * z))


def from_yaw(yaw: Tensor) -> Tensor:
    """(…, 4) A turn about the vertical, rad."""
    zero = torch.zeros_like(yaw)
    return torch.stack((torch.cos(0.5 * yaw), zero, zero, torch.sin(0.5 * yaw)), dim=-1)
