"""Numbers and poses of a URDF, each finite, with the element named that has one which is not."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from pathlib import Path
from xml.etree import ElementTree

import mujoco
import numpy as np

from morphologies.read.errors import RobotError


@dataclass(frozen=True)
class Pose:
    """Of one frame in another."""

    pos: np.ndarray = field(default_factory=lambda: np.zeros(3))
    """(3,) m."""
    rotation: np.ndarray = field(default_factory=lambda: np.eye(3))
    """(3, 3)."""

    @property
    def quat(self) -> np.ndarray:
        """(4,) w, x, y, z."""
        quat = np.zeros(4)
        mujoco.mju_mat2Quat(quat, self.rotation.ravel())
        return quat

    def __matmul__(self, inner: Pose) -> Pose:
        return Pose(self.pos + self.rotation @ inner.pos, self.rotation @ inner.rotation)


def rotation_of(roll: float, pitch: float, yaw: float) -> np.ndarray:
    """(3, 3) First about x, then y, then z, all fixed axes: URDF's ``rpy``."""
    cr, sr, cp, sp, cy, sy = (f(a) for a in (roll, pitch, yaw) for f in (math.cos, math.sin))
    about_x = np.array([[1, 0, 0], [0, cr, -sr], [0, sr, cr]])
    about_y = np.array([[cp, 0, sp], [0, 1, 0], [-sp, 0, cp]])
    about_z = np.array([[cy, -sy, 0], [sy, cy, 0], [0, 0, 1]])
    return about_z @ about_y @ about_x


class Numbers:
    """Reads attributes; errors name the file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def number(self, element: ElementTree.Element, name: str, default: float, what: str) -> float:
        """One number, or the default where it is not given.

        Raises:
            RobotError: it is none, or not finite.
        """
        text = element.get(name)
        if text is None:
            return default
        return self._float(text, f"{name} of {what}")

    def vector(self, element: ElementTree.Element, name: str, size: int, what: str) -> np.ndarray:
        """(size,) Numbers between blanks.

        Raises:
            RobotError: another number of them, or one that is not finite.
        """
        words = element.get(name, "").split()
        if len(words) != size:
            raise RobotError(self.path, f"{name} of {what} must be {size} numbers, not {element.get(name)!r}")
        return np.array([self._float(word, f"{name} of {what}") for word in words])

    def origin(self, element: ElementTree.Element, what: str) -> Pose:
        """The pose in an element's ``origin``; none is the identity.

        Raises:
            RobotError: a number that is none.
        """
        origin = element.find("origin")
        if origin is None:
            return Pose()
        pos = self.vector(origin, "xyz", 3, f"the origin of {what}") if origin.get("xyz") else np.zeros(3)
        rpy = self.vector(origin, "rpy", 3, f"the origin of {what}") if origin.get("rpy") else np.zeros(3)
        return Pose(pos, rotation_of(*rpy))

    def _float(self, text: str, what: str) -> float:
        try:
            value = float(text)
        except ValueError:
            raise RobotError(self.path, f"{what} must be a number, not {text!r}") from None
        if not math.isfinite(value):
            raise RobotError(self.path, f"{what} is {text}, which is not finite")
        return value
