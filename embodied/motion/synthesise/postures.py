"""Postures: where trunk and feet are when a robot stands, lies, sits or bows, from the geometry of its legs.

Lying legs are folded as far as their knees go (but for a margin), the shank flat on the ground; they are splayed until
the belly is near the ground, or as far as is becoming. Places are seen from the middle between the feet of a stand.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from embodied.motion.clip import MotionError
from embodied.motion.synthesise.footfalls import neutral_feet
from embodied.motion.synthesise.leg_angles import fold_at, lengths
from embodied.motion.synthesise.quadruped import Array, Leg, Quadruped

KNEE_MARGIN = 0.08
"""How far knees stay from the ends of their range, rad."""
STRAIGHT = 0.6
"""How much knees stay bent in any case, rad: straight legs look stiff and cannot give."""
BELLY_GAP = 0.012
"""Between the belly and the ground when lying, m."""
WIDEST = 0.6
"""Largest splay of a lying leg, rad."""
STEEPEST = 0.6
"""Largest pitch of a sitting or bowing trunk, rad."""
SAME_PLACE = 0.005
"""Feet do not step for less, m."""
STRETCH = 0.97
"""Part of its reach that a stretched leg uses."""


@dataclass(frozen=True, eq=False)
class Posture:
    """The trunk's origin, m, its pitch (nose down where positive), rad, and (4, 2) where the feet are, m."""

    x: float
    z: float
    pitch: float
    feet: Array


@dataclass(frozen=True)
class Fold:
    """A leg that lies folded on the ground."""

    height: float
    """Of the hip above the middle of the shank, in the plane of the leg, m."""
    ahead: float
    """Of the foot before the hip, m."""


def stand(robot: Quadruped) -> Posture:
    """In the default pose, the weight in the middle between the feet."""
    return Posture(-robot.centre[0], robot.height, 0.0, neutral_feet(robot))


def lie(robot: Quadruped) -> Posture:
    """On the folded legs, the belly low, the trunk level."""
    legs = robot.legs
    splays = [min(WIDEST, _splay_range(leg)) for leg in legs]
    heights = []
    for leg, widest in zip(legs, splays, strict=True):
        fold = folded(leg)
        heights.append(_trunk_over(leg, fold, widest))
    z = max(*heights, robot.belly + BELLY_GAP)
    feet = np.empty((4, 2))
    x = stand(robot).x
    for number, leg in enumerate(legs):
        fold = folded(leg)
        # Splayed as much as brings the trunk to that height.
        tried = np.linspace(0.0, splays[number], 200)
        splay = float(tried[np.argmin(np.abs([_trunk_over(leg, fold, each) - z for each in tried]))])
        feet[number] = (x + _hip(leg)[0] + fold.ahead, _aside(leg, fold, splay))
    # The feet stay where they stand, as far as they can: the body goes to them.
    standing = neutral_feet(robot)
    moved = float(np.mean(standing[:, 0] - feet[:, 0]))
    feet += np.array((moved, 0.0))
    near = np.linalg.norm(feet - standing, axis=1, keepdims=True) < SAME_PLACE
    return Posture(x + moved, z, 0.0, np.where(near, standing, feet))


def sit(robot: Quadruped) -> Posture:
    """On the folded hind legs, which stand where they stood; the fore legs upright, stepped back to under the chest."""
    fore, hind = _pairs(robot)
    fold = folded(robot.legs[hind[0]])
    low = _knee_height(robot.legs[hind[0]]) + fold.height
    high = STRETCH * reach(robot.legs[fore[0]]) + robot.legs[fore[0]].radius
    trunk = _hip(robot.legs[fore[0]])[0] - _hip(robot.legs[hind[0]])[0]
    pitch = min(STEEPEST, float(np.arcsin(min(1.0, (high - low) / trunk))))
    feet = neutral_feet(robot).copy()
    hip_x = feet[hind, 0].mean() - fold.ahead
    # From the hind hips up along the trunk.
    behind, under = _hip(robot.legs[hind[0]])[[0, 2]]
    x = hip_x - (behind * np.cos(pitch) - under * np.sin(pitch))
    z = low - (behind * np.sin(pitch) + under * np.cos(pitch))
    before = _hip(robot.legs[fore[0]])[0]
    feet[fore, 0] = x + before * np.cos(pitch) + 0.12 * lengths(robot.legs[fore[0]])[1]
    return Posture(float(x), float(z), -pitch, feet)


def bow(robot: Quadruped) -> Posture:
    """On the folded fore legs, which stay where they stood, the hind legs stretched: an invitation to play."""
    fore, hind = _pairs(robot)
    fold = folded(robot.legs[fore[0]])
    low = _knee_height(robot.legs[fore[0]]) + fold.height
    high = 0.93 * reach(robot.legs[hind[0]]) + robot.legs[hind[0]].radius
    trunk = _hip(robot.legs[fore[0]])[0] - _hip(robot.legs[hind[0]])[0]
    pitch = min(STEEPEST, float(np.arcsin(min(1.0, (high - low) / trunk))))
    feet = neutral_feet(robot)
    before, over = _hip(robot.legs[fore[0]])[[0, 2]]
    hip_x = feet[fore, 0].mean() - fold.ahead
    x = hip_x - (before * np.cos(pitch) + over * np.sin(pitch))
    z = low - (-before * np.sin(pitch) + over * np.cos(pitch))
    return Posture(float(x), float(z), pitch, feet)


def reach(leg: Leg) -> float:
    """How far the foot gets from the hip, m."""
    folds = sorted(abs(f) for f in (fold_at(leg, leg.lower[2]), fold_at(leg, leg.upper[2])) if f * leg.bend > 0)
    crosses = len(folds) < 2
    least = max(STRAIGHT, 0.0 if crosses else folds[0] + KNEE_MARGIN)
    thigh, shank = lengths(leg)
    return float(np.sqrt(thigh**2 + shank**2 + 2 * thigh * shank * np.cos(least)))


def folded(leg: Leg) -> Fold:
    """The leg with its knee bent as far as it goes and its shank flat on the ground.

    Raises:
        MotionError: the knee does not bend beyond a right angle, so the leg does not fold.
    """
    folds = [f for f in (fold_at(leg, leg.lower[2]), fold_at(leg, leg.upper[2])) if f * leg.bend > 0]
    most = min(max(map(abs, folds), default=0.0), np.pi - 0.15) - KNEE_MARGIN
    if most < 0.5 * np.pi:
        raise MotionError(f"the leg to {leg.foot} bends by {most:.2f} rad at most, too little to sit or lie on")
    between = np.pi - most
    thigh, shank = lengths(leg)
    return Fold(float(thigh * np.sin(between)), float(-leg.bend * (shank - thigh * np.cos(between))))


def _hip(leg: Leg) -> Array:
    return leg.root + leg.offset


def _pairs(robot: Quadruped) -> tuple[list[int], list[int]]:
    fore = [i for i, leg in enumerate(robot.legs) if leg.front]
    return fore, [i for i in range(4) if i not in fore]


def _knee_height(leg: Leg) -> float:
    return max(leg.girth, leg.radius)


def _splay_range(leg: Leg) -> float:
    """How far the foot can be turned outwards, rad."""
    ends = leg.signs[0] * leg.lower[0], leg.signs[0] * leg.upper[0]
    return 0.95 * (max(ends) if leg.left else -min(ends))


def _trunk_over(leg: Leg, fold: Fold, splay: float) -> float:
    """Height of the trunk's origin where a folded leg is splayed, m."""
    return _knee_height(leg) + fold.height * np.cos(splay) - abs(_across(leg)) * np.sin(splay) - leg.root[2]


def _aside(leg: Leg, fold: Fold, splay: float) -> float:
    side = 1.0 if leg.left else -1.0
    return leg.root[1] + side * (abs(_across(leg)) * np.cos(splay) + fold.height * np.sin(splay))


def _across(leg: Leg) -> float:
    return leg.offset[1] + leg.thigh[1] + leg.shank[1]
