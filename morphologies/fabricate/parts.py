"""Parts: links, joints and motors as rows, for JSON and for people."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass

import numpy as np

from morphologies.fabricate.anatomy import Anatomy
from morphologies.fabricate.solids import Solid


@dataclass(frozen=True)
class LinkPart:
    """A link."""

    name: str
    mjcf_name: str
    parent: str | None
    mass: float
    """kg, as simulated."""
    size: tuple[float, float, float]
    """Box around its mesh along the link's axes, m."""
    volume: float
    """Of its mesh, m³."""
    density: float | None
    """kg/m³ that give the mesh the mass; None without a mesh."""
    pieces: int
    """Parts of the mesh that do not touch."""
    centre_of_mass: tuple[float, float, float]
    """In the link's frame, m."""
    inertia: tuple[float, float, float, float, float, float]
    """ixx, ixy, ixz, iyy, iyz, izz about the centre of mass, in the link's axes, kg·m²."""
    mesh: str | None
    """File, in metres, in the link's frame."""


@dataclass(frozen=True)
class JointPart:
    """A hinge or slide."""

    name: str
    mjcf_name: str
    kind: str
    parent: str
    child: str
    position: tuple[float, float, float]
    """In the root link's frame, all joints at 0, m."""
    axis: tuple[float, float, float]
    """In the same."""
    range: tuple[float, float] | None
    """rad or m; None without limits."""
    default: float
    """In the default pose."""
    damping: float
    """N·m·s/rad or N·s/m."""
    frictionloss: float
    """N·m or N."""
    armature: float
    """kg·m² or kg."""
    stiffness: float
    """N·m/rad or N/m."""
    max_speed: float | None
    """rad/s or m/s; None where nobody has said."""


@dataclass(frozen=True)
class MotorPart:
    """A motor on a joint."""

    mjcf_name: str
    joint: str
    kind: str
    gear: float
    torque: float | None
    """Largest, N·m, or force, N; None where nothing limits it."""
    kp: float | None
    kv: float | None


@dataclass(frozen=True)
class Parts:
    """The whole list."""

    name: str
    root: str
    mass: float
    """kg."""
    links: list[LinkPart]
    joints: list[JointPart]
    motors: list[MotorPart]


def parts_of(anatomy: Anatomy, solids: Mapping[str, Solid], meshes: Mapping[str, str]) -> Parts:
    """The list of a body.

    Args:
        anatomy: of it.
        solids: by link.
        meshes: their files, by link.
    """
    carried = {link.name: link for link in anatomy.links if link.number is None}
    links = []
    for link in anatomy.real_links:
        solid, inertia = solids.get(link.name), link.inertia
        parent = link.parent
        while parent in carried:
            parent = carried[parent].parent
        mass = 0.0 if inertia is None else inertia.mass
        about = np.zeros((3, 3)) if inertia is None else inertia.about_centre
        links.append(
            LinkPart(
                name=link.name,
                mjcf_name=link.source,
                parent=parent,
                mass=mass,
                size=_three(np.zeros(3) if solid is None else solid.size),
                volume=0.0 if solid is None else solid.volume,
                density=None if solid is None else mass / solid.volume,
                pieces=0 if solid is None else solid.pieces,
                centre_of_mass=_three(np.zeros(3) if inertia is None else inertia.centre),
                inertia=tuple(float(about[i, j]) for i in range(3) for j in range(i, 3)),  # type: ignore[arg-type]
                mesh=meshes.get(link.name),
            )
        )
    joints = []
    for link in anatomy.links:
        joint = link.joint
        if joint is None:
            continue
        joints.append(
            JointPart(
                name=joint.name,
                mjcf_name=joint.source,
                kind="slide" if joint.slides else "hinge",
                parent=str(link.parent),
                child=link.name,
                position=_three(link.frame.pos),
                axis=_three(link.frame.rotation @ joint.axis),
                range=joint.range,
                default=anatomy.default(joint),
                damping=joint.damping,
                frictionloss=joint.frictionloss,
                armature=joint.armature,
                stiffness=joint.stiffness,
                max_speed=joint.max_speed,
            )
        )
    motors = [MotorPart(m.source, m.joint, m.kind, m.gear, m.effort, m.kp, m.kv) for m in anatomy.motors]
    mass = float(anatomy.model.body_mass.sum())
    return Parts(anatomy.name, anatomy.body.root, mass, links, joints, motors)


def as_dict(parts: Parts) -> dict[str, object]:
    """Plain data for JSON."""
    return asdict(parts)


def _three(values: np.ndarray) -> tuple[float, float, float]:
    x, y, z = (float(v) + 0.0 for v in values)
    return x, y, z
