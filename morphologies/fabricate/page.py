"""Page: the parts list for people, with what each file is and what of the body the URDF leaves out."""

from __future__ import annotations

import numpy as np

from morphologies.fabricate.anatomy import CARRIER_MASS
from morphologies.fabricate.mjcf import MJCF_FOLDER
from morphologies.fabricate.parts import JointPart, Parts
from morphologies.fabricate.urdf import MESH_FOLDER

FRAMES = """\
x is forward, y left, z up. A link's origin lies on the axis of its joint. Masses, centres of mass and inertias are
those that were simulated. A density is the one that gives the mesh that mass: print with as much infill. Links that
hang on each other share room at their joint, in simulation too; that room is for the joint."""
CARRIERS = f"""\
Where a link hangs on two hinges at once, the URDF has a carrier between them, a link of {CARRIER_MASS * 1e9:g} µg that
is no part to be made."""


def page(parts: Parts, notes: list[str], genome: str | None) -> str:
    """Markdown; ``genome`` is the name of its file, if there is one."""
    name = parts.name
    files = [
        [f"`{MJCF_FOLDER}/{name}.xml`", "MuJoCo's description, sensors included; compiles alone"],
        [f"`{name}.urdf`", "links, joints, inertials, what touches, efforts"],
        [
            f"`{name}.yaml`",
            "what URDF cannot say: rotor inertia, springs, friction, gains. `embodied` reads both together",
        ],
        [f"`{MESH_FOLDER}/*.stl`", "a closed solid per link, in metres. Slicers count in mm: scale by 1000"],
        [f"`{name}.glb`", "the whole body in its default pose, to look at"],
        ["`parts.json`", "this list for programs, in SI units"],
    ]
    if genome is not None:
        files.append([f"`{genome}`", "the genome it was developed from"])
    lines = [f"# {name}", "", *_table(["file", "what it is"], files), "", FRAMES]
    if any(joint.child not in {link.name for link in parts.links} for joint in parts.joints):
        lines += ["", CARRIERS]
    if notes:
        lines += ["", "## What does not come along", "", *(f"- {note}" for note in notes)]
    lines += ["", f"## Links: {len(parts.links)}, {parts.mass:.3f} kg", "", *_links(parts)]
    lines += ["", f"## Joints: {len(parts.joints)}", "", *_joints(parts)]
    lines += ["", f"## Motors: {len(parts.motors)}", "", *_motors(parts)]
    return "\n".join(lines) + "\n"


def _links(parts: Parts) -> list[str]:
    rows = [
        [
            link.name,
            link.parent or "",
            f"{link.mass:.4f}",
            " × ".join(f"{1e3 * edge:.0f}" for edge in link.size) if link.mesh else "",
            f"{1e6 * link.volume:.1f}" if link.mesh else "",
            f"{link.density:.0f}" if link.density is not None else "",
            link.mesh or "no shape",
        ]
        for link in parts.links
    ]
    return _table(["link", "on", "mass kg", "box mm", "volume cm³", "density kg/m³", "mesh"], rows)


def _joints(parts: Parts) -> list[str]:
    rows = [
        [
            joint.name,
            f"{joint.parent} → {joint.child}",
            joint.kind,
            _range(joint),
            " ".join(f"{1e3 * v + 0.0:.0f}" for v in joint.position),
            " ".join(f"{v:.3f}" for v in joint.axis),
            f"{joint.damping:g}",
            f"{joint.frictionloss:g}",
            f"{joint.armature:g}",
            f"{joint.stiffness:g}",
            _known(joint.max_speed),
        ]
        for joint in parts.joints
    ]
    units = ["range", "at mm", "axis", "damping N·m·s/rad", "friction N·m", "armature kg·m²", "stiffness N·m/rad"]
    return _table(["joint", "between", "kind", *units, "max speed rad/s"], rows)


def _motors(parts: Parts) -> list[str]:
    rows = [
        [m.joint, m.kind, f"{m.gear:g}", "none" if m.torque is None else f"{m.torque:g}", _known(m.kp), _known(m.kv)]
        for m in parts.motors
    ]
    return _table(["joint", "kind", "gear", "largest torque N·m", "kp N·m/rad", "kv N·m·s/rad"], rows)


def _known(value: float | None) -> str:
    return "" if value is None else f"{value:g}"


def _range(joint: JointPart) -> str:
    if joint.range is None:
        return "none"
    if joint.kind == "slide":
        return f"{1e3 * joint.range[0]:.0f} to {1e3 * joint.range[1]:.0f} mm"
    low, high = np.degrees(joint.range)
    return f"{low + 0.0:.0f}° to {high + 0.0:.0f}°"


def _table(head: list[str], rows: list[list[str]]) -> list[str]:
    return [f"| {' | '.join(row)} |" for row in (head, ["---"] * len(head), *rows)]
