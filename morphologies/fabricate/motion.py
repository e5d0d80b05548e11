"""Motion: what joints are like, what drives them and what binds them, and what of that no URDF can say."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import mujoco
import numpy as np

from morphologies.read.equip import kind_of

EQUALITIES, TRANSMISSIONS = mujoco.mjtEq, mujoco.mjtTrn


@dataclass(frozen=True)
class Joint:
    """A hinge or slide, at 0 in the frames of its links."""

    name: str
    source: str
    """Name in the MJCF."""
    number: int
    """In the compiled model."""
    slides: bool
    axis: np.ndarray
    """(3,) In the frame of the link that hangs on it."""
    range: tuple[float, float] | None
    """rad or m; None without limits."""
    damping: float
    """N·m·s/rad or N·s/m."""
    frictionloss: float
    """N·m or N."""
    armature: float
    """kg·m² or kg."""
    stiffness: float
    """N·m/rad or N/m."""
    rest: float
    """Where its spring pulls to, rad or m."""
    max_speed: float | None
    """rad/s or m/s, where known; the simulation does not hold it to that."""


@dataclass(frozen=True)
class Motor:
    """What drives a joint."""

    source: str
    """Name in the MJCF; in the URDF it goes by its joint's."""
    joint: str
    kind: str
    """``motor``, ``position`` or ``other``."""
    gear: float
    """N·m or N per unit of force of a motor: its torque at a control of 1 where its gain is 1."""
    effort: float | None
    """Largest torque, N·m, or force, N; None where nothing limits it."""
    kp: float | None
    """Of a position actuator, N·m/rad or N/m."""
    kv: float | None
    """N·m·s/rad or N·s/m."""


def find_motors(
    spec: mujoco.MjSpec, model: mujoco.MjModel, joints: Mapping[int, Joint]
) -> tuple[list[Motor], list[str]]:
    """The motors on joints, and sentences on those that are elsewhere or are more than a motor.

    Args:
        joints: by their numbers in the model.
    """
    motors: list[Motor] = []
    elsewhere, second, odd, slow = [], [], [], []
    for a, actuator in enumerate(spec.actuators):
        name, target = model.actuator(a).name, int(model.actuator_trnid[a, 0])
        if model.actuator_trntype[a] != TRANSMISSIONS.mjTRN_JOINT or target not in joints:
            elsewhere.append(name)
            continue
        joint, kind = joints[target], kind_of(actuator)
        if any(motor.joint == joint.name for motor in motors):
            second.append(name)
            continue
        if kind == "other":
            odd.append(name)
        if actuator.dyntype != mujoco.mjtDyn.mjDYN_NONE:
            slow.append(name)
        gains = (float(model.actuator_gainprm[a, 0]), float(-model.actuator_biasprm[a, 2]))
        kp, kv = gains if kind == "position" else (None, None)
        motors.append(Motor(name, joint.name, kind, float(model.actuator_gear[a, 0]), _effort(model, a, kind), kp, kv))
    told = (
        (elsewhere, "actuators that drive no hinge or slide of the body"),
        (second, "actuators on joints that another drives already"),
        (odd, "actuators that are neither torque motors nor position actuators"),
        (slow, "dynamics of actuators, such as a lag behind their control"),
    )
    return motors, [f"{what}: {some(names)}" for names, what in told if names]


def some(names: list[str]) -> str:
    """The first few names, and how many more there are."""
    return ", ".join(names[:6]) + (f" and {len(names) - 6} more" if len(names) > 6 else "")


def _effort(model: mujoco.MjModel, actuator: int, kind: str) -> float | None:
    gear = abs(float(model.actuator_gear[actuator, 0]))
    limits = []
    if model.actuator_forcelimited[actuator]:
        limits.append(gear * float(np.abs(model.actuator_forcerange[actuator]).max()))
    if kind == "motor" and model.actuator_ctrllimited[actuator]:
        gain = abs(float(model.actuator_gainprm[actuator, 0]))
        limits.append(gear * gain * float(np.abs(model.actuator_ctrlrange[actuator]).max()))
    joint = int(model.actuator_trnid[actuator, 0])
    if model.jnt_actfrclimited[joint]:
        limits.append(float(np.abs(model.jnt_actfrcrange[joint]).max()))
    return min(limits) if limits else None


def find_mimics(
    model: mujoco.MjModel, joints: Mapping[int, Joint]
) -> tuple[dict[str, tuple[str, float, float]], list[str]]:
    """Joints that follow another in a straight line, see `Anatomy.mimics`, and sentences on all other equalities."""
    mimics: dict[str, tuple[str, float, float]] = {}
    others: list[str] = []
    for e in range(model.neq):
        one, two = int(model.eq_obj1id[e]), int(model.eq_obj2id[e])
        straight = model.eq_type[e] == EQUALITIES.mjEQ_JOINT and not model.eq_data[e, 2:5].any() and model.eq_active0[e]
        if not (straight and one in joints and two in joints):
            others.append(model.equality(e).name or f"number {e}")
            continue
        offset, factor = float(model.eq_data[e, 0]), float(model.eq_data[e, 1])
        # MuJoCo counts both from their references, URDF from 0.
        own, leaders = (float(model.qpos0[model.jnt_qposadr[j]]) for j in (one, two))
        mimics[joints[one].name] = (joints[two].name, factor, own + offset - factor * leaders)
    return mimics, [f"equalities that are no mimics: {some(others)}"] if others else []


def left_out(model: mujoco.MjModel) -> list[str]:
    """Sentences on forces of a model that neither URDF nor the YAML beside it can say."""
    notes = []
    for count, what in ((model.ntendon, "tendons"), (model.nflex, "flexible parts"), (model.npair, "contact pairs")):
        if count:
            notes.append(f"{count} {what}")
    if model.body_gravcomp.any():
        notes.append("links that gravity does not pull on in full")
    for field, what in (("dof_dampingpoly", "damping"), ("jnt_stiffnesspoly", "stiffness")):
        if getattr(model, field).any():
            notes.append(f"{what} that is not linear")
    return notes
