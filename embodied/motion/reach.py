"""Inverse kinematics: joints that put feet where they should be, by damped least squares on MuJoCo's Jacobians.

Each frame starts from angles that are near the answer, so that the leg stays bent the way it is, and stays within the
joints' ranges (Buss, "Introduction to Inverse Kinematics with Jacobian Transpose, Pseudoinverse and
Damped Least Squares Methods", 2004, section 6).
"""

from __future__ import annotations

import mujoco
import numpy as np
from numpy.typing import NDArray

from embodied.motion.skeleton import Skeleton

Array = NDArray[np.float64]

ITERATIONS = 40
CLOSE = 1e-4
"""m: near enough."""
DAMPING = 0.01
"""m, per rad: how much a step shrinks where a leg is nearly straight."""
STEP = 0.3
"""rad: the longest step of a joint."""


def reach(
    skeleton: Skeleton, root_pos: Array, root_quat: Array, start: Array, targets: Array, wanted: NDArray[np.bool_]
) -> tuple[Array, Array]:
    """Joint angles, and how far each wanted foot is from its target.

    Args:
        skeleton: the robot's; joints that move one foot must not move another.
        root_pos: (T, 3) m.
        root_quat: (T, 4).
        start: (T, J) Where the search starts; joints of feet that are not wanted stay.
        targets: (T, F, 3) World positions of the feet's middles, m.
        wanted: (T, F) Which count.

    Returns:
        (T, J) rad, and (T, F) m, 0 where not wanted.
    """
    model = skeleton.model
    joints = np.clip(start, skeleton.lower, skeleton.upper)
    # Joints of legs that stay are not touched, not even where they are out of range.
    joints = np.where(_moves(skeleton, wanted), joints, start)
    errors = np.zeros(wanted.shape)
    jacobian = np.zeros((3, model.nv))
    root = int(model.jnt_qposadr[skeleton.root_joint])
    data = mujoco.MjData(model)
    for frame in np.flatnonzero(wanted.any(axis=1)):
        feet = np.flatnonzero(wanted[frame])
        data.qpos[root : root + 3], data.qpos[root + 3 : root + 7] = root_pos[frame], root_quat[frame]
        angles = joints[frame]
        for _ in range(ITERATIONS):
            data.qpos[skeleton.address] = angles
            mujoco.mj_kinematics(model, data)
            mujoco.mj_comPos(model, data)
            step = np.zeros(len(angles))
            for foot in feet:
                geom = skeleton.soles[foot][0]
                miss = targets[frame, foot] - data.geom_xpos[geom]
                errors[frame, foot] = distance = np.sqrt(miss @ miss)
                if distance < CLOSE:
                    continue
                mujoco.mj_jac(model, data, jacobian, None, data.geom_xpos[geom], skeleton.foot_ids[foot])
                mine = jacobian[:, skeleton.dof]
                # The damping falls with the error, so that the last steps are Newton's.
                damping = DAMPING**2 * min(1.0, distance / 0.05)
                step += mine.T @ np.linalg.solve(mine @ mine.T + damping * np.eye(3) + 1e-12 * np.eye(3), miss)
            if not step.any():
                break
            moved = np.clip(angles + np.clip(step, -STEP, STEP), skeleton.lower, skeleton.upper)
            if np.abs(moved - angles).max() < 1e-7:
                break
            angles = moved
        joints[frame] = angles
    return joints, errors


def _moves(skeleton: Skeleton, wanted: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """(T, J) Which joints carry a wanted foot."""
    model = skeleton.model
    carries = np.zeros((len(skeleton.soles), len(skeleton.joint_names)), bool)
    for foot, link in enumerate(skeleton.foot_ids):
        while link > 0:
            for column, name in enumerate(skeleton.joint_names):
                carries[foot, column] |= int(model.joint(name).bodyid[0]) == link
            link = int(model.body_parentid[link])
    return np.any(wanted[:, :, None] & carries, axis=1)


def chains(skeleton: Skeleton) -> list[list[int]]:
    """For each foot the columns of the joints that carry it; joints that carry none stand alone, in lists of one."""
    every = np.eye(len(skeleton.soles), dtype=bool)
    carried = [np.flatnonzero(row).tolist() for row in _moves(skeleton, every)] if len(every) else []
    taken = {column for chain in carried for column in chain}
    return carried + [[column] for column in range(len(skeleton.joint_names)) if column not in taken]
