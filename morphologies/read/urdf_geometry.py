"""Shapes of a URDF's links: what is seen and what touches, as geoms, and what a shape weighs."""

from __future__ import annotations

import math
from dataclasses import dataclass
from xml.etree import ElementTree

import mujoco
import numpy as np

from morphologies.read.errors import RobotError
from morphologies.read.urdf_numbers import Numbers, Pose

GREY = np.array([0.72, 0.74, 0.77, 1.0])
SEEN_GROUP, HIDDEN_GROUP = 2, 3
"""Geom groups of shapes for the eye, and of solid ones whose link has shapes for the eye too."""
KINDS = {"box": 3, "sphere": 1, "cylinder": 2, "capsule": 2, "mesh": 3}
"""How many numbers each shape's size has."""


@dataclass
class Shape:
    """One visual or collision."""

    kind: str
    size: np.ndarray
    """Box: (3,) edges; sphere: (1,) radius; cylinder, capsule: (2,) radius and length; mesh: (3,) scale. m."""
    origin: Pose
    solid: bool
    hidden: bool
    colour: np.ndarray
    mesh: str = ""


def shapes_of(link: ElementTree.Element, name: str, read: Numbers, colours: dict[str, np.ndarray]) -> list[Shape]:
    """All shapes of a link.

    Raises:
        RobotError: a shape that is none of URDF's, or a size that is none.
    """
    visuals, collisions = link.findall("visual"), link.findall("collision")
    shapes = [_shape(e, name, read, colours, solid=False, hidden=False) for e in visuals]
    shapes += [_shape(e, name, read, colours, solid=True, hidden=bool(visuals)) for e in collisions]
    return shapes


def _shape(
    element: ElementTree.Element, link: str, read: Numbers, colours: dict[str, np.ndarray], solid: bool, hidden: bool
) -> Shape:
    what = f"a {element.tag} of link {link!r}"
    geometry = element.find("geometry")
    found = [] if geometry is None else [child for child in geometry if child.tag in KINDS]
    if not found:
        raise RobotError(read.path, f"{what} has no shape; known are {', '.join(KINDS)}")
    shape = found[0]
    mesh = ""
    if shape.tag == "box":
        size = read.vector(shape, "size", 3, what)
    elif shape.tag == "mesh":
        size = read.vector(shape, "scale", 3, what) if shape.get("scale") else np.ones(3)
        mesh = shape.get("filename", "")
    else:
        names = ("radius",) if shape.tag == "sphere" else ("radius", "length")
        size = np.array([read.number(shape, n, 0.0, what) for n in names])
    if shape.tag != "mesh" and not (size > 0).all():
        raise RobotError(read.path, f"{what} has a size that is not above 0")
    colour = GREY
    material = element.find("material")
    if material is not None:
        own = material.find("color")
        if own is not None and own.get("rgba"):
            colour = read.vector(own, "rgba", 4, f"the colour of {what}")
        else:
            colour = colours.get(material.get("name", ""), GREY)
    return Shape(shape.tag, size, read.origin(element, what), solid, hidden, colour, mesh)


def add_shape(
    spec: mujoco.MjSpec, body: mujoco.MjsBody, shape: Shape, pose: Pose, meshes: set[str], scale: float
) -> None:
    """A geom for a shape; solid ones touch, others are for the eye alone. Meshes touch by their convex hulls."""
    geom = body.add_geom(pos=pose.pos, quat=pose.quat, rgba=shape.colour, mass=0.0)
    kinds = mujoco.mjtGeom
    if shape.kind == "box":
        geom.type, geom.size = kinds.mjGEOM_BOX, shape.size / 2
    elif shape.kind == "sphere":
        geom.type, geom.size = kinds.mjGEOM_SPHERE, [shape.size[0], 0, 0]
    elif shape.kind == "mesh":
        factors = shape.size * scale
        name = "_".join((shape.mesh, *(f"{factor:g}" for factor in factors)))
        if name not in meshes:
            meshes.add(name)
            # Shell: what is for the eye need enclose nothing; masses come from the inertials.
            spec.add_mesh(name=name, file=shape.mesh, scale=factors, inertia=mujoco.mjtMeshInertia.mjMESH_INERTIA_SHELL)
        geom.type, geom.meshname = kinds.mjGEOM_MESH, name
    else:
        geom.type = kinds.mjGEOM_CYLINDER if shape.kind == "cylinder" else kinds.mjGEOM_CAPSULE
        geom.size = [shape.size[0], shape.size[1] / 2, 0]
    if shape.solid:
        geom.group = HIDDEN_GROUP if shape.hidden else 0
    else:
        geom.contype = geom.conaffinity = 0
        geom.group = SEEN_GROUP


def shape_inertia(
    shape: Shape, density: float, files: dict[str, bytes], scale: float
) -> tuple[float, np.ndarray, np.ndarray]:
    """Mass, kg, centre (3,) and inertia about it (3, 3) of a solid shape in its own frame; of a mesh its convex hull.

    Raises:
        ValueError: a mesh that does not compile.
    """
    centre = np.zeros(3)
    if shape.kind == "box":
        x, y, z = shape.size
        mass = density * x * y * z
        moments = mass / 12 * np.array([y * y + z * z, x * x + z * z, x * x + y * y])
    elif shape.kind == "sphere":
        radius = shape.size[0]
        mass = density * 4 / 3 * math.pi * radius**3
        moments = np.full(3, 0.4 * mass * radius**2)
    elif shape.kind in ("cylinder", "capsule"):
        radius, length = shape.size
        mass = density * math.pi * radius**2 * length
        across = mass * (3 * radius**2 + length**2) / 12
        moments = np.array([across, across, mass * radius**2 / 2])
    else:
        return _mesh_inertia(shape, density, files, scale)
    return float(mass), centre, np.diag(moments)


def _mesh_inertia(
    shape: Shape, density: float, files: dict[str, bytes], scale: float
) -> tuple[float, np.ndarray, np.ndarray]:
    spec = mujoco.MjSpec()
    spec.assets = {shape.mesh: files[shape.mesh]}
    convex = mujoco.mjtMeshInertia.mjMESH_INERTIA_CONVEX
    spec.add_mesh(name="mesh", file=shape.mesh, scale=shape.size * scale, inertia=convex)
    body = spec.worldbody.add_body()
    body.add_geom(type=mujoco.mjtGeom.mjGEOM_MESH, meshname="mesh", density=density)
    model = spec.compile()
    rotation = np.zeros(9)
    mujoco.mju_quat2Mat(rotation, model.body_iquat[1])
    axes = rotation.reshape(3, 3)
    return float(model.body_mass[1]), model.body_ipos[1].copy(), axes @ np.diag(model.body_inertia[1]) @ axes.T
