"""Plan: where body and feet are to be, frame by frame, before there are any joint angles."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from embodied.motion.quaternions import from_rotation_vector, from_yaw, multiply
from embodied.motion.synthesise.quadruped import Array, Quadruped
from embodied.motion.velocities import Cycle

FRAME_RATE = 60.0
"""Frames in a second of every synthesised clip."""


NOWHERE = Cycle()
"""Of what is no loop, or stays in its place."""


@dataclass(frozen=True, eq=False)
class Plan:
    """T frames. World frame, z up, the ground at 0, m and rad."""

    position: Array
    """(T, 3) Of what ``leads``."""
    attitude: Array
    """(T, 3) The trunk's roll, pitch (nose down where positive) and heading, turned by heading first, by roll last."""
    feet: Array
    """(T, 4, 3) Centres of the feet, in the order of the robot's legs."""
    contacts: NDArray[np.bool_]
    """(T, 4) Which feet stand."""
    leads: Literal["centre", "trunk"] = "centre"
    """What the positions are of: the centre of mass of the whole robot, which the trunk then follows, or the trunk."""
    loop: bool = False
    cycle: Cycle = NOWHERE
    """What a cycle of a loop adds to the place and heading of what leads."""


def orientation(attitude: Array) -> Array:
    """(…, 4) Quaternions of (…, 3) roll, pitch and heading."""
    zero = np.zeros_like(attitude[..., 0])
    roll = from_rotation_vector(np.stack((attitude[..., 0], zero, zero), axis=-1))
    pitch = from_rotation_vector(np.stack((zero, attitude[..., 1], zero), axis=-1))
    return multiply(from_yaw(attitude[..., 2]), multiply(pitch, roll))


def mirrored(plan: Plan, robot: Quadruped) -> Plan:
    """The plan with left and right exchanged."""
    swap = robot.mirrored
    return replace(
        plan,
        position=plan.position * (1, -1, 1),
        attitude=plan.attitude * (-1, 1, -1),
        feet=plan.feet[:, swap] * (1, -1, 1),
        contacts=plan.contacts[:, swap],
        cycle=Cycle(plan.cycle.x, -plan.cycle.y, -plan.cycle.heading),
    )
