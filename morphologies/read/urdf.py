"""URDF: links and joints into a spec, fixed joints merged, mimics kept as equalities.

Written against the ROS specification of URDF (wiki.ros.org/urdf/XML): origins are fixed-axis roll, pitch, yaw; lengths
in metres; inertia about the inertial origin, in its axes.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import mujoco
import numpy as np

from morphologies.read.capsules import with_capsules
from morphologies.read.errors import RobotError
from morphologies.read.material import Material
from morphologies.read.overrides import Overrides, matching
from morphologies.read.stance import FOOT_NAME
from morphologies.read.urdf_geometry import Shape, add_shape, shape_inertia, shapes_of
from morphologies.read.urdf_inertia import Inertia, moved, together
from morphologies.read.urdf_numbers import Numbers, Pose

DENSITY = 1000.0
"""kg/m³ of links without an inertial, as of MuJoCo's geoms."""
TINY_MASS, TINY_INERTIA = 1e-3, 1e-6
"""kg and kg·m² of moving links that have neither an inertial nor a shape: the engine moves no mass of 0."""
WORLD = "world"
"""A root link of this name is the world, as ROS has it."""
MOVING = ("revolute", "continuous", "prismatic")


@dataclass
class Joint:
    """One joint of the file."""

    name: str
    kind: str
    parent: str
    child: str
    origin: Pose
    element: ElementTree.Element


@dataclass
class Link:
    """One link of the file, with what is merged into it."""

    name: str
    inertias: list[Inertia] = field(default_factory=list)
    shapes: list[tuple[Shape, Pose]] = field(default_factory=list)


def urdf_spec(
    material: Material, path: Path, overrides: Overrides, guesses: list[str], problems: list[str]
) -> mujoco.MjSpec:
    """A spec with the robot as the one child of the world.

    Args:
        material: gathered from a URDF.
        path: is named in errors.
        overrides: feet, which are kept as links of their own, and the scale of meshes.
        guesses, problems: what the file left open and what is wrong with it is told here.

    Raises:
        RobotError: links and joints make no tree, or a number is none.
    """
    return _Reader(material, path, overrides, guesses, problems).spec()


class _Reader:
    def __init__(
        self, material: Material, path: Path, overrides: Overrides, guesses: list[str], problems: list[str]
    ) -> None:
        self._material = material
        self._path = path
        self._overrides = overrides
        self._guesses = guesses
        self._problems = problems
        self._robot = ElementTree.fromstring(material.text)
        self._read = Numbers(path)
        self._colours = self._materials()
        self._links = self._unique("link")
        self._joints = self._read_joints()
        self._children: dict[str, list[Joint]] = {name: [] for name in self._links}
        for joint in self._joints.values():
            self._children[joint.parent].append(joint)
        self._weightless: list[str] = []
        self._estimated: list[str] = []
        self._meshes: set[str] = set()

    def spec(self) -> mujoco.MjSpec:
        top = self._top()
        spec = mujoco.MjSpec()
        spec.modelname = self._robot.get("name") or "robot"
        spec.compiler.degree = False
        spec.assets = dict(self._material.files)
        floating = [j for j in self._children[top] if j.kind == "floating"]
        at_world = top == WORLD and not self._links[top].findall("inertial")
        if at_world and self._children[top]:
            for joint in self._children[top]:
                # What is fixed to the world is a link of its own, the root of a robot that cannot fall.
                body = self._add_link(spec, spec.worldbody, joint.child, joint.origin, joint.kind != "fixed")
                if joint.kind == "floating":
                    body.add_freejoint(name=joint.name)
                else:
                    self._add_joint(body, joint)
        else:
            if floating:
                raise RobotError(self._path, f"joint {floating[0].name!r} floats, but not from a link called {WORLD!r}")
            body = self._add_link(spec, spec.worldbody, top, Pose(), True)
            body.add_freejoint(name="root")
            self._guesses.append(f"the robot floats, for no link called {WORLD!r} holds it (root)")
        self._add_mimics(spec)
        if self._estimated:
            names = ", ".join(self._estimated[:4]) + (" …" if len(self._estimated) > 4 else "")
            self._guesses.append(f"links without an inertial have the density of water: {names}")
        if self._weightless:
            names = ", ".join(self._weightless[:4]) + (" …" if len(self._weightless) > 4 else "")
            self._problems.append(f"links that move have no mass; they were given {TINY_MASS * 1e3:g} g: {names}")
        return spec

    # Reading.

    def _unique(self, tag: str) -> dict[str, ElementTree.Element]:
        found: dict[str, ElementTree.Element] = {}
        for element in self._robot.findall(tag):
            name = element.get("name")
            if not name:
                raise RobotError(self._path, f"has a {tag} without a name")
            if name in found:
                raise RobotError(self._path, f"has two {tag}s called {name!r}")
            found[name] = element
        return found

    def _materials(self) -> dict[str, np.ndarray]:
        colours = {}
        for element in self._robot.iter("material"):
            colour = element.find("color")
            if element.get("name") and colour is not None and colour.get("rgba"):
                colours[element.get("name", "")] = self._read.vector(colour, "rgba", 4, "a material's colour")
        return colours

    def _read_joints(self) -> dict[str, Joint]:
        joints = {}
        parents: dict[str, str] = {}
        for name, element in self._unique("joint").items():
            ends = []
            for tag in ("parent", "child"):
                end = element.find(tag)
                link = "" if end is None else end.get("link", "")
                if link not in self._links:
                    raise RobotError(self._path, f"joint {name!r} has the {tag} {link!r}, which is no link of the file")
                ends.append(link)
            if ends[1] in parents:
                raise RobotError(self._path, f"link {ends[1]!r} hangs on two joints, {parents[ends[1]]!r} and {name!r}")
            parents[ends[1]] = name
            kind = element.get("type", "")
            if kind not in (*MOVING, "fixed", "floating"):
                raise RobotError(
                    self._path,
                    f"joint {name!r} is of type {kind!r}, which is not read; known are {', '.join(MOVING)}, fixed, "
                    "floating",
                )
            parent, child = ends
            joints[name] = Joint(name, kind, parent, child, self._read.origin(element, f"joint {name!r}"), element)
        return joints

    def _top(self) -> str:
        if not self._links:
            raise RobotError(self._path, "holds no link, so no robot")
        children = {joint.child for joint in self._joints.values()}
        tops = [name for name in self._links if name not in children]
        if not tops:
            raise RobotError(self._path, "its joints run in a circle: every link hangs on another")
        if len(tops) > 1:
            raise RobotError(
                self._path, f"has {len(tops)} links that hang on none ({', '.join(tops[:4])}); one is right"
            )
        reached, waiting = set(), [tops[0]]
        while waiting:
            name = waiting.pop()
            reached.add(name)
            waiting += [joint.child for joint in self._children[name]]
        if lost := [name for name in self._links if name not in reached]:
            raise RobotError(self._path, f"its joints run in a circle through {', '.join(lost[:4])}")
        return tops[0]

    # Building.

    def _add_link(
        self, spec: mujoco.MjSpec, parent: mujoco.MjsBody, name: str, origin: Pose, moves: bool
    ) -> mujoco.MjsBody:
        """The body of a link, everything that is fixed to it merged in, and all bodies that move on it."""
        body = parent.add_body(name=name, pos=origin.pos, quat=origin.quat)
        whole = Link(name)
        moving: list[tuple[Joint, Pose]] = []
        self._merge(whole, name, Pose(), moving)
        for shape, pose in with_capsules(whole.shapes):
            add_shape(spec, body, shape, pose, self._meshes, self._overrides.scale or 1.0)
        self._set_inertia(body, whole, moves)
        for joint, pose in moving:
            child = self._add_link(spec, body, joint.child, pose, joint.kind != "fixed")
            if joint.kind != "fixed":
                self._add_joint(child, joint)
        return body

    def _merge(self, whole: Link, name: str, at: Pose, moving: list[tuple[Joint, Pose]]) -> None:
        element = self._links[name]
        shapes = shapes_of(element, name, self._read, self._colours)
        inertia = self._inertia(element, name, shapes)
        if inertia is not None:
            whole.inertias.append(moved(inertia, at))
        whole.shapes += [(shape, at @ shape.origin) for shape in shapes]
        for joint in self._children[name]:
            pose = at @ joint.origin
            if joint.kind == "floating":
                raise RobotError(self._path, f"joint {joint.name!r} floats on a robot; only its root can")
            if joint.kind == "fixed" and not self._is_foot(joint.child):
                self._merge(whole, joint.child, pose, moving)
            else:
                moving.append((joint, pose))

    def _is_foot(self, name: str) -> bool:
        """Whether a fixed link stays a link: contact of a foot can then be told from that of its shank."""
        if self._overrides.feet is not None:
            return bool(matching(self._overrides.feet, [name]))
        return bool(FOOT_NAME.search(name)) and self._links[name].find("collision") is not None

    def _inertia(self, element: ElementTree.Element, name: str, shapes: list[Shape]) -> Inertia | None:
        inertial = element.find("inertial")
        if inertial is None:
            solid = [s for s in shapes if s.solid] or shapes
            if not solid:
                return None
            self._estimated.append(name)
            files, scale = self._material.files, self._overrides.scale or 1.0
            try:
                parts = [Inertia(*shape_inertia(s, DENSITY, files, scale)) for s in solid]
            except ValueError as error:
                raise RobotError(
                    self._path,
                    f"link {name!r} has no inertial, and its mesh gives none: {' '.join(str(error).split())}",
                ) from None
            return together([moved(part, s.origin) for part, s in zip(parts, solid, strict=True)])
        what = f"the inertial of link {name!r}"
        mass_element = inertial.find("mass")
        mass = 0.0 if mass_element is None else self._read.number(mass_element, "value", 0.0, what)
        if mass < 0:
            raise RobotError(self._path, f"link {name!r} has the mass {mass:g}")
        about = np.zeros((3, 3))
        matrix = inertial.find("inertia")
        if matrix is not None:
            for i, j in ((0, 0), (0, 1), (0, 2), (1, 1), (1, 2), (2, 2)):
                about[i, j] = about[j, i] = self._read.number(matrix, f"i{'xyz'[i]}{'xyz'[j]}", 0.0, what)
        origin = self._read.origin(inertial, what)
        if mass == 0.0:
            return None
        return Inertia(mass, np.array(origin.pos), origin.rotation @ about @ origin.rotation.T)

    def _set_inertia(self, body: mujoco.MjsBody, whole: Link, moves: bool) -> None:
        total = together(whole.inertias)
        body.explicitinertial = True
        if total is None:
            body.mass, body.inertia = 0.0, [0.0] * 3
            if moves:
                self._weightless.append(whole.name)
                body.mass, body.inertia = TINY_MASS, [TINY_INERTIA] * 3
            return
        moments, axes = np.linalg.eigh(total.about_centre)
        if np.linalg.det(axes) < 0:
            axes[:, 0] *= -1
        if (moments <= 0).any():
            self._problems.append(f"the inertia of {whole.name!r} is none of a real body; it was made positive")
            moments = np.maximum(moments, max(1e-9, 1e-3 * float(np.abs(moments).max())))
        if 2 * moments.max() > moments.sum() * (1 + 1e-6):
            self._problems.append(f"the inertia of {whole.name!r} violates the triangle inequality; it was evened out")
            moments = np.full(3, moments.mean())
        body.mass, body.ipos, body.inertia = total.mass, total.centre, moments
        quat = np.zeros(4)
        mujoco.mju_mat2Quat(quat, axes.ravel())
        body.iquat = quat

    def _add_joint(self, body: mujoco.MjsBody, joint: Joint) -> None:
        if joint.kind == "fixed":
            return
        what = f"joint {joint.name!r}"
        axis_element = joint.element.find("axis")
        axis = np.array([1.0, 0.0, 0.0])
        if axis_element is not None and axis_element.get("xyz"):
            axis = self._read.vector(axis_element, "xyz", 3, f"the axis of {what}")
        if np.linalg.norm(axis) < 1e-9:
            raise RobotError(self._path, f"{what} has an axis of length 0")
        kind = mujoco.mjtJoint.mjJNT_SLIDE if joint.kind == "prismatic" else mujoco.mjtJoint.mjJNT_HINGE
        added = body.add_joint(name=joint.name, type=kind, axis=axis)
        limit = joint.element.find("limit")
        if limit is not None:
            if joint.kind != "continuous":
                low, high = (self._read.number(limit, side, 0.0, what) for side in ("lower", "upper"))
                if low > high:
                    raise RobotError(self._path, f"{what} has the range {low:g} to {high:g}, the wrong way round")
                if low < high and not (kind == mujoco.mjtJoint.mjJNT_HINGE and high - low > 100 * math.pi):
                    added.limited = mujoco.mjtLimited.mjLIMITED_TRUE
                    added.range = [low, high]
            effort = self._read.number(limit, "effort", 0.0, what)
            if effort > 0:
                added.actfrclimited = mujoco.mjtLimited.mjLIMITED_TRUE
                added.actfrcrange = [-effort, effort]
        dynamics = joint.element.find("dynamics")
        if dynamics is not None:
            damping: Any = [max(self._read.number(dynamics, "damping", 0.0, what), 0.0), 0.0, 0.0]
            added.damping = damping
            added.frictionloss = max(self._read.number(dynamics, "friction", 0.0, what), 0.0)

    def _add_mimics(self, spec: mujoco.MjSpec) -> None:
        for joint in self._joints.values():
            mimic = joint.element.find("mimic")
            if mimic is None or joint.kind not in MOVING:
                continue
            leader = mimic.get("joint", "")
            if leader not in self._joints or self._joints[leader].kind not in MOVING or leader == joint.name:
                raise RobotError(
                    self._path, f"joint {joint.name!r} mimics {leader!r}, which is no other joint that moves"
                )
            what = f"the mimic of joint {joint.name!r}"
            factor = self._read.number(mimic, "multiplier", 1.0, what)
            offset = self._read.number(mimic, "offset", 0.0, what)
            equality = spec.add_equality(
                name=f"mimic/{joint.name}",
                type=mujoco.mjtEq.mjEQ_JOINT,
                objtype=mujoco.mjtObj.mjOBJ_JOINT,
                name1=joint.name,
                name2=leader,
            )
            data = np.zeros(equality.data.shape)
            data[:2] = offset, factor
            equality.data = data
