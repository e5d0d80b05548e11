"""Given: what was asked of a robot, in the world's frame, from what its observation showed of it.

The inverses of the transforms in `goals`, which a reading that no instrument gives can go through.
"""

from __future__ import annotations

import numpy as np

from embodied.senses.style import axes_of, heading_of


def undone(transform: str, shown: np.ndarray, root_pose: np.ndarray) -> np.ndarray:
    """(W, m) Readings.

    Args:
        transform: ``none``, or a name of `goals.TRANSFORMS`.
        shown: (W, n) what the transform gave.
        root_pose: (W, 7) position, m, and orientation (w, x, y, z) of the robot then.
    """
    axes, count = np.asarray(axes_of(root_pose[:, 3:])), len(shown)
    if transform == "none":
        return shown
    points = shown.reshape(count, -1, 3)
    if transform in ("along_heading", "way_along_heading", "level_way_along_heading"):
        cosine, sine = (np.asarray(each)[:, None] for each in heading_of(axes))
        x, y = points[..., 0], points[..., 1]
        ways = np.stack((cosine * x - sine * y, sine * x + cosine * y, points[..., 2]), -1)
        if transform == "along_heading":
            return ways.reshape(count, -1)
        places = ways + root_pose[:, None, :3]
        return (places if transform == "way_along_heading" else places[..., :2]).reshape(count, -1)
    if transform == "way_from_root":
        return (root_pose[:, None, :3] + points @ axes.swapaxes(-1, -2)).reshape(count, -1)
    if transform == "turn_from_root":
        return _turned(root_pose[:, None, 3:], points).reshape(count, -1)
    raise ValueError(f"the transform {transform!r} cannot be undone")


def _turned(quaternions: np.ndarray, vectors: np.ndarray) -> np.ndarray:
    """(W, k, 4) Orientations after rotations by vectors (W, k, 3), rad, in the frames of orientations (W, 1, 4)."""
    angle = np.linalg.norm(vectors, axis=-1, keepdims=True)
    part = 0.5 * np.sinc(angle / (2.0 * np.pi))  # sin(angle / 2) / angle, without dividing by nothing
    b, c, d = np.moveaxis(part * vectors, -1, 0)
    a = np.cos(0.5 * angle)[..., 0]
    w, x, y, z = np.moveaxis(quaternions, -1, 0)
    product = (
        w * a - x * b - y * c - z * d,
        w * b + x * a + y * d - z * c,
        w * c - x * d + y * a + z * b,
        w * d + x * c - y * b + z * a,
    )
    return np.stack(product, axis=-1)
