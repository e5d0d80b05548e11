"""Trim: of all that a model holds only the robot, its root link the first child of the world at the origin."""

from __future__ import annotations

from pathlib import Path

import mujoco
import numpy as np

from morphologies.develop import Root
from morphologies.read.compile import quiet
from morphologies.read.errors import RobotError
from morphologies.read.overrides import matching

FREE, BALL, SLIDE, HINGE = (
    mujoco.mjtJoint.mjJNT_FREE,
    mujoco.mjtJoint.mjJNT_BALL,
    mujoco.mjtJoint.mjJNT_SLIDE,
    mujoco.mjtJoint.mjJNT_HINGE,
)

SHOWN_GROUPS = 3
"""Geoms of groups 0, 1 and 2 are drawn, others not, as in MuJoCo's own viewer."""
SHOWN_COLOUR = (0.72, 0.60, 0.48, 1.0)


def root_link(spec: mujoco.MjSpec, path: Path, name: str | None) -> mujoco.MjsBody:
    """The link that the robot hangs on: the one named, else the top of the tree that is most of a robot.

    A floating tree comes before one that is fixed, then the one with more joints, then with more links.

    Raises:
        RobotError: there is no such link, or no body at all.
    """
    if name is not None:
        found = next((body for body in spec.bodies if body.name == name and body != spec.worldbody), None)
        if found is None:
            names = ", ".join(body.name for body in spec.bodies[1:] if body.name)
            raise RobotError(path, f"has no link {name!r} to be its base; it has {names or 'none with a name'}")
        return found
    tops = [body for body in spec.bodies if body.parent == spec.worldbody]
    if not tops:
        raise RobotError(path, "holds no body, so no robot")

    def size(body: mujoco.MjsBody) -> tuple[bool, int, int]:
        floating = any(joint.type == FREE for joint in body.joints)
        joints = sum(joint.type != FREE for joint in _joints(body))
        return (floating and joints > 0, joints, len(body.find_all(mujoco.mjtObj.mjOBJ_BODY)))

    return max(tops, key=size)


def _joints(body: mujoco.MjsBody) -> list[mujoco.MjsJoint]:
    return list(body.find_all(mujoco.mjtObj.mjOBJ_JOINT))


def _links(body: mujoco.MjsBody) -> list[mujoco.MjsBody]:
    return [body, *body.find_all(mujoco.mjtObj.mjOBJ_BODY)]


def trimmed(
    source: mujoco.MjSpec, model: mujoco.MjModel, base: mujoco.MjsBody, kept_sensors: tuple[str, ...], notes: list[str]
) -> mujoco.MjSpec:
    """A fresh spec with the robot alone.

    World geoms, lights, other trees, keyframes, and sensors but those kept go, and every actuator, tendon, equality,
    exclude and pair that refers to something gone. Masses and inertias are those the file compiles to, whatever
    compiler settings it reached them by.

    Args:
        source: the file's spec; is consumed.
        model: what it compiles to.
        base: the root link, in ``source``.
        kept_sensors: names or patterns.
        notes: what was replaced is told here.
    """
    data = mujoco.MjData(model)
    mujoco.mj_kinematics(model, data)
    links = _links(base)
    for link in links:
        _keep_inertia(link, model)
    base.quat = data.xquat[base.id]
    base.alt.type = mujoco.mjtOrientation.mjORIENTATION_QUAT
    base.pos = [0.0, 0.0, 0.0]
    base.mocap = False
    for light in list(base.find_all(mujoco.mjtObj.mjOBJ_LIGHT)):
        source.delete(light)
    wanted = set(matching(kept_sensors, [sensor.name for sensor in source.sensors if sensor.name]))
    for sensor in list(source.sensors):
        if sensor.name not in wanted:
            source.delete(sensor)
    for key in list(source.keys):
        source.delete(key)
    for joint in _joints(base):
        if joint.type == BALL:
            _split_ball(source, joint, notes)
    spec = mujoco.MjSpec()
    spec.modelname = source.modelname
    spec.compiler.degree = False
    spec.assets = dict(source.assets)
    with quiet():  # the file's options for its own world are the scene's to choose
        spec.worldbody.add_frame().attach_body(base, "", "")
    _drop_unused(spec)
    _show_hidden(spec, notes)
    return spec


def _keep_inertia(link: mujoco.MjsBody, model: mujoco.MjModel) -> None:
    """Writes what the file's link compiled to into it."""
    number = link.id
    link.explicitinertial = True
    link.mass = float(model.body_mass[number])
    link.ipos = model.body_ipos[number]
    link.iquat = model.body_iquat[number]
    link.inertia = model.body_inertia[number]
    link.fullinertia = np.full(6, np.nan)
    link.ialt.type = mujoco.mjtOrientation.mjORIENTATION_QUAT


def name_all(spec: mujoco.MjSpec) -> None:
    """Names for links, joints and actuators without one: entities are found by name."""
    taken = {body.name for body in spec.bodies}
    for number, body in enumerate(spec.bodies[1:], start=1):
        body.name = body.name or _free(f"link{number}", taken)
    taken = {joint.name for joint in spec.joints}
    for joint in spec.joints:
        joint.name = joint.name or _free(f"{joint.parent.name}_joint", taken)
    taken = {actuator.name for actuator in spec.actuators}
    for number, actuator in enumerate(spec.actuators):
        actuator.name = actuator.name or _free(actuator.target or f"actuator{number}", taken)


def _free(wanted: str, taken: set[str]) -> str:
    name, number = wanted, 1
    while name in taken:
        number += 1
        name = f"{wanted}{number}"
    taken.add(name)
    return name


def _split_ball(spec: mujoco.MjSpec, ball: mujoco.MjsJoint, notes: list[str]) -> None:
    """Three hinges about x, y and z in the place of a ball joint, each with the ball's largest angle to both sides."""
    link, name = ball.parent, ball.name
    moved = [a.name for a in spec.actuators if a.target == name and a.trntype == mujoco.mjtTrn.mjTRN_JOINT]
    for actuator in [a for a in spec.actuators if a.name in moved]:
        spec.delete(actuator)
    limit = float(ball.range[1])
    for axis, letter in enumerate("xyz"):
        hinge = link.add_joint(name=f"{name}_{letter}", type=HINGE, pos=ball.pos, axis=np.eye(3)[axis])
        for field in ("stiffness", "damping", "armature", "frictionloss"):
            setattr(hinge, field, getattr(ball, field))
        if limit > 0:
            hinge.limited = mujoco.mjtLimited.mjLIMITED_TRUE
            hinge.range = [-limit, limit]
    spec.delete(ball)
    lost = f"; its actuators {', '.join(moved)} are left out" if moved else ""
    notes.append(f"ball joint {name!r} became three hinges{lost}")


def _drop_unused(spec: mujoco.MjSpec) -> None:
    """Skies, and meshes and height fields that no geom of the robot uses."""
    for texture in list(spec.textures):
        if texture.type == mujoco.mjtTexture.mjTEXTURE_SKYBOX:
            spec.delete(texture)
    used = {geom.meshname for geom in spec.geoms}
    for mesh in list(spec.meshes):
        if mesh.name not in used:
            spec.delete(mesh)
    for field in list(spec.hfields):
        spec.delete(field)


def _show_hidden(spec: mujoco.MjSpec, notes: list[str]) -> None:
    """Makes solid geoms visible where a robot would look like a few spots: its looks were a skin, or it has none."""
    solid = [geom for geom in spec.geoms if geom.contype or geom.conaffinity]
    with_solid = {geom.parent.name for geom in solid}
    with_looks = {geom.parent.name for geom in spec.geoms if geom.group < SHOWN_GROUPS and geom.rgba[3] > 0}
    if 2 * len(with_solid & with_looks) >= len(with_solid):
        return
    for geom in solid:
        if geom.group >= SHOWN_GROUPS or geom.rgba[3] == 0:
            geom.group, geom.rgba, geom.material = 1, SHOWN_COLOUR, ""
    notes.append("few of its links can be seen, so what of it is solid is shown")


def hold_root(spec: mujoco.MjSpec, wanted: Root | None) -> Root:
    """How the root link is held, and makes it so that joints of that kind, in the usual order, are all it has.

    Planar roots get ``x`` and ``z`` slides and a ``y`` hinge in this order, whatever order and signs the file has.

    Args:
        spec: of the trimmed robot; is changed.
        wanted: replaces the file's root where given.
    """
    base = spec.worldbody.first_body()
    found = _root_of(base)
    root = wanted or found
    names = _planar_names(base) if found == "planar" else {"x": "rootx", "z": "rootz", "y": "rooty"}
    if root == "fixed" and found == "fixed":
        return root
    if root == "free" and found == "free":
        return root
    if found != "fixed":
        for joint in list(base.joints):
            spec.delete(joint)
    if root == "free":
        base.add_freejoint(name="root")
    elif root == "planar":
        rotation = np.zeros(9)
        mujoco.mju_quat2Mat(rotation, base.quat)
        across = rotation.reshape(3, 3).T  # joints stand in the link's frame
        for letter, kind in (("x", SLIDE), ("z", SLIDE), ("y", HINGE)):
            axis = across @ [float(letter == other) for other in "xyz"]
            joint = base.add_joint(name=names[letter], type=kind, axis=axis)
            _set_free(joint)
    return root


def _set_free(joint: mujoco.MjsJoint) -> None:
    """Undoes what the file's defaults would make of a root joint."""
    joint.limited = mujoco.mjtLimited.mjLIMITED_FALSE
    joint.pos = [0.0, 0.0, 0.0]
    joint.ref = joint.springref = joint.armature = joint.frictionloss = 0.0
    joint.damping = joint.stiffness = [0.0, 0.0, 0.0]


def _root_of(base: mujoco.MjsBody) -> Root:
    if any(joint.type == FREE for joint in base.joints):
        return "free"
    return "planar" if len(_planar_names(base)) == 3 and len(base.joints) == 3 else "fixed"


def _planar_names(base: mujoco.MjsBody) -> dict[str, str]:
    """Names of the root joints along world x, z and about y, where the root link has such."""
    rotation = np.zeros(9)
    mujoco.mju_quat2Mat(rotation, base.quat)
    names = {}
    for joint in base.joints:
        axis = np.abs(rotation.reshape(3, 3) @ joint.axis)
        letter = "xyz"[int(axis.argmax())]
        expected = HINGE if letter == "y" else SLIDE
        if axis.max() > 0.99 * np.linalg.norm(axis) and joint.type == expected:
            names[letter] = joint.name
    return names
