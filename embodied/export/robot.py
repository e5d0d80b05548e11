"""Robot: what a manifest says of the body, its joints and motors, and of what an action means to them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import mujoco
import numpy as np

from embodied.export.errors import BundleError
from embodied.scenes.entity import Entity
from morphologies.fabricate.anatomy import Anatomy
from morphologies.fabricate.motion import Joint, Motor


def describe_robot(entity: Entity, anatomy: Anatomy, files: dict[str, str]) -> dict[str, Any]:
    """The body as the manifest has it.

    Args:
        entity: the body in its scene.
        anatomy: the body taken apart.
        files: paths within the bundle of ``mjcf``, ``scene`` and ``urdf``.

    Raises:
        BundleError: its root is held.
    """
    model, body, prefix = entity.model, entity.body, f"{entity.name}/"
    if body.root != "free":
        raise BundleError(body.name, f"its root is {body.root}; bundles are for robots that can go anywhere")
    joints = {joint.source: joint for joint in anatomy.joints}
    motors = {motor.joint: motor for motor in anatomy.motors}
    return {
        "name": body.name,
        "mass": entity.mass,
        "root_link": entity.link_names[0],
        "root_joint": model.joint(entity.root_joints[0]).name.removeprefix(prefix),
        "links": entity.link_names,
        "feet": list(body.feet),
        "standing_height": float(body.standing_height),
        "imu": _imu(model, prefix),
        "joints": [
            _joint(joints[name], float(default), motors.get(joints[name].name))
            for name, default in zip(entity.joint_names, entity.pose, strict=True)
        ],
        **files,
    }


def _imu(model: mujoco.MjModel, prefix: str) -> dict[str, Any] | None:
    site = mujoco.mj_name2id(model, mujoco.mjtObj.mjOBJ_SITE, f"{prefix}imu")
    if site < 0:
        return None
    link = model.body(int(model.site_bodyid[site])).name.removeprefix(prefix)
    return {"link": link, "position": _list(model.site_pos[site]), "quaternion": _list(model.site_quat[site])}


def _list(values: np.ndarray) -> list[float]:
    return [float(value) for value in values]


def _joint(joint: Joint, default: float, motor: Motor | None) -> dict[str, Any]:
    low, high = joint.range or (None, None)
    return {
        "name": joint.source,
        "name_in_urdf": joint.name,
        "kind": "slide" if joint.slides else "hinge",
        "unit": "m" if joint.slides else "rad",
        "default": default,
        "lower": low,
        "upper": high,
        "max_velocity": joint.max_speed,
        "max_torque": motor.effort if motor else None,
        "kp": motor.kp if motor else None,
        "kd": motor.kv if motor else None,
        "armature": joint.armature,
        "damping": joint.damping,
        "friction": joint.frictionloss,
    }


_CONTROL = "control = clip(offset + scale * action, low, high), once per control period"
ABOUT_ACTIONS = {
    "position": f"{_CONTROL}: the joint's target position, rad or m. Its torque, clip(kp * (target - position) - kd * "
    "velocity, ±max_torque), is computed anew at least once per simulation period.",
    "motor": f"{_CONTROL}. Times torque_per_control it is the joint's torque, N·m, or force, N.",
}
"""By the kind of a motor, what its control is."""


RELATIVE = " To the offset the reading that about_reading names is added, one number per actuator."


@dataclass(frozen=True)
class ActionMeaning:
    """What actions are in a task that does not act as `EntityView.act` does."""

    scale: float
    """Control per unit of action."""
    about: str | None = None
    """The reading that controls are relative to; the default pose where None."""


def describe_action(
    entity: Entity, anatomy: Anatomy, clip: float | None, meaning: ActionMeaning | None = None
) -> dict[str, Any]:
    """What an action means, as the manifest has it.

    Args:
        entity: the body in its scene.
        anatomy: the body taken apart.
        clip: magnitude to which actions are cut, if they are.
        meaning: where it is another than that of `EntityView.act`.

    Raises:
        BundleError: an actuator that is neither a position actuator nor a torque motor of one joint of its own.
    """
    motors = {motor.source: motor for motor in anatomy.motors}
    sources = {joint.name: joint.source for joint in anatomy.joints}
    offset, scale = entity.action_map
    if meaning is not None:
        offset = offset if meaning.about is None else np.zeros_like(offset)
        scale = np.full_like(scale, meaning.scale)
    actuators = []
    for number, (name, actuator) in enumerate(zip(entity.actuator_names, entity.actuators, strict=True)):
        motor = motors.get(name)
        if motor is None or motor.kind not in ABOUT_ACTIONS:
            raise BundleError(
                entity.body.name, f"actuator {name!r} is neither a position actuator nor a torque motor of one joint"
            )
        torque = motor.gear * float(entity.model.actuator_gainprm[actuator, 0])
        actuators.append(
            {
                "name": name,
                "joint": sources[motor.joint],
                "meaning": "position" if motor.kind == "position" else "torque",
                "offset": float(offset[number]),
                "scale": float(scale[number]),
                "low": float(entity.control_range[number, 0]),
                "high": float(entity.control_range[number, 1]),
                "torque_per_control": None if motor.kind == "position" else torque,
            }
        )
    kinds = [kind for kind in ABOUT_ACTIONS if any(motors[name].kind == kind for name in entity.actuator_names)]
    return {
        "about": " ".join(ABOUT_ACTIONS[kind] for kind in kinds) + (RELATIVE if meaning and meaning.about else ""),
        "scale_in_network": False,
        "about_reading": meaning.about if meaning else None,
        "clip": clip,
        "actuators": actuators,
    }
