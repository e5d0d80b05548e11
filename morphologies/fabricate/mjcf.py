"""MJCF: the body as one file that compiles alone to the very same physics.

MuJoCo writes six digits. What it wrote is compiled, and every number in which the two models differ is written out in
full.
"""

from __future__ import annotations

from xml.etree import ElementTree

import mujoco
import numpy as np

from morphologies.fabricate.anatomy import Anatomy
from morphologies.fabricate.errors import FabricationError
from morphologies.fabricate.shapes import MESHES
from morphologies.fabricate.urdf import numbers
from morphologies.read.compile import quiet

MJCF_FOLDER = "mjcf"
"""Where it lies: a YAML beside it is not the one beside the URDF."""
EXACT = 1e-12
"""Numbers of the written model may differ by this from the body's, in parts of the largest of their kind or 1."""
FIELDS: dict[str, dict[str, str]] = {
    "body": {"pos": "body_pos", "quat": "body_quat"},
    "inertial": {"pos": "body_ipos", "quat": "body_iquat", "mass": "body_mass", "diaginertia": "body_inertia"},
    "joint": {
        "pos": "jnt_pos", "axis": "jnt_axis", "range": "jnt_range", "margin": "jnt_margin", "ref": "qpos0",
        "stiffness": "jnt_stiffness", "springref": "qpos_spring", "actuatorfrcrange": "jnt_actfrcrange",
        "armature": "dof_armature", "damping": "dof_damping", "frictionloss": "dof_frictionloss",
        "solreflimit": "jnt_solref", "solimplimit": "jnt_solimp", "solreffriction": "dof_solref",
        "solimpfriction": "dof_solimp",
    },
    "geom": {
        "pos": "geom_pos", "quat": "geom_quat", "size": "geom_size", "friction": "geom_friction",
        "solref": "geom_solref", "solimp": "geom_solimp", "margin": "geom_margin", "gap": "geom_gap",
        "solmix": "geom_solmix",
    },
    "site": {"pos": "site_pos", "quat": "site_quat", "size": "site_size"},
    "actuator": {
        "gear": "actuator_gear", "ctrlrange": "actuator_ctrlrange", "forcerange": "actuator_forcerange",
        "gainprm": "actuator_gainprm", "biasprm": "actuator_biasprm", "dynprm": "actuator_dynprm",
    },
}  # fmt: skip
"""By kind of element, attributes and the fields of the compiled model that hold their values."""
ALSO = (
    "geom_type", "geom_contype", "geom_conaffinity", "geom_condim", "geom_priority", "actuator_biastype",
    "actuator_gaintype", "actuator_dyntype", "actuator_trnid", "jnt_limited", "actuator_ctrllimited",
    "eq_data", "eq_solref", "eq_solimp", "wrap_prm", "tendon_range", "tendon_stiffness", "tendon_damping",
)  # fmt: skip
"""Fields that are compared, and left as MuJoCo wrote them."""
MAIN = "main"
"""What MuJoCo calls the defaults that all others are in."""
GENERAL = ("gainprm", "biasprm", "dynprm")
"""Attributes that the short forms of actuators, such as <motor>, do not have."""
COUNTS = ("nq", "nv", "nu", "nbody", "njnt", "ngeom", "nsite", "nsensor", "nexclude", "neq", "ntendon")


def mjcf_text(anatomy: Anatomy) -> tuple[str, list[str]]:
    """The MJCF, and a sentence where a number of it is not exactly the body's.

    Files that it refers to are `anatomy.spec.assets`, and lie beside it.

    Raises:
        FabricationError: MuJoCo's own text does not compile to the body, as where a body uses what MJCF cannot say.
    """
    model = anatomy.model
    with quiet():
        root = _tree(anatomy.spec)
        _write_in_full(root, anatomy, _compiled(anatomy, root))
        apart, field = difference(model, _compiled(anatomy, root))
    ElementTree.indent(root)
    notes = [f"its {field} differs from the body's by up to {apart:.1e} of the largest"] if apart > EXACT else []
    return ElementTree.tostring(root, encoding="unicode") + "\n", notes


def _tree(spec: mujoco.MjSpec) -> ElementTree.Element:
    """The XML that MuJoCo writes, with all elements under their defaults.

    Where parts were put together each has defaults called main. MuJoCo writes all but the first without a name, which
    it cannot read, and does not say which elements they are for.
    """
    spec = spec.copy()
    kinds = {"joint": spec.joints, "geom": spec.geoms, "site": spec.sites, "actuator": spec.actuators}
    parts = 0
    for element in (each for elements in kinds.values() for each in elements):
        default = element.classname
        if default.name == MAIN:
            default.name = f"part{parts + 1}"
            if spec.default.name == MAIN:
                parts += 1
            else:  # it was the first one itself
                default.name = MAIN
    root = ElementTree.fromstring(spec.to_xml())
    for number, unused in enumerate(d for outer in root.findall("default") for d in outer if d.tag == "default"):
        if not unused.get("class"):
            unused.set("class", f"unused{number}")
    for kind, numbered in _elements(root).items():
        if kind in kinds:
            named = {each.id: each.classname.name for each in kinds[kind]}
            for number, element in numbered:
                if named[number] != MAIN:
                    element.set("class", named[number])
    return root


def _compiled(anatomy: Anatomy, root: ElementTree.Element) -> mujoco.MjModel:
    text = ElementTree.tostring(root, encoding="unicode")
    try:
        written = mujoco.MjModel.from_xml_string(text, dict(anatomy.spec.assets))
    except ValueError as error:
        reason = " ".join(str(error).split())
        raise FabricationError(anatomy.name, f"MuJoCo cannot read what it wrote of it: {reason}") from None
    if any(getattr(written, count) != getattr(anatomy.model, count) for count in COUNTS):
        raise FabricationError(anatomy.name, "MuJoCo's own text of it compiles to another model")
    return written


def _write_in_full(root: ElementTree.Element, anatomy: Anatomy, written: mujoco.MjModel) -> None:
    """Sets every attribute whose value in the written model is not the body's."""
    model = anatomy.model
    for kind, elements in _elements(root).items():
        for number, element in elements:
            for attribute, field in FIELDS[kind].items():
                row = _row(model, kind, field, number)
                wanted, found = (np.atleast_1d(getattr(m, field)[row]) for m in (model, written))
                if (wanted == found).all() or (attribute in GENERAL and element.tag != "general"):
                    continue
                if kind == "geom" and int(model.geom_type[number]) in MESHES:
                    # Compiled, a mesh stands by its centre of mass; in the file, by its own origin.
                    if attribute == "size":
                        continue
                    if attribute in ("pos", "quat"):
                        wanted = getattr(anatomy.spec.geoms[number], attribute)
                element.set(attribute, numbers(wanted))


def _row(model: mujoco.MjModel, kind: str, field: str, number: int) -> int:
    if kind == "joint" and field.startswith("dof"):
        return int(model.jnt_dofadr[number])
    return int(model.jnt_qposadr[number]) if kind == "joint" and field.startswith("qpos") else number


def difference(one: mujoco.MjModel, two: mujoco.MjModel) -> tuple[float, str]:
    """The largest difference of two models among numbers that physics depends on, and the field it is in.

    In parts of the field's largest magnitude, or of 1 where that is smaller.
    """
    worst = (0.0, "")
    for field in (*(field for fields in FIELDS.values() for field in fields.values()), *ALSO):
        a, b = (np.asarray(getattr(m, field), dtype=float) for m in (one, two))
        if a.shape != b.shape:
            return np.inf, field
        if a.size:
            apart = float(np.abs(a - b).max() / max(1.0, np.abs(a).max()))
            worst = (apart, field) if apart > worst[0] else worst
    return worst


def _elements(root: ElementTree.Element) -> dict[str, list[tuple[int, ElementTree.Element]]]:
    """Elements by kind with the number that the compiled model has for each."""
    found: dict[str, list[tuple[int, ElementTree.Element]]] = {kind: [] for kind in FIELDS}
    bodies = joints = 0

    def visit(element: ElementTree.Element, body: int) -> None:
        nonlocal bodies, joints
        inside = []
        for child in element:
            if child.tag in ("joint", "freejoint"):
                joints += 1
                if child.tag == "joint" and child.get("type") != "free":
                    found["joint"].append((joints - 1, child))
            elif child.tag in ("geom", "site"):
                found[child.tag].append((len(found[child.tag]), child))
            elif child.tag == "inertial":
                found["inertial"].append((body, child))
            elif child.tag in ("body", "frame"):
                inside.append(child)
        for child in inside:
            if child.tag == "frame":
                visit(child, body)
                continue
            bodies += 1
            found["body"].append((bodies, child))
            visit(child, bodies)

    world = root.find("worldbody")
    if world is not None:
        visit(world, 0)
    actuators = root.find("actuator")
    if actuators is not None:
        found["actuator"] = list(enumerate(actuators))
    return found
