"""Sensors: those that every Body promises, given to a robot that has been read."""

from __future__ import annotations

import mujoco
import numpy as np

from morphologies.develop import TOUCH_MARGIN
from morphologies.read.stance import lowest, solid_geoms

_BALL = mujoco.mjtGeom.mjGEOM_SPHERE


def add_sensors(spec: mujoco.MjSpec, model: mujoco.MjModel, data: mujoco.MjData, ends: list[str]) -> None:
    """The sensors that a Body promises, in the order of developed bodies.

    ``accelerometer``, ``gyro``, ``velocimeter`` at the site ``imu`` of the root link, the file's own where it has one;
    ``touch/<link>`` in a ball around all of a link's solid geoms; ``limb/end/<link>`` where a foot ends, in the root
    link's frame.
    """
    base = spec.worldbody.first_body()
    names = {body.name: body for body in spec.bodies[1:]}
    ours = {f"touch/{name}" for name in names} | {f"limb/end/{name}" for name in ends}
    taken = {site.name for site in spec.sites}
    for site in spec.sites:
        if site.name in ours or (site.name == "imu" and site.parent != base):
            taken.discard(site.name)
            site.name = f"{site.name}_of_file"
    if "imu" not in taken:
        base.add_site(name="imu", type=_BALL, size=[0.01, 0, 0], group=4)
    for name, body in names.items():
        centre, radius = _ball(model, model.body(name).id)
        body.add_site(
            name=f"touch/{name}",
            type=_BALL,
            pos=centre,
            size=[radius + TOUCH_MARGIN, 0, 0],
            group=4,
        )
    for name in ends:
        names[name].add_site(
            name=f"limb/end/{name}", type=_BALL, pos=_end(model, data, model.body(name).id), size=[0.01, 0, 0], group=4
        )
    kind, site = mujoco.mjtSensor, mujoco.mjtObj.mjOBJ_SITE
    for name in ("accelerometer", "gyro", "velocimeter"):
        spec.add_sensor(name=name, type=getattr(kind, f"mjSENS_{name.upper()}"), objtype=site, objname="imu")
    for name in names:
        spec.add_sensor(name=f"touch/{name}", type=kind.mjSENS_TOUCH, objtype=site, objname=f"touch/{name}")
    for name in ends:
        spec.add_sensor(
            name=f"limb/end/{name}",
            type=kind.mjSENS_FRAMEPOS,
            objtype=site,
            objname=f"limb/end/{name}",
            reftype=mujoco.mjtObj.mjOBJ_XBODY,
            refname=base.name,
        )


def _ball(model: mujoco.MjModel, link: int) -> tuple[np.ndarray, float]:
    """Centre in the link's frame and radius of a ball around its solid geoms, m."""
    corners = []
    for geom in solid_geoms(model):
        if model.geom_bodyid[geom] != link:
            continue
        rotation = np.zeros(9)
        mujoco.mju_quat2Mat(rotation, model.geom_quat[geom])
        signs = np.array(np.meshgrid([-1, 1], [-1, 1], [-1, 1])).reshape(3, -1).T
        box = model.geom_aabb[geom, :3] + signs * model.geom_aabb[geom, 3:]
        corners.append(model.geom_pos[geom] + box @ rotation.reshape(3, 3).T)
    if not corners:
        return np.zeros(3), 0.0
    points = np.concatenate(corners)
    centre = (points.min(axis=0) + points.max(axis=0)) / 2
    return centre, float(np.linalg.norm(points - centre, axis=1).max())


def _end(model: mujoco.MjModel, data: mujoco.MjData, link: int) -> np.ndarray:
    """(3,) Where a link ends, in its own frame: the lower end of its lowest solid geom's axis, or its centre."""
    own = [g for g in solid_geoms(model) if model.geom_bodyid[g] == link]
    if not own:
        return np.zeros(3)
    geom = min(own, key=lambda g: lowest(model, data, g))
    point = np.array(data.geom_xpos[geom])
    if model.geom_type[geom] in (mujoco.mjtGeom.mjGEOM_CAPSULE, mujoco.mjtGeom.mjGEOM_CYLINDER):
        axis = data.geom_xmat[geom].reshape(3, 3)[:, 2] * model.geom_size[geom, 1]
        point += axis if axis[2] < 0 else -axis
    return data.xmat[link].reshape(3, 3).T @ (point - data.xpos[link])
