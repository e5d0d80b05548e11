"""Frames: poses of one frame in another, and rotations as the roll, pitch and yaw that URDF wants."""

from __future__ import annotations

import numpy as np

from morphologies.read.urdf_numbers import Pose


def within(outer: Pose, inner: Pose) -> Pose:
    """Where ``inner`` stands seen from ``outer``, both given in one frame."""
    return Pose(outer.rotation.T @ (inner.pos - outer.pos), outer.rotation.T @ inner.rotation)


def homogeneous(pose: Pose) -> np.ndarray:
    """(4, 4)."""
    matrix = np.eye(4)
    matrix[:3, :3], matrix[:3, 3] = pose.rotation, pose.pos
    return matrix


def rpy_of(rotation: np.ndarray) -> np.ndarray:
    """(3,) Roll, pitch and yaw of a rotation (3, 3), rad: about x, then y, then z, all fixed axes.

    Yaw is taken first and turned back, so that near pitch ±90°, where yaw and roll blur into each other, what they make
    together stays exact.
    """
    across = np.hypot(rotation[0, 0], rotation[1, 0])
    yaw = np.arctan2(rotation[1, 0], rotation[0, 0]) if across > 1e-12 else 0.0
    c, s = np.cos(yaw), np.sin(yaw)
    rest = np.array([[c, s, 0.0], [-s, c, 0.0], [0.0, 0.0, 1.0]]) @ rotation
    pitch = np.arctan2(-rest[2, 0], rest[0, 0])
    roll = np.arctan2(-rest[1, 2], rest[1, 1])
    return np.array([roll, pitch, yaw])
