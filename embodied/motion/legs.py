"""Legs: which joints of a quadruped belong to which of its legs, so that robots with other orders can be compared."""

from __future__ import annotations

from dataclasses import dataclass

import mujoco
import numpy as np
from numpy.typing import NDArray

from embodied.motion.clip import MotionError
from embodied.motion.skeleton import Skeleton

LEGS = ("FR", "FL", "RR", "RL")
"""Front and rear, right and left, as most files order them."""


@dataclass(frozen=True, eq=False)
class Leg:
    """One leg of three joints. Vectors are in the root's frame where all joints are at 0."""

    joints: tuple[int, int, int]
    """Columns of abduction, hip and knee among the robot's joints."""
    foot: int
    """Column among its feet."""
    axes: NDArray[np.float64]
    """(3, 3) What the joints turn about."""
    hip: NDArray[np.float64]
    """(3,) Where the second joint is, m."""
    thigh: NDArray[np.float64]
    """(3,) From there to the third, m."""
    shank: NDArray[np.float64]
    """(3,) From there to the foot, m."""

    @property
    def length(self) -> float:
        """Of thigh and shank, m."""
        return float(np.linalg.norm(self.thigh) + np.linalg.norm(self.shank))


def legs_of(skeleton: Skeleton) -> dict[str, Leg]:
    """The four legs by name of `LEGS`.

    Raises:
        MotionError: the robot has not one leg of three joints at each corner of its root link.
    """
    model, data = skeleton.model, mujoco.MjData(skeleton.model)
    data.qpos[:] = model.qpos0
    start = int(model.jnt_qposadr[skeleton.root_joint])
    data.qpos[start : start + 7] = (0, 0, 0, 1, 0, 0, 0)
    data.qpos[skeleton.address] = 0.0
    mujoco.mj_kinematics(model, data)
    column = {model.joint(name).id: i for i, name in enumerate(skeleton.joint_names)}
    found: dict[str, Leg] = {}
    for number, (foot, geoms) in enumerate(zip(skeleton.foot_ids, skeleton.soles, strict=True)):
        link, chain = foot, []
        while link not in (0, skeleton.root):
            chain += [j for j in column if model.jnt_bodyid[j] == link]
            link = int(model.body_parentid[link])
        if len(chain) != 3:
            raise MotionError(
                f"{skeleton.name} is no quadruped of three joints a leg: {model.body(foot).name} hangs on {len(chain)}"
            )
        abduction, hip, knee = chain[::-1]
        where = data.xanchor
        middle = where[hip]
        name = ("F" if middle[0] > 0 else "R") + ("L" if middle[1] > 0 else "R")
        found[name] = Leg(
            joints=(column[abduction], column[hip], column[knee]),
            foot=number,
            axes=data.xaxis[[abduction, hip, knee]].copy(),
            hip=middle.copy(),
            thigh=where[knee] - middle,
            shank=data.geom_xpos[geoms[0]] - where[knee],
        )
    if set(found) != set(LEGS) or len(skeleton.soles) != 4:
        raise MotionError(f"{skeleton.name} is no quadruped with a leg at each corner: {len(skeleton.soles)} feet")
    return {name: found[name] for name in LEGS}


def joints_by_leg(skeleton: Skeleton) -> list[int]:
    """(12) The robot's joints in the order of `LEGS`, abduction, hip and knee of each.

    Raises:
        MotionError: as `legs_of`.
    """
    return [joint for leg in legs_of(skeleton).values() for joint in leg.joints]
