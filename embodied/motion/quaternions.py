"""Unit quaternions (w, x, y, z) in numpy, row-wise: what clips are made, repaired and differentiated with.

A quaternion turns vectors of a body's frame into the world's, as MuJoCo's do. All functions take (…, 4) arrays and
broadcast. Files mostly have (x, y, z, w): `from_xyzw` is the one place where that changes.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float64]


def from_xyzw(quat: ArrayLike) -> Array:
    """(…, 4) The same rotations with the scalar first."""
    return np.roll(np.asarray(quat, dtype=np.float64), 1, axis=-1)


def to_xyzw(quat: ArrayLike) -> Array:
    """(…, 4) The same rotations with the scalar last."""
    return np.roll(np.asarray(quat, dtype=np.float64), -1, axis=-1)


def multiply(a: ArrayLike, b: ArrayLike) -> Array:
    """(…, 4) Hamilton product: first ``b``, then ``a``."""
    aw, ax, ay, az = np.moveaxis(np.asarray(a, dtype=np.float64), -1, 0)
    bw, bx, by, bz = np.moveaxis(np.asarray(b, dtype=np.float64), -1, 0)
    return np.stack(
        (
            aw * bw - ax * bx - ay * by - az * bz,
            aw * bx + ax * bw + ay * bz - az * by,
            aw * by - ax * bz + ay * bw + az * bx,
            aw * bz + ax * by - ay * bx + az * bw,
        ),
        axis=-1,
    )


def conjugate(quat: ArrayLike) -> Array:
    """(…, 4) The inverse rotations."""
    return np.asarray(quat, dtype=np.float64) * (1.0, -1.0, -1.0, -1.0)


def rotate(quat: ArrayLike, vectors: ArrayLike) -> Array:
    """(…, 3) Vectors of the body's frame, in the world's."""
    quat, vectors = np.asarray(quat, dtype=np.float64), np.asarray(vectors, dtype=np.float64)
    scalar, axis = quat[..., :1], quat[..., 1:]
    cross = 2.0 * np.cross(axis, vectors)
    return vectors + scalar * cross + np.cross(axis, cross)


def rotation_vector(quat: ArrayLike) -> Array:
    """(…, 3) Axis times angle, rad, the shorter way round: at most π long."""
    quat = np.asarray(quat, dtype=np.float64)
    quat = np.where(quat[..., :1] < 0.0, -quat, quat)
    sine = np.linalg.norm(quat[..., 1:], axis=-1, keepdims=True)
    angle = 2.0 * np.arctan2(sine, quat[..., :1])
    # Towards no rotation the ratio of angle to sine becomes 2.
    return quat[..., 1:] * np.where(sine > 1e-12, angle / np.maximum(sine, 1e-12), 2.0)


def from_rotation_vector(vector: ArrayLike) -> Array:
    """(…, 4) The rotation about an axis by an angle, both in one vector, rad; the inverse of `rotation_vector`."""
    vector = np.asarray(vector, dtype=np.float64)
    half = 0.5 * np.linalg.norm(vector, axis=-1, keepdims=True)
    return np.concatenate((np.cos(half), 0.5 * vector * np.sinc(half / np.pi)), axis=-1)


def from_yaw(yaw: ArrayLike) -> Array:
    """(…, 4) Turns about the vertical, rad."""
    half = 0.5 * np.asarray(yaw, dtype=np.float64)
    zero = np.zeros_like(half)
    return np.stack((np.cos(half), zero, zero, np.sin(half)), axis=-1)


def yaw_of(quat: ArrayLike) -> Array:
    """(…) Heading of a body's x axis in the horizontal plane, rad."""
    w, x, y, z = np.moveaxis(np.asarray(quat, dtype=np.float64), -1, 0)
    return np.arctan2(2.0 * (w * z + x * y), 1.0 - 2.0 * (y * y + z * z))


def sign_flips(quat: Array) -> Array:
    """(T - 1,) Where neighbours in a (T, 4) sequence lie on opposite hemispheres, so that interpolation goes astray."""
    return np.einsum("ti,ti->t", quat[:-1], quat[1:]) < 0.0


def hemisphere_continuous(quat: Array) -> Array:
    """(T, 4) The same rotations with signs chosen so that no quaternion is far from the one before it."""
    signs = np.where(np.concatenate(([False], sign_flips(quat))), -1.0, 1.0)
    return quat * np.cumprod(signs)[:, None]


def slerp(a: ArrayLike, b: ArrayLike, fraction: ArrayLike) -> Array:
    """(…, 4) The rotations a (…) fraction of the shorter way from ``a`` to ``b``."""
    turn = rotation_vector(multiply(conjugate(a), b))
    return multiply(a, from_rotation_vector(turn * np.asarray(fraction, dtype=np.float64)[..., None]))
