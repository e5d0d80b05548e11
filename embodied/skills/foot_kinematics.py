"""Where feet are for any joint angles: forward kinematics of a robot's legs for many poses at once, in torch.

MuJoCo computes one pose at a time; this computes a whole library of clips in a few milliseconds, on any device.
"""

from __future__ import annotations

import mujoco
import numpy as np
import torch
from torch import Tensor

from embodied.runs.errors import UserError
from embodied.scenes.entity import Entity

HINGE, SLIDE = int(mujoco.mjtJoint.mjJNT_HINGE), int(mujoco.mjtJoint.mjJNT_SLIDE)


class FootKinematics:
    """The chain of links from each foot up to the root link, all feet side by side."""

    def __init__(self, entity: Entity, device: torch.device | str = "cpu", dtype: torch.dtype = torch.float64) -> None:
        """Reads the chains.

        Args:
            entity: the robot, with feet.
            device: where joint angles will lie.
            dtype: of them.

        Raises:
            UserError: a link of a leg has two joints or more, or one that is neither hinge nor slide.
        """
        model, root = entity.model, entity.bodies[0]
        ids = [entity.bodies[entity.link_names.index(foot)] for foot in entity.body.feet]
        chains = []
        for foot in ids:
            chain = []
            while foot != root:
                chain.append(foot)
                foot = int(model.body_parentid[foot])
            chains.append(chain)
        self._levels = [
            _Level(entity, [chain[depth] if depth < len(chain) else -1 for chain in chains], device, dtype)
            for depth in range(max(map(len, chains), default=0))
        ]
        self._zero = torch.zeros(len(ids), 3, dtype=dtype, device=device)

    def __call__(self, joint_pos: Tensor) -> Tensor:
        """(…, F, 3) Where the feet's links are in the root link's frame, m, for joints (…, J)."""
        points = self._zero.to(joint_pos.dtype).expand(*joint_pos.shape[:-1], *self._zero.shape)
        for level in self._levels:
            points = level.outwards(points, joint_pos)
        return points


class _Level:
    """One link of every foot's chain: the link itself for the first level, then its parent's, and so on."""

    def __init__(self, entity: Entity, links: list[int], device: torch.device | str, dtype: torch.dtype) -> None:
        model, count = entity.model, len(links)
        columns = np.zeros(count, dtype=np.int64)
        axis, anchor, slide = np.zeros((count, 3)), np.zeros((count, 3)), np.zeros((count, 1))
        place, turn = np.zeros((count, 3)), np.tile(np.eye(3), (count, 1, 1))
        offset = np.zeros(count)
        for row, link in enumerate(links):
            if link < 0:
                continue
            place[row] = model.body_pos[link]
            matrix = np.zeros(9)
            mujoco.mju_quat2Mat(matrix, model.body_quat[link])
            turn[row] = matrix.reshape(3, 3)
            joints = [j for j in entity.joints if model.jnt_bodyid[j] == link]
            if len(joints) > 1 or (joints and int(model.jnt_type[joints[0]]) not in (HINGE, SLIDE)):
                raise UserError(
                    f"the link {model.body(link).name} of {entity.body.name} has joints other than one hinge or slide"
                )
            for joint in joints:
                columns[row] = entity.joints.index(joint)
                axis[row], anchor[row] = model.jnt_axis[joint], model.jnt_pos[joint]
                slide[row] = float(model.jnt_type[joint] == SLIDE)
                offset[row] = model.qpos0[model.jnt_qposadr[joint]]

        def tensor(values: np.ndarray) -> Tensor:
            return torch.tensor(values, dtype=dtype, device=device)

        self._columns = torch.tensor(columns, device=device)
        self._axis, self._anchor, self._slide = tensor(axis), tensor(anchor), tensor(slide)
        self._place, self._turn, self._offset = tensor(place), tensor(turn), tensor(offset)

    def outwards(self, points: Tensor, joint_pos: Tensor) -> Tensor:
        """(…, F, 3) Points of the links' frames in those of their parents."""
        kind = joint_pos.dtype
        axis, slide = self._axis.to(kind), self._slide.to(kind)
        value = (joint_pos[..., self._columns] - self._offset.to(kind))[..., None]
        angle = value * (1.0 - slide)
        arm = points - self._anchor.to(kind)
        cosine, sine = torch.cos(angle), torch.sin(angle)
        along = (axis * arm).sum(-1, keepdim=True)
        cross = torch.linalg.cross(axis.expand_as(arm), arm)
        # Rodrigues' formula; where there is no joint the axis is zero and nothing turns.
        still = (axis == 0.0).all(-1, keepdim=True)
        turned = torch.where(still, arm, cosine * arm + sine * cross + (1.0 - cosine) * along * axis)
        own = turned + self._anchor.to(kind) + slide * value * axis
        return (self._turn.to(kind) @ own[..., None])[..., 0] + self._place.to(kind)
