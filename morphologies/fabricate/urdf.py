"""URDF: a body's links and joints as ROS and other simulators read them.

Written against the ROS specification of URDF (wiki.ros.org/urdf/XML). Inertials are MuJoCo's own to the last digit.
What touches is made of URDF's primitives, a capsule of a cylinder and two balls; what is seen are the meshes.
"""

from __future__ import annotations

from collections.abc import Iterable
from xml.etree import ElementTree

import mujoco
import numpy as np

from morphologies.fabricate.anatomy import WORLD, Anatomy, Link
from morphologies.fabricate.frames import rpy_of, within
from morphologies.fabricate.motion import Joint, Motor
from morphologies.fabricate.shapes import KINDS
from morphologies.fabricate.solids import colour_of, seen_geoms, solid_geoms
from morphologies.read.urdf_numbers import Pose

MESH_FOLDER = "meshes"
"""Folder beside the URDF."""
NO_SPEED_LIMIT = 100.0
"""rad/s or m/s. URDF demands a number, for joints whose largest speed nobody has said."""
NO_EFFORT_LIMIT = 1000.0
"""N·m or N, likewise, for motors that nothing limits. Joints without a motor have an effort of 0."""
FAR = 1000.0
"""m: the range of slides without limits, which URDF does not have."""


def urdf_text(anatomy: Anatomy, collisions: dict[int, str]) -> str:
    """The URDF.

    Args:
        anatomy: of the body.
        collisions: files of the geoms that are no primitives, by their numbers in the model.
    """
    robot = ElementTree.Element("robot", name=anatomy.name)
    # So that MuJoCo's own reader finds the meshes; others skip what they do not know.
    ElementTree.SubElement(ElementTree.SubElement(robot, "mujoco"), "compiler", meshdir=MESH_FOLDER, fusestatic="false")
    motors = {motor.joint: motor for motor in anatomy.motors}
    if anatomy.body.root == "fixed":
        ElementTree.SubElement(robot, "link", name=WORLD)
    for link in anatomy.links:
        _add_link(robot, anatomy, link, collisions)
    frames = {WORLD: Pose(), **{link.name: link.frame for link in anatomy.links}}
    for link in anatomy.links:
        if link.parent is not None:
            joint = _add_joint(robot, link, within(frames[link.parent], link.frame))
            if link.joint is not None:
                _add_motion(joint, link.joint, motors.get(link.joint.name), anatomy.mimics)
    for motor in anatomy.motors:
        _add_transmission(robot, motor)
    ElementTree.indent(robot)
    return '<?xml version="1.0"?>\n' + ElementTree.tostring(robot, encoding="unicode") + "\n"


def numbers(values: Iterable[float]) -> str:
    """Numbers between blanks, each read back as exactly what it was."""
    return " ".join(repr(float(value) + 0.0) for value in values)


def _add_origin(element: ElementTree.Element, pose: Pose) -> None:
    ElementTree.SubElement(element, "origin", xyz=numbers(pose.pos), rpy=numbers(rpy_of(pose.rotation)))


def _add_link(robot: ElementTree.Element, anatomy: Anatomy, link: Link, collisions: dict[int, str]) -> None:
    element = ElementTree.SubElement(robot, "link", name=link.name)
    if link.inertia is not None:
        inertial = ElementTree.SubElement(element, "inertial")
        _add_origin(inertial, Pose(link.inertia.centre))
        ElementTree.SubElement(inertial, "mass", value=numbers([link.inertia.mass]))
        about = link.inertia.about_centre
        entries = {f"i{'xyz'[i]}{'xyz'[j]}": numbers([about[i, j]]) for i in range(3) for j in range(i, 3)}
        ElementTree.SubElement(inertial, "inertia", entries)
    model = anatomy.model
    if seen := seen_geoms(model, link):
        visual = ElementTree.SubElement(element, "visual")
        geometry = ElementTree.SubElement(visual, "geometry")
        ElementTree.SubElement(geometry, "mesh", filename=f"{MESH_FOLDER}/{link.name}.stl")
        material = ElementTree.SubElement(visual, "material", name=f"{link.name}_colour")
        ElementTree.SubElement(material, "color", rgba=" ".join(f"{v:.4g}" for v in colour_of(model, seen[0])))
    for geom in solid_geoms(model, link):
        for tag, attributes, pose in _primitives(model, geom, anatomy.geom_pose(link, geom), collisions):
            collision = ElementTree.SubElement(element, "collision")
            _add_origin(collision, pose)
            ElementTree.SubElement(ElementTree.SubElement(collision, "geometry"), tag, attributes)


def _primitives(
    model: mujoco.MjModel, geom: int, pose: Pose, collisions: dict[int, str]
) -> list[tuple[str, dict[str, str], Pose]]:
    """Tag, attributes and pose of the URDF shapes that a geom is made of."""
    kind, size = int(model.geom_type[geom]), model.geom_size[geom]
    radius = numbers([size[0]])
    if geom in collisions:
        return [("mesh", {"filename": f"{MESH_FOLDER}/{collisions[geom]}"}, pose)]
    if kind == KINDS.mjGEOM_SPHERE:
        return [("sphere", {"radius": radius}, pose)]
    if kind == KINDS.mjGEOM_BOX:
        return [("box", {"size": numbers(2 * size)}, pose)]
    middle = ("cylinder", {"radius": radius, "length": numbers([2 * size[1]])}, pose)
    if kind == KINDS.mjGEOM_CYLINDER:
        return [middle]
    if kind == KINDS.mjGEOM_CAPSULE:
        ends = [pose @ Pose(np.array([0.0, 0.0, side * size[1]])) for side in (-1, 1)]
        return [middle, *(("sphere", {"radius": radius}, end) for end in ends)]
    return []  # planes and height fields


def _add_joint(robot: ElementTree.Element, link: Link, pose: Pose) -> ElementTree.Element:
    assert link.parent is not None
    if link.joint is None:
        element = ElementTree.SubElement(robot, "joint", name=f"{link.name}_fixed", type="fixed")
    else:
        turns = "revolute" if link.joint.range is not None else "continuous"
        element = ElementTree.SubElement(
            robot, "joint", name=link.joint.name, type="prismatic" if link.joint.slides else turns
        )
    ElementTree.SubElement(element, "parent", link=link.parent)
    ElementTree.SubElement(element, "child", link=link.name)
    _add_origin(element, pose)
    return element


def _add_motion(
    element: ElementTree.Element, joint: Joint, motor: Motor | None, mimics: dict[str, tuple[str, float, float]]
) -> None:
    ElementTree.SubElement(element, "axis", xyz=numbers(joint.axis))
    limit = {}
    if joint.range is not None or joint.slides:
        low, high = joint.range or (-FAR, FAR)
        limit = {"lower": numbers([low]), "upper": numbers([high])}
    effort = 0.0 if motor is None else NO_EFFORT_LIMIT if motor.effort is None else motor.effort
    speed = NO_SPEED_LIMIT if joint.max_speed is None else joint.max_speed
    ElementTree.SubElement(element, "limit", limit, effort=numbers([effort]), velocity=numbers([speed]))
    ElementTree.SubElement(
        element, "dynamics", damping=numbers([joint.damping]), friction=numbers([joint.frictionloss])
    )
    if joint.name in mimics:
        leader, factor, offset = mimics[joint.name]
        ElementTree.SubElement(element, "mimic", joint=leader, multiplier=numbers([factor]), offset=numbers([offset]))


def _add_transmission(robot: ElementTree.Element, motor: Motor) -> None:
    """As ros_control reads it. The reduction is 1: torques and places are told at the joint."""
    element = ElementTree.SubElement(robot, "transmission", name=f"{motor.joint}_transmission")
    ElementTree.SubElement(element, "type").text = "transmission_interface/SimpleTransmission"
    joint = ElementTree.SubElement(element, "joint", name=motor.joint)
    interface = "Position" if motor.kind == "position" else "Effort"
    ElementTree.SubElement(joint, "hardwareInterface").text = f"hardware_interface/{interface}JointInterface"
    actuator = ElementTree.SubElement(element, "actuator", name=f"{motor.joint}_motor")
    ElementTree.SubElement(actuator, "mechanicalReduction").text = "1"
