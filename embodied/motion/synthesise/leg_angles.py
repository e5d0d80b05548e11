"""Inverse kinematics of a leg, in closed form: which three angles put the foot where it should be.

The abduction joint turns the plane that hip, knee and foot lie in; in that plane thigh and shank are two sides of a
triangle whose third is the distance from hip to foot. The knee bends the way it does where the robot stands.
"""

from __future__ import annotations

import numpy as np

from embodied.motion.synthesise.quadruped import Array, Leg


class OutOfReach(ValueError):
    """The foot cannot get there; ``worst`` is the first such row."""

    def __init__(self, worst: int, wanted: float, possible: tuple[float, float]) -> None:
        self.worst = worst
        super().__init__(
            f"the foot would be {wanted:.3f} m from the hip; it reaches from {possible[0]:.3f} to {possible[1]:.3f} m"
        )


def leg_angles(leg: Leg, feet: Array) -> Array:
    """(T, 3) Abduction, hip and knee of the robot's own joints, rad.

    Args:
        leg: whose.
        feet: (T, 3) centres of the foot in the trunk's frame, m.

    Raises:
        OutOfReach: too far from the hip, or too near.
    """
    x, y, z = (feet - leg.root).T
    # Across the plane of the leg nothing moves: that much is to the side whatever the angles.
    aside = leg.offset[1] + leg.thigh[1] + leg.shank[1]
    depth = np.sqrt(np.maximum(y**2 + z**2 - aside**2, 0.0))
    abduction = np.arctan2(z, y) - np.arctan2(-depth, aside)
    abduction = np.arctan2(np.sin(abduction), np.cos(abduction))
    ahead, down = x - leg.offset[0], -depth - leg.offset[2]
    (thigh, lead), (shank, trail) = (_polar(part) for part in (leg.thigh, leg.shank))
    distance = np.hypot(ahead, down)
    if (off := (distance > thigh + shank) | (distance < abs(thigh - shank))).any():
        row = int(np.flatnonzero(off)[0])
        raise OutOfReach(row, float(distance[row]), (abs(thigh - shank), thigh + shank))
    fold = leg.bend * np.arccos((distance**2 - thigh**2 - shank**2) / (2 * thigh * shank))
    hip = np.arctan2(-ahead, -down) - np.arctan2(shank * np.sin(fold), thigh + shank * np.cos(fold))
    # Measured from straight down; parts that do not hang straight at 0 are ahead of that by as much.
    hip = np.arctan2(np.sin(hip - lead), np.cos(hip - lead))
    knee = fold + lead - trail
    return leg.signs * np.stack((abduction, hip, knee), axis=1)


def fold_at(leg: Leg, knee: float) -> float:
    """The angle between straight and bent at a position of the knee's joint, rad: the inverse of the last lines."""
    return leg.signs[2] * knee - _polar(leg.thigh)[1] + _polar(leg.shank)[1]


def lengths(leg: Leg) -> tuple[float, float]:
    """Of thigh and shank, m, in the plane of the leg."""
    return _polar(leg.thigh)[0], _polar(leg.shank)[0]


def _polar(part: Array) -> tuple[float, float]:
    """Length of a part in the plane of the leg, m, and how far it is turned about y from straight down, rad."""
    return float(np.hypot(part[0], part[2])), float(np.arctan2(-part[0], -part[2]))
