"""Anatomy: a body as a tree of links with one joint each, the way URDF and a workshop want it.

MuJoCo lets a link hang on several hinges at once; here each but the last of them gets a carrier, a link of next to no
mass. Frames stand where the joints are: a link's origin is on its joint's axis. Its axes are those of MuJoCo's link,
and of the root link those of the world in the reference pose.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import mujoco
import numpy as np

from morphologies.body import Body
from morphologies.fabricate.errors import FabricationError
from morphologies.fabricate.frames import within
from morphologies.fabricate.motion import Joint, Motor, find_mimics, find_motors, left_out
from morphologies.read.urdf_inertia import Inertia
from morphologies.read.urdf_numbers import Pose

WORLD = "world"
"""The link that bodies are fixed to; URDF readers take one of this name for the ground."""
CARRIER_MASS, CARRIER_INERTIA = 1e-9, 1e-12
"""kg and kg·m² of carriers, for engines move no mass of 0. All by which a body read back moves differently comes from
them, in proportion (docs/fabricate.md)."""

JOINTS = mujoco.mjtJoint


@dataclass(frozen=True)
class Link:
    """One link and the joint it hangs on."""

    name: str
    source: str
    """Name in the MJCF; of a carrier that of the link that it carries."""
    number: int | None
    """Of the body in the compiled model; None for carriers, which have neither shape nor weight."""
    parent: str | None
    """``world`` for the root link of a body that is fixed to it; None for one that is not."""
    frame: Pose
    """In the world, with all joints at 0 and the root link at the origin."""
    joint: Joint | None
    """None for the root link, and for links that are fixed to their parents."""
    inertia: Inertia | None
    """In the link's frame, exactly MuJoCo's; None for what weighs nothing."""
    geoms: tuple[int, ...] = ()
    """Of the compiled model."""


@dataclass(frozen=True)
class Anatomy:
    """A body taken apart."""

    name: str
    body: Body
    spec: mujoco.MjSpec
    model: mujoco.MjModel
    data: mujoco.MjData
    """All joints at 0, positions computed."""
    links: list[Link]
    """Parents before children, in the order of the model."""
    motors: list[Motor]
    origin: np.ndarray
    """(3,) Of all frames, in the model's world, m."""
    mimics: dict[str, tuple[str, float, float]]
    """Joints that follow others: by name the leader's name, the multiplier, and the offset, rad or m."""
    notes: list[str]
    """Sentences on what of the body only the MJCF holds."""

    def geom_pose(self, link: Link, geom: int) -> Pose:
        """Of a geom in its link's frame."""
        place = Pose(self.data.geom_xpos[geom] - self.origin, self.data.geom_xmat[geom].reshape(3, 3))
        return within(link.frame, place)

    def default(self, joint: Joint) -> float:
        """Position of a joint in the default pose, rad or m."""
        reference = self.model.qpos0[self.model.jnt_qposadr[joint.number]]
        return float(self.body.pose.get(joint.source, reference))

    @property
    def real_links(self) -> list[Link]:
        """Links without the carriers."""
        return [link for link in self.links if link.number is not None]

    @property
    def joints(self) -> list[Joint]:
        """All joints but the root's."""
        return [link.joint for link in self.links if link.joint is not None]


def take_apart(body: Body) -> Anatomy:
    """The links, joints and motors of a body.

    Raises:
        FabricationError: it has joints that are no hinges and slides, or is more than one tree.
    """
    spec = body.spec()
    model = spec.compile()
    data = mujoco.MjData(model)
    if model.nbody < 2 or (model.body_rootid[1:] != 1).any():
        raise FabricationError(body.name, "is not one tree of links, so it is no robot to be built")
    held = set() if body.root == "fixed" else {j for j in range(model.njnt) if model.jnt_bodyid[j] == 1}
    for joint in range(model.njnt):
        if joint in held:
            continue
        if int(model.jnt_type[joint]) not in (JOINTS.mjJNT_HINGE, JOINTS.mjJNT_SLIDE):
            raise FabricationError(
                body.name, f"joint {model.joint(joint).name!r} is neither hinge nor slide, and URDF has none like it"
            )
        data.qpos[model.jnt_qposadr[joint]] = 0.0
    mujoco.mj_kinematics(model, data)
    origin = np.zeros(3) if body.root == "fixed" else np.array(data.xpos[1])
    links = _Links(body, model, data, held, origin).all()
    joints = {link.joint.number: link.joint for link in links if link.joint}
    motors, notes = find_motors(spec, model, joints)
    mimics, more = find_mimics(model, joints)
    notes += more + left_out(model)
    return Anatomy(plain_name(body.name), body, spec, model, data, links, motors, origin, mimics, notes)


def plain_name(name: str) -> str:
    """A name as files and ROS take it: letters, digits, underscores, dots and dashes."""
    return re.sub(r"[^A-Za-z0-9_.\-]+", "_", name).strip("_") or "body"


class _Links:
    def __init__(
        self, body: Body, model: mujoco.MjModel, data: mujoco.MjData, held: set[int], origin: np.ndarray
    ) -> None:
        self._body, self._model, self._data, self._held, self._origin = body, model, data, held, origin
        self._taken = {WORLD}
        self._joints_taken: set[str] = set()

    def all(self) -> list[Link]:
        model, data = self._model, self._data
        named = {b: self._free(model.body(b).name or f"link{b}", self._taken) for b in range(1, model.nbody)}
        links: list[Link] = []
        for b in range(1, model.nbody):
            axes = data.xmat[b].reshape(3, 3).copy() if b > 1 else np.eye(3)
            frame = Pose(data.xpos[b] - self._origin, axes)
            parent = named.get(int(model.body_parentid[b]), WORLD if self._body.root == "fixed" else None)
            joints = [j for j in range(model.njnt) if model.jnt_bodyid[j] == b and j not in self._held]
            joint = None
            for place, j in enumerate(joints):
                frame = Pose(data.xanchor[j] - self._origin, axes)
                joint = self._joint(j, frame)
                if place < len(joints) - 1:
                    carrier = self._free(f"{named[b]}_carrier{place + 1 if len(joints) > 2 else ''}", self._taken)
                    tiny = Inertia(CARRIER_MASS, np.zeros(3), CARRIER_INERTIA * np.eye(3))
                    links.append(Link(carrier, model.body(b).name, None, parent, frame, joint, tiny))
                    parent = carrier
            links.append(
                Link(
                    name=named[b],
                    source=model.body(b).name,
                    number=b,
                    parent=parent,
                    frame=frame,
                    joint=joint,
                    inertia=self._inertia(b, frame),
                    geoms=tuple(g for g in range(model.ngeom) if model.geom_bodyid[g] == b),
                )
            )
        return links

    def _joint(self, number: int, frame: Pose) -> Joint:
        model, data = self._model, self._data
        dof, source = int(model.jnt_dofadr[number]), model.joint(number).name
        low, high = (float(v) for v in model.jnt_range[number])
        return Joint(
            name=self._free(source or f"joint{number}", self._joints_taken),
            source=source,
            number=number,
            slides=int(model.jnt_type[number]) == JOINTS.mjJNT_SLIDE,
            axis=frame.rotation.T @ data.xaxis[number],
            range=(low, high) if model.jnt_limited[number] else None,
            damping=float(model.dof_damping[dof]),
            frictionloss=float(model.dof_frictionloss[dof]),
            armature=float(model.dof_armature[dof]),
            stiffness=float(model.jnt_stiffness[number]),
            rest=float(model.qpos_spring[model.jnt_qposadr[number]]),
            max_speed=self._body.max_speed.get(source),
        )

    def _inertia(self, b: int, frame: Pose) -> Inertia | None:
        mass = float(self._model.body_mass[b])
        if mass == 0.0:
            return None
        axes = frame.rotation.T @ self._data.ximat[b].reshape(3, 3)
        centre = frame.rotation.T @ (self._data.xipos[b] - self._origin - frame.pos)
        return Inertia(mass, centre, axes @ np.diag(self._model.body_inertia[b]) @ axes.T)

    def _free(self, wanted: str, taken: set[str]) -> str:
        name, number = plain_name(wanted), 1
        while name.lower() in taken:  # some file systems tell no A from a
            number += 1
            name = f"{plain_name(wanted)}_{number}"
        taken.add(name.lower())
        return name
