"""Stance: how a robot stands by default, and what it stands on, from its file's hints and its geometry."""

from __future__ import annotations

import re
from dataclasses import dataclass

import mujoco
import numpy as np

from morphologies.develop import Root
from morphologies.read.trim import BALL, FREE

STANDING_KEY = re.compile(r"^(home|stand(ing)?|default|init(ial)?|nominal|neutral)$", re.IGNORECASE)
"""Keyframes by these names are taken for the default pose."""
FOOT_NAME = re.compile(r"foot|feet|toe|paw|hoof|sole", re.IGNORECASE)
INSIDE = 0.1
"""A joint whose range does not hold 0 stands this part of its range from the nearer end."""
FOOT_BAND = 0.1
"""Outermost links that end this close to the ground, as a part of the body's height, are feet."""
SOLE_BAND = 0.02
"""Links with toes on them are feet where their name says so and they come this close themselves."""


def standing_key(model: mujoco.MjModel) -> tuple[str, dict[str, float]] | None:
    """Joint positions by name of the file's keyframe that looks like a stance, with the keyframe's name."""
    for number in range(model.nkey):
        name = model.key(number).name
        if STANDING_KEY.match(name):
            values = {}
            for joint in range(model.njnt):
                if int(model.jnt_type[joint]) not in (FREE, BALL) and model.joint(joint).name:
                    values[model.joint(joint).name] = float(model.key_qpos[number, model.jnt_qposadr[joint]])
            return name, values
    return None


def inside_ranges(model: mujoco.MjModel, joints: list[int]) -> dict[str, float]:
    """Positions for those of the joints whose reference lies outside their range, by name."""
    pose = {}
    for joint in joints:
        low, high = model.jnt_range[joint]
        reference = model.qpos0[model.jnt_qposadr[joint]]
        if model.jnt_limited[joint] and not low <= reference <= high:
            inset = INSIDE * (high - low)
            pose[model.joint(joint).name] = float(low + inset if reference < low else high - inset)
    return pose


def posed(model: mujoco.MjModel, pose: dict[str, float]) -> mujoco.MjData:
    """The model in a pose, all positions computed, with mimicking joints where their equalities put them."""
    data = mujoco.MjData(model)
    for name, value in pose.items():
        data.qpos[model.joint(name).qposadr] = value
    for equality in range(model.neq):
        if model.eq_type[equality] == mujoco.mjtEq.mjEQ_JOINT and model.eq_obj2id[equality] >= 0:
            one, two = (model.jnt_qposadr[i[equality]] for i in (model.eq_obj1id, model.eq_obj2id))
            moved = data.qpos[two] - model.qpos0[two]
            data.qpos[one] = model.qpos0[one] + np.polyval(model.eq_data[equality, 4::-1], moved)
    mujoco.mj_forward(model, data)
    return data


def solid_geoms(model: mujoco.MjModel) -> list[int]:
    """Geoms of the robot that can touch something."""
    return [g for g in range(model.ngeom) if model.geom_contype[g] or model.geom_conaffinity[g]]


def lowest(model: mujoco.MjModel, data: mujoco.MjData, geom: int) -> float:
    """z of a geom's lowest point in the world, m; exact for all shapes, for a mesh that of its convex hull."""
    kind, size = model.geom_type[geom], model.geom_size[geom]
    down = data.geom_xmat[geom].reshape(3, 3)[2]  # world z in the geom's frame
    z = float(data.geom_xpos[geom, 2])
    if kind == mujoco.mjtGeom.mjGEOM_SPHERE:
        return z - size[0]
    if kind == mujoco.mjtGeom.mjGEOM_CAPSULE:
        return z - size[0] - size[1] * abs(down[2])
    if kind == mujoco.mjtGeom.mjGEOM_CYLINDER:
        return z - size[1] * abs(down[2]) - size[0] * float(np.hypot(down[0], down[1]))
    if kind == mujoco.mjtGeom.mjGEOM_ELLIPSOID:
        return z - float(np.linalg.norm(size * down))
    if kind == mujoco.mjtGeom.mjGEOM_BOX:
        return z - float(size @ np.abs(down))
    if kind in (mujoco.mjtGeom.mjGEOM_MESH, mujoco.mjtGeom.mjGEOM_SDF):
        mesh = model.geom_dataid[geom]
        start = model.mesh_vertadr[mesh]
        vertices = model.mesh_vert[start : start + model.mesh_vertnum[mesh]]
        return z + float((vertices @ down).min())
    return z


@dataclass(frozen=True)
class Ground:
    """Where the robot meets the ground in its default pose."""

    lowest: float
    """z of its lowest point relative to the root link's origin, m."""
    height: float
    """From its lowest solid point to its highest, m."""
    feet: list[str]
    """Names of the links that look like feet."""


def ground_under(model: mujoco.MjModel, data: mujoco.MjData, root: Root) -> Ground:
    """Finds the lowest point, and the feet: outermost links of a root that can fall which end near the ground."""
    geoms = solid_geoms(model) or list(range(model.ngeom))
    if not geoms:
        return Ground(0.0, 0.0, [])
    low = {geom: lowest(model, data, geom) for geom in geoms}
    bottom = min(low.values())
    top = max(float(data.geom_xpos[g, 2] + model.geom_rbound[g]) for g in geoms)
    height = top - bottom
    feet: list[str] = []
    if root != "fixed":
        solid = {int(model.geom_bodyid[g]) for g in geoms}
        for link in range(2, model.nbody):
            own = [low[g] for g in geoms if model.geom_bodyid[g] == link]
            beneath = descendants(model, link)
            name = model.body(link).name
            outermost = not solid & beneath
            if not own or not (outermost or FOOT_NAME.search(name)):
                continue
            near = min(own) < bottom + (FOOT_BAND if outermost else SOLE_BAND) * height
            if near and not any(model.body(b).name in feet for b in _ancestors(model, link)):
                feet.append(name)
    return Ground(float(bottom - data.xpos[1, 2]), height, feet)


def descendants(model: mujoco.MjModel, link: int) -> set[int]:
    """Links that hang on a link, itself not among them."""
    found: set[int] = set()
    for other in range(link + 1, model.nbody):
        if model.body_parentid[other] == link or int(model.body_parentid[other]) in found:
            found.add(other)
    return found


def _ancestors(model: mujoco.MjModel, link: int) -> list[int]:
    found = []
    while (link := int(model.body_parentid[link])) > 0:
        found.append(link)
    return found


def touching_links(model: mujoco.MjModel, data: mujoco.MjData) -> list[tuple[str, str]]:
    """Pairs of links that touch each other."""
    pairs: dict[tuple[str, str], None] = {}
    for contact in data.contact:
        one, two = sorted(int(model.geom_bodyid[g]) for g in contact.geom)
        if one > 0 and one != two:
            pairs[model.body(one).name, model.body(two).name] = None
    return list(pairs)
