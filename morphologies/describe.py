"""Descriptors: what a body is like, in numbers, measured on its compiled model in the default pose."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass

import mujoco
import numpy as np


@dataclass(frozen=True)
class Description:
    """Figures of one body."""

    limbs: int
    """Links other than the root one."""
    joints: int
    """Actuated or passive hinges and slides, the root's not counted."""
    motors: int
    mass: float
    """kg."""
    reach: float
    """Largest distance from the root link's origin to a limb's outermost point, m."""
    length: float
    """Extent along x, forward, m: the body length that distances are told in."""
    width: float
    """Extent along y, m."""
    height: float
    """Extent along z, m."""
    strength: float
    """Sum of the motors' largest torques over mass, N·m/kg."""

    def as_dict(self) -> dict[str, int | float]:
        """The figures by name."""
        return asdict(self)


def describe(model: mujoco.MjModel, pose: Mapping[str, float] | None = None) -> Description:
    """Describes a model that holds one body, as developed or read, in a pose given by joint names, else at rest."""
    data = mujoco.MjData(model)
    for joint, position in (pose or {}).items():
        data.qpos[model.joint(joint).qposadr] = position
    mujoco.mj_fwdPosition(model, data)
    low, high = np.full(3, np.inf), np.full(3, -np.inf)
    reach = 0.0
    for geom in range(model.ngeom):
        if model.geom_bodyid[geom] == 0:
            continue
        low_g, high_g = _extent(model, data, geom)
        low, high = np.minimum(low, low_g), np.maximum(high, high_g)
        reach = max(reach, _reach(model, data, geom))
    size = high - low
    mass = float(model.body_mass.sum())
    hinges = np.isin(model.jnt_type, (mujoco.mjtJoint.mjJNT_HINGE, mujoco.mjtJoint.mjJNT_SLIDE))
    on_limb = model.jnt_bodyid != 1
    # A position actuator's control is a place; what it can give is its force limit.
    limits = np.where(model.actuator_forcelimited[:, None], model.actuator_forcerange, model.actuator_ctrlrange)
    torque = np.abs(model.actuator_gear[:, 0]) * np.abs(limits).max(axis=1, initial=0.0)
    return Description(
        limbs=model.nbody - 2,
        joints=int((hinges & on_limb).sum()),
        motors=model.nu,
        mass=mass,
        reach=reach,
        length=float(size[0]),
        width=float(size[1]),
        height=float(size[2]),
        strength=float(torque.sum()) / mass,
    )


def _extent(model: mujoco.MjModel, data: mujoco.MjData, geom: int) -> tuple[np.ndarray, np.ndarray]:
    """(3,) lower and upper corner of a geom's box in the world, exact for spheres, capsules and boxes."""
    centre, rotation = data.geom_xpos[geom], data.geom_xmat[geom].reshape(3, 3)
    if model.geom_type[geom] == mujoco.mjtGeom.mjGEOM_CAPSULE:
        half = np.abs(rotation[:, 2]) * model.geom_size[geom, 1] + model.geom_size[geom, 0]
    elif model.geom_type[geom] == mujoco.mjtGeom.mjGEOM_SPHERE:
        half = np.full(3, model.geom_size[geom, 0])
    else:
        centre = centre + rotation @ model.geom_aabb[geom, :3]
        half = np.abs(rotation) @ model.geom_aabb[geom, 3:]
    return centre - half, centre + half


def _reach(model: mujoco.MjModel, data: mujoco.MjData, geom: int) -> float:
    """Distance from the root link's origin to the farthest point of a geom, m; a capsule's is at one of its ends."""
    offset = data.geom_xpos[geom] - data.xpos[1]
    if model.geom_type[geom] == mujoco.mjtGeom.mjGEOM_CAPSULE:
        axis = data.geom_xmat[geom].reshape(3, 3)[:, 2] * model.geom_size[geom, 1]
        return float(max(np.linalg.norm(offset + axis), np.linalg.norm(offset - axis)) + model.geom_size[geom, 0])
    return float(np.linalg.norm(offset) + model.geom_rbound[geom])
