"""The scene of a bundle: the robot's MJCF on level ground, as one more MJCF that compiles to the framework's own model.

It includes the robot's file, which is exact to the last digit, and adds the ground and the engine's settings.
"""

from __future__ import annotations

import copy
from pathlib import Path
from xml.etree import ElementTree

import mujoco
import numpy as np

from embodied.export.errors import BundleError
from embodied.scenes import Scene
from morphologies.fabricate.mjcf import EXACT, difference
from morphologies.fabricate.urdf import numbers
from morphologies.read.compile import quiet

INTEGRATORS = {0: "Euler", 1: "RK4", 2: "implicit", 3: "implicitfast"}
CONES = {0: "pyramidal", 1: "elliptic"}
SOLVERS = {0: "PGS", 1: "CG", 2: "Newton"}
JACOBIANS = {0: "dense", 1: "sparse", 2: "auto"}
NUMBERS = (
    "timestep", "impratio", "tolerance", "ls_tolerance", "noslip_tolerance", "ccd_tolerance", "gravity", "wind",
    "magnetic", "density", "viscosity", "iterations", "ls_iterations", "noslip_iterations", "ccd_iterations",
)  # fmt: skip
"""Of the engine's settings, those that are numbers."""
GROUND = {
    "friction": "geom_friction", "solref": "geom_solref", "solimp": "geom_solimp", "margin": "geom_margin",
    "gap": "geom_gap", "solmix": "geom_solmix",
}  # fmt: skip
"""Attributes of the ground that are numbers, and the compiled model's fields."""
WHOLE = {
    "contype": "geom_contype",
    "conaffinity": "geom_conaffinity",
    "condim": "geom_condim",
    "priority": "geom_priority",
}
"""Those that are whole numbers."""


def scene_text(scene: Scene, robot: str) -> str:
    """The MJCF.

    Args:
        scene: one body on a `FlatArena`.
        robot: name of the body's own MJCF, in the folder that this one will lie in.
    """
    model = scene.model
    root = ElementTree.Element("mujoco", model=f"{Path(robot).stem} on level ground")
    ElementTree.SubElement(root, "include", file=robot)
    option = {name: numbers(np.atleast_1d(getattr(model.opt, name))) for name in NUMBERS}
    option |= {name: option[name].split(".")[0] for name in NUMBERS if name.endswith("iterations")}
    kinds = (("integrator", INTEGRATORS), ("cone", CONES), ("solver", SOLVERS), ("jacobian", JACOBIANS))
    option |= {name: names[int(getattr(model.opt, name))] for name, names in kinds}
    settings = ElementTree.SubElement(root, "option", option)
    flags = ElementTree.SubElement(settings, "flag")
    for name, bit in mujoco.mjtDisableBit.__members__.items():
        if name.startswith("mjDSBL_"):
            disabled = model.opt.disableflags & int(bit)
            flags.set(name.removeprefix("mjDSBL_").lower(), "disable" if disabled else "enable")
    ElementTree.SubElement(root, "statistic", extent="3")  # m that shadows are resolved for, not for an endless floor
    headlight = {"ambient": "0.45 0.45 0.45", "diffuse": "0.35 0.35 0.35"}
    ElementTree.SubElement(ElementTree.SubElement(root, "visual"), "headlight", headlight)
    asset = ElementTree.SubElement(root, "asset")
    sky = {"rgb1": "0.78 0.87 0.94", "rgb2": "0.97 0.98 0.99", "width": "64", "height": "384"}
    ElementTree.SubElement(asset, "texture", {"name": "sky", "type": "skybox", "builtin": "gradient", **sky})
    grid = {"rgb1": "0.80 0.83 0.84", "rgb2": "0.70 0.74 0.76", "width": "256", "height": "256"}
    ElementTree.SubElement(asset, "texture", {"name": "ground", "type": "2d", "builtin": "checker", **grid})
    ElementTree.SubElement(asset, "material", name="ground", texture="ground", texrepeat="0.5 0.5", texuniform="true")
    world = ElementTree.SubElement(root, "worldbody")
    sun = {"pos": "0 0 10", "dir": "0.1 0.05 -0.99", "diffuse": "0.5 0.5 0.5"}
    ElementTree.SubElement(world, "light", {"name": "sun", "type": "directional", **sun})
    number = model.geom("floor").id
    # Every attribute in full, for the robot's defaults hold for the ground too.
    floor = {"name": "ground", "type": "plane", "size": "0 0 1", "material": "ground", "group": "0", "rgba": "1 1 1 1"}
    floor |= {name: numbers(np.atleast_1d(getattr(model, field)[number])) for name, field in GROUND.items()}
    floor |= {name: str(int(getattr(model, field)[number])) for name, field in WHOLE.items()}
    ElementTree.SubElement(world, "geom", floor)
    ElementTree.indent(root)
    return ElementTree.tostring(root, encoding="unicode") + "\n"


def refuse_other_physics(path: Path, scene: Scene) -> None:
    """Raises BundleError unless a scene's file compiles to what physics depends on in the framework's own model."""
    with quiet():
        written = mujoco.MjModel.from_xml_path(str(path))
    model = scene.model
    apart, field = _difference(model, written)
    if apart > EXACT:
        raise BundleError(path.name, f"its {field} differs from the framework's by {apart:.1e}; it cannot be exported")
    for name in (*NUMBERS, "integrator", "cone", "solver", "jacobian", "disableflags", "enableflags"):
        if not np.array_equal(getattr(model.opt, name), getattr(written.opt, name)):
            raise BundleError(path.name, f"its setting {name} differs from the framework's; it cannot be exported")


def _difference(model: mujoco.MjModel, written: mujoco.MjModel) -> tuple[float, str]:
    """As `difference`, but for where the free root stands in the reference: every start says where it is."""
    one, two = copy.copy(model), copy.copy(written)
    for each in (one, two):
        (joint,) = np.flatnonzero(each.jnt_type == mujoco.mjtJoint.mjJNT_FREE)
        start, body = int(each.jnt_qposadr[joint]), int(each.jnt_bodyid[joint])
        for values in (each.qpos0, each.qpos_spring):
            values[start : start + 7] = 0.0
        each.body_pos[body], each.body_quat[body] = 0.0, 0.0
    return difference(one, two)
