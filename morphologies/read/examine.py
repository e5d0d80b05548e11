"""Examine: a Body's links, joints and actuators as rows, and what about them looks wrong."""

from __future__ import annotations

from dataclasses import dataclass, field

import mujoco
import numpy as np

from morphologies.body import Body
from morphologies.read.equip import kind_of
from morphologies.read.stance import posed, solid_geoms, touching_links
from morphologies.read.trim import HINGE, SLIDE

LIGHT = 1e-4
"""kg: moving links below this make physics stiff."""
TARGET_STEP = 0.005
"""s: the tasks' usual time step."""


@dataclass(frozen=True)
class LinkRow:
    """One link."""

    name: str
    parent: str
    mass: float
    """kg."""
    solid: int
    """Geoms that can touch something."""
    foot: bool


@dataclass(frozen=True)
class JointRow:
    """One hinge or slide that is not the root's."""

    name: str
    link: str
    kind: str
    """``hinge`` or ``slide``."""
    range: tuple[float, float] | None
    """rad or m; None without limits."""
    pose: float
    """In the default pose."""
    armature: float
    damping: float


@dataclass(frozen=True)
class ActuatorRow:
    """One actuator."""

    name: str
    target: str
    """Joint, tendon or site that it drives."""
    kind: str
    """``motor``, ``position`` or ``other``."""
    gains: str
    limit: float | None
    """Largest torque, N·m, or force, N; None where nothing limits it."""


@dataclass(frozen=True)
class Examination:
    """What a body is made of."""

    mass: float
    root: str
    base: str
    standing_height: float
    """Of the root link's origin in the default pose, m."""
    spawn_height: float
    action_scale: float
    links: list[LinkRow]
    joints: list[JointRow]
    actuators: list[ActuatorRow]
    sensors: list[str]
    problems: list[str] = field(default_factory=list)


def examine(body: Body) -> Examination:
    """Takes a body apart; problems are sentences."""
    spec = body.spec()
    model = spec.compile()
    data = posed(model, dict(body.pose))
    solid = [int(model.geom_bodyid[g]) for g in solid_geoms(model)]
    links = [
        LinkRow(
            name=model.body(b).name,
            parent=model.body(int(model.body_parentid[b])).name if b > 1 else "",
            mass=float(model.body_mass[b]),
            solid=solid.count(b),
            foot=model.body(b).name in body.feet,
        )
        for b in range(1, model.nbody)
    ]
    joints = [_joint(model, data, j) for j in _own_joints(model, body)]
    actuators = [_actuator(spec, model, a) for a in range(model.nu)]
    return Examination(
        mass=float(model.body_mass.sum()),
        root=body.root,
        base=links[0].name,
        standing_height=body.standing_height,
        spawn_height=body.spawn_height,
        action_scale=body.action_scale,
        links=links,
        joints=joints,
        actuators=actuators,
        sensors=[model.sensor(s).name for s in range(model.nsensor)],
        problems=_problems(body, model, data, joints, actuators),
    )


def _own_joints(model: mujoco.MjModel, body: Body) -> list[int]:
    return [
        j
        for j in range(model.njnt)
        if int(model.jnt_type[j]) in (HINGE, SLIDE) and (body.root == "fixed" or model.jnt_bodyid[j] != 1)
    ]


def _joint(model: mujoco.MjModel, data: mujoco.MjData, joint: int) -> JointRow:
    low, high = (float(v) for v in model.jnt_range[joint])
    dof = model.jnt_dofadr[joint]
    return JointRow(
        name=model.joint(joint).name,
        link=model.body(int(model.jnt_bodyid[joint])).name,
        kind="hinge" if model.jnt_type[joint] == HINGE else "slide",
        range=(low, high) if model.jnt_limited[joint] else None,
        pose=float(data.qpos[model.jnt_qposadr[joint]]),
        armature=float(model.dof_armature[dof]),
        damping=float(model.dof_damping[dof]),
    )


def _actuator(spec: mujoco.MjSpec, model: mujoco.MjModel, number: int) -> ActuatorRow:
    actuator = spec.actuators[number]
    kind = kind_of(actuator)
    gear = float(np.abs(model.actuator_gear[number]).max())
    limits = []
    if model.actuator_forcelimited[number]:
        limits.append(gear * float(np.abs(model.actuator_forcerange[number]).max()))
    if kind == "motor" and model.actuator_ctrllimited[number]:
        gain = abs(float(model.actuator_gainprm[number, 0]))
        limits.append(gear * gain * float(np.abs(model.actuator_ctrlrange[number]).max()))
    if model.actuator_trntype[number] == mujoco.mjtTrn.mjTRN_JOINT:
        joint = int(model.actuator_trnid[number, 0])
        if model.jnt_actfrclimited[joint]:
            limits.append(float(np.abs(model.jnt_actfrcrange[joint]).max()))
    if kind == "position":
        gains = f"kp {model.actuator_gainprm[number, 0]:g}, kv {-model.actuator_biasprm[number, 2]:g}"
    else:
        gains = f"gear {gear:g}"
    return ActuatorRow(actuator.name, actuator.target, kind, gains, min(limits) if limits else None)


def _problems(
    body: Body, model: mujoco.MjModel, data: mujoco.MjData, joints: list[JointRow], actuators: list[ActuatorRow]
) -> list[str]:
    problems = []
    if not body.feet and body.root != "fixed":
        problems.append("it has no feet: tasks that ask about contact see none (feet)")
    if touching := touching_links(model, data):
        pairs = ", ".join(f"{one} and {two}" for one, two in touching[:4])
        problems.append(f"links touch each other in the default pose: {pairs} (pose, exclude_touching)")
    if loose := [joint.name for joint in joints if joint.range is None and joint.kind == "hinge"]:
        problems.append(f"hinges without limits: {_some(loose)}")
    driven = _driven(model)
    if not actuators:
        problems.append("nothing drives it: it has no actuators (control)")
    elif idle := [joint.name for joint in joints if joint.name not in driven]:
        problems.append(f"joints that no actuator drives: {_some(idle)} (control)")
    if weak := [a.name for a in actuators if a.limit is None and a.kind != "other"]:
        problems.append(f"nothing limits the torque of {_some(weak)} (gains: effort)")
    if odd := [a.name for a in actuators if a.kind == "other"]:
        problems.append(f"neither torque motors nor position actuators: {_some(odd)} (control replaces them)")
    light = [
        model.body(b).name for b in range(1, model.nbody) if model.body_dofnum[b] and model.body_subtreemass[b] < LIGHT
    ]
    if light:
        problems.append(f"what hangs on these links weighs less than {LIGHT * 1e3:g} g: {_some(light)}")
    for b in range(1, model.nbody):
        moments = np.sort(model.body_inertia[b])
        if moments[2] > (moments[0] + moments[1]) * (1 + 1e-6):
            problems.append(f"the inertia of {model.body(b).name} violates the triangle inequality")
    if not solid_geoms(model):
        problems.append("nothing of it is solid: it falls through any ground")
    return problems


def _driven(model: mujoco.MjModel) -> set[str]:
    """Names of the joints that actuators drive, through tendons and equalities too."""
    driven: set[int] = set()
    for actuator in range(model.nu):
        target = int(model.actuator_trnid[actuator, 0])
        if model.actuator_trntype[actuator] == mujoco.mjtTrn.mjTRN_JOINT:
            driven.add(target)
        elif model.actuator_trntype[actuator] == mujoco.mjtTrn.mjTRN_TENDON:
            start = int(model.tendon_adr[target])
            wraps = range(start, start + int(model.tendon_num[target]))
            driven |= {int(model.wrap_objid[w]) for w in wraps if model.wrap_type[w] == mujoco.mjtWrap.mjWRAP_JOINT}
    driven |= {
        int(model.eq_obj1id[e])
        for e in range(model.neq)
        if model.eq_type[e] == mujoco.mjtEq.mjEQ_JOINT and int(model.eq_obj2id[e]) in driven
    }
    return {model.joint(j).name for j in driven}


def _some(names: list[str]) -> str:
    return ", ".join(names[:6]) + (f" and {len(names) - 6} more" if len(names) > 6 else "")
