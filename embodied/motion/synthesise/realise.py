"""Realise: from a plan of body and feet to a clip of joint angles, by inverse kinematics.

Where the centre of mass leads, the trunk is put so that it is met: legs that swing draw the trunk the other way, as
they do in life, and in flight it is the centre of mass of everything that falls freely.
"""

from __future__ import annotations

import mujoco
import numpy as np

from embodied.motion.clip import MotionClip, MotionError
from embodied.motion.quaternions import conjugate, from_yaw, rotate
from embodied.motion.synthesise.leg_angles import OutOfReach, leg_angles
from embodied.motion.synthesise.plan import FRAME_RATE, Plan, orientation
from embodied.motion.synthesise.quadruped import Array, Quadruped
from embodied.motion.velocities import Cycle

ROUNDS = 12
"""Times at most that the trunk is moved to bring the centre of mass to its place."""
MET = 1e-6
"""m: near enough to it."""
STEPS = {"position": 2.0**20, "angle": 2.0**18, "quaternion": 2.0**22, "velocity": 2.0**12}
"""Clips are stored in steps of a part of a metre, a radian, a metre or radian a second: what is less is noise, and
does not compress."""
LICENCE = "Apache-2.0"


def realise(robot: Quadruped, plan: Plan, name: str) -> MotionClip:
    """The clip of a plan.

    Raises:
        MotionError: a foot is out of reach, or a joint would leave its range; the message names leg and time.
    """
    quat = orientation(plan.attitude)
    pos = plan.position if plan.leads == "trunk" else plan.position - rotate(quat, robot.centre)
    joints = _joints(robot, plan, name, pos, quat)
    if plan.leads == "centre":
        for _ in range(ROUNDS):
            missed = plan.position - pos - rotate(quat, centres(robot, joints))
            pos = pos + missed
            joints = _joints(robot, plan, name, pos, quat)
            if np.abs(missed).max() < MET:
                break
    _refuse_beyond_ranges(robot, joints, name)
    clip = MotionClip.from_poses(
        name,
        robot.name,
        FRAME_RATE,
        _rounded(pos, "position"),
        quat,
        robot.joint_names,
        _rounded(joints, "angle"),
        foot_names=[leg.foot for leg in robot.legs],
        contacts=plan.contacts,
        loop=plan.loop,
        cycle=_root_cycle(plan, pos),
        licence=LICENCE,
    )
    return MotionClip(
        **{
            **vars(clip),
            "root_quat": _rounded(clip.root_quat, "quaternion"),
            "root_velocity": _rounded(clip.root_velocity, "velocity"),
            "joint_vel": _rounded(clip.joint_vel, "velocity"),
        }
    )


def centres(robot: Quadruped, joints: Array) -> Array:
    """(T, 3) The centre of mass from the trunk's origin, in its frame, at (T, J) joint angles, m."""
    data = mujoco.MjData(robot.model)
    data.qpos[:] = robot.model.qpos0
    root = int(robot.model.jnt_qposadr[robot.model.body_jntadr[robot.trunk]])
    data.qpos[root : root + 7] = (0, 0, 0, 1, 0, 0, 0)
    found = np.empty((len(joints), 3))
    for row, angles in enumerate(joints):
        data.qpos[robot.joint_address] = angles
        mujoco.mj_kinematics(robot.model, data)
        mujoco.mj_comPos(robot.model, data)
        found[row] = data.subtree_com[robot.trunk]
    return found


def _joints(robot: Quadruped, plan: Plan, name: str, pos: Array, quat: Array) -> Array:
    joints = np.empty((len(pos), len(robot.joint_names)))
    back = conjugate(quat)
    for number, leg in enumerate(robot.legs):
        try:
            joints[:, leg.joints] = leg_angles(leg, rotate(back, plan.feet[:, number] - pos))
        except OutOfReach as error:
            at = error.worst / FRAME_RATE
            raise MotionError(f"{name!r} cannot be made for {robot.name}: {leg.foot} at {at:.2f} s: {error}") from None
    return joints


def _refuse_beyond_ranges(robot: Quadruped, joints: Array, name: str) -> None:
    for leg in robot.legs:
        for column, low, high in zip(leg.joints, leg.lower, leg.upper, strict=True):
            off = (joints[:, column] < low) | (joints[:, column] > high)
            if off.any():
                frame = int(np.flatnonzero(off)[0])
                raise MotionError(
                    f"{name!r} cannot be made for {robot.name}: at {frame / FRAME_RATE:.2f} s "
                    f"{robot.joint_names[column]} would be at {joints[frame, column]:.3f} rad, "
                    f"where it goes from {low:.3f} to {high:.3f}"
                )


def _root_cycle(plan: Plan, pos: Array) -> Cycle:
    """What a cycle adds to the trunk's place: a turn is about the trunk there, about what leads in the plan."""
    if not plan.loop:
        return Cycle()
    led, turn = plan.position[0], from_yaw(plan.cycle.heading)
    after = rotate(turn, pos[0] - led) + led + (plan.cycle.x, plan.cycle.y, 0.0)
    return Cycle(float(after[0] - pos[0, 0]), float(after[1] - pos[0, 1]), plan.cycle.heading)


def _rounded(values: Array, kind: str) -> Array:
    return np.round(values * STEPS[kind]) / STEPS[kind]
