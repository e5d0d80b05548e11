"""Skeleton: what motion needs to know of a robot, from its own model: joints, ranges, speeds, and where its parts are.

Forward kinematics is MuJoCo's, frame by frame.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import mujoco
import numpy as np
from numpy.typing import NDArray

from embodied.motion.clip import MotionClip, MotionError
from embodied.motion.laikago import laikago
from morphologies import Body, body_names, find_body
from morphologies.read.stance import lowest, solid_geoms

Array = NDArray[np.float64]

ONLY_CLIPS = {"laikago": laikago}
"""Bodies that clips are made for and nothing else knows by name."""


@dataclass(frozen=True, eq=False)
class Skeleton:
    """A robot with a free root, hinges and slides."""

    body: Body
    model: mujoco.MjModel
    joint_names: tuple[str, ...]
    """J names, in the order of an Entity's."""
    address: NDArray[np.int64]
    """(J,) Where they are in qpos."""
    dof: NDArray[np.int64]
    """(J,) Where they are in qvel."""
    lower: Array
    """(J,) rad or m; -inf where there is no limit."""
    upper: Array
    """(J,)"""
    max_speed: Array
    """(J,) rad/s or m/s; inf where it is not known."""
    foot_names: tuple[str, ...]
    """F links, in the model's order."""
    soles: tuple[tuple[int, ...], ...]
    """Geoms of each foot that can touch something."""

    @property
    def name(self) -> str:
        """Of the robot."""
        return self.body.name

    @property
    def root(self) -> int:
        """Id of the root link."""
        return int(self.model.jnt_bodyid[self.root_joint])

    @property
    def root_joint(self) -> int:
        """Id of the free joint."""
        return int(np.flatnonzero(self.model.jnt_type == mujoco.mjtJoint.mjJNT_FREE)[0])

    @property
    def pose(self) -> Array:
        """(J,) The default pose."""
        reference = self.model.qpos0[self.address]
        return np.array([self.body.pose.get(n, at) for n, at in zip(self.joint_names, reference, strict=True)])

    @property
    def foot_ids(self) -> list[int]:
        """(F) Ids of the feet's links."""
        return [self.model.body(name).id for name in self.foot_names]

    def refuse_other(self, clip: MotionClip) -> None:
        """Raises MotionError where a clip is not for this robot: by its name, or by its joints."""
        if clip.robot != self.name:
            raise MotionError(
                f"motion clip {clip.name!r} is for {clip.robot}, not for {self.name}; "
                f"embodied motion import --retarget {self.name} fits it to {self.name}"
            )
        if clip.joint_names != self.joint_names:
            strange = [name for name in clip.joint_names if name not in self.joint_names]
            what = f"knows no {', '.join(strange[:3])}" if strange else "has others, or in another order"
            raise MotionError(
                f"motion clip {clip.name!r} has {len(clip.joint_names)} joints, but {self.name} {what}: "
                f"expected were {', '.join(self.joint_names)}"
            )

    def postures(self, root_pos: Array, root_quat: Array, joint_pos: Array) -> Iterator[mujoco.MjData]:
        """The one MjData, in each frame's posture in turn, positions computed.

        Args:
            root_pos: (T, 3) m.
            root_quat: (T, 4).
            joint_pos: (T, J).
        """
        data = mujoco.MjData(self.model)
        start = int(self.model.jnt_qposadr[self.root_joint])
        for pos, quat, joints in zip(root_pos, root_quat, joint_pos, strict=True):
            data.qpos[start : start + 3], data.qpos[start + 3 : start + 7] = pos, quat
            data.qpos[self.address] = joints
            mujoco.mj_kinematics(self.model, data)
            yield data

    def feet(self, root_pos: Array, root_quat: Array, joint_pos: Array) -> Array:
        """(T, F, 3) Where the feet are, in the world, m: the middle of each foot's first solid shape."""
        where = [geoms[0] for geoms in self.soles]
        return np.array([data.geom_xpos[where] for data in self.postures(root_pos, root_quat, joint_pos)])

    def foot_bottoms(self, root_pos: Array, root_quat: Array, joint_pos: Array) -> Array:
        """(T, F) Height of each foot's lowest point, m."""
        return np.array(
            [
                [min(lowest(self.model, data, geom) for geom in geoms) for geoms in self.soles]
                for data in self.postures(root_pos, root_quat, joint_pos)
            ]
        ).reshape(len(root_pos), len(self.soles))

    def bottom(self, root_pos: Array, root_quat: Array, joint_pos: Array, feet: bool = True) -> Array:
        """(T,) Height of the whole robot's lowest solid point, m; ``feet`` says whether they count."""
        soles = [] if feet else [geom for geoms in self.soles for geom in geoms]
        geoms = [geom for geom in solid_geoms(self.model) if geom not in soles]
        return np.array(
            [
                min(lowest(self.model, data, geom) for geom in geoms)
                for data in self.postures(root_pos, root_quat, joint_pos)
            ]
        )


def skeleton_of(robot: str | Path | Body) -> Skeleton:
    """What there is to know of a robot, by name or file.

    Raises:
        MotionError: it has no free root, or joints other than hinges and slides.
        UnknownBody: nobody knows the name.
        RobotError: its file cannot be read.
    """
    return _by_name(str(robot)) if isinstance(robot, str | Path) else _examined(robot)


def known_skeleton(robot: str) -> Skeleton | None:
    """What there is to know of the robot that a clip names; None where nobody knows that name."""
    # A clip is no reason to open a file that it names.
    return skeleton_of(robot) if robot in ONLY_CLIPS or robot in body_names() else None


@lru_cache(maxsize=16)
def _by_name(robot: str) -> Skeleton:
    return _examined(ONLY_CLIPS[robot]() if robot in ONLY_CLIPS else find_body(robot))


def _examined(body: Body) -> Skeleton:
    model = body.spec().compile()
    free = [j for j in range(model.njnt) if model.jnt_type[j] == mujoco.mjtJoint.mjJNT_FREE]
    if len(free) != 1:
        raise MotionError(f"motions are of bodies with a free root, which {body.name} has not")
    joints = [j for j in range(model.njnt) if j not in free]
    simple = (mujoco.mjtJoint.mjJNT_HINGE, mujoco.mjtJoint.mjJNT_SLIDE)
    if strange := [model.joint(j).name for j in joints if int(model.jnt_type[j]) not in simple]:
        raise MotionError(f"motions are of hinges and slides; {body.name} has the ball joint {strange[0]}")
    names = tuple(model.joint(j).name for j in joints)
    limited = model.jnt_limited[joints].astype(bool)
    feet = sorted(model.body(foot).id for foot in body.feet)
    soles = tuple(tuple(g for g in solid_geoms(model) if model.geom_bodyid[g] == foot) for foot in feet)
    if bare := [model.body(foot).name for foot, geoms in zip(feet, soles, strict=True) if not geoms]:
        raise MotionError(f"the foot {bare[0]} of {body.name} has no solid shape to stand on")
    return Skeleton(
        body=body,
        model=model,
        joint_names=names,
        address=np.array([int(model.jnt_qposadr[j]) for j in joints], dtype=np.int64),
        dof=np.array([int(model.jnt_dofadr[j]) for j in joints], dtype=np.int64),
        lower=np.where(limited, model.jnt_range[joints, 0], -np.inf),
        upper=np.where(limited, model.jnt_range[joints, 1], np.inf),
        max_speed=np.array([body.max_speed.get(name, np.inf) for name in names]),
        foot_names=tuple(model.body(foot).name for foot in feet),
        soles=soles,
    )
