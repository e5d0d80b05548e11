"""Equip: actuators for a robot that comes without, and what an action means for one that brings its own."""

from __future__ import annotations

import math

import mujoco
import numpy as np

from morphologies.read.overrides import Gains, JointProperties, Overrides, matching
from morphologies.read.properties import properties_for
from morphologies.read.stance import descendants
from morphologies.read.trim import FREE, HINGE, SLIDE

GRAVITY = 9.81
FULL_EFFORT = 0.6
"""rad: the error at which a guessed position actuator gives all it has. The Go1's customary gains have 0.68."""
FULL_EFFORT_SLIDE = 0.05
"""m."""
DAMPING_RATIO = 0.5
"""Of a guessed position actuator on its own joint, the robot held in its default pose."""
TIMESTEP = 0.005
"""s: guessed gains are stable up to this step."""
UNLIMITED = math.pi
"""rad to either side: range of targets where a joint has no limits."""

_LAGS = (mujoco.mjtDyn.mjDYN_NONE, mujoco.mjtDyn.mjDYN_FILTER, mujoco.mjtDyn.mjDYN_FILTEREXACT)
_MOTOR_GAIN = mujoco.mjtGain.mjGAIN_FIXED
_NO_BIAS, _AFFINE = mujoco.mjtBias.mjBIAS_NONE, mujoco.mjtBias.mjBIAS_AFFINE


def driven_joints(spec: mujoco.MjSpec, root_joints: set[str]) -> list[str]:
    """Names of the hinges and slides that get an actuator: all but the root's and those that mimic others."""
    mimics = {e.name1 for e in spec.equalities if e.type == mujoco.mjtEq.mjEQ_JOINT and e.name2}
    return [
        joint.name
        for joint in spec.joints
        if joint.type in (HINGE, SLIDE) and joint.name not in root_joints and joint.name not in mimics
    ]


def kind_of(actuator: mujoco.MjsActuator) -> str:
    """``motor``, ``position``, or ``other``: velocity servos, muscles, cylinders and what else there is.

    Either of the first two may lag behind its control by a filter.
    """
    if actuator.dyntype not in _LAGS or actuator.gaintype != _MOTOR_GAIN:
        return "other"
    if actuator.biastype == _NO_BIAS:
        return "motor"
    if actuator.biastype == _AFFINE and actuator.biasprm[1] < 0 and actuator.gainprm[0] == -actuator.biasprm[1]:
        return "position"
    return "other"


def add_actuators(
    spec: mujoco.MjSpec,
    model: mujoco.MjModel,
    data: mujoco.MjData,
    joints: list[str],
    feet: list[str],
    overrides: Overrides,
    guesses: list[str],
) -> None:
    """One actuator for each joint, replacing what there is.

    Position actuators: effort from the overrides, the joint's force range, or what lifts the robot with that leg;
    kp reaches it at an error of 0.6 rad; kv damps the joint's own inertia half critically. Joints without armature get
    as much as keeps that stable at a time step of 5 ms, about what a geared motor has.

    Args:
        spec: of the robot; is changed.
        model, data: the same robot in its default pose.
        joints: their names.
        feet: names of the feet; joints above them carry the robot.
        overrides: control and gains.
        guesses: what was guessed is told here.
    """
    for actuator in list(spec.actuators):
        spec.delete(actuator)
    inertias = _inertias(model, data)
    guessed_effort, guessed_armature = [], []
    for name in joints:
        joint = next(j for j in spec.joints if j.name == name)
        given = gains_for(name, overrides)
        number = model.joint(name).id
        effort = given.effort or _effort_in_file(model, number)
        if effort is None:
            effort = _round(_lifting_effort(model, data, number, feet))
            guessed_effort.append(effort)
        actuator = spec.add_actuator(name=name, target=name, trntype=mujoco.mjtTrn.mjTRN_JOINT)
        actuator.forcelimited = mujoco.mjtLimited.mjLIMITED_TRUE
        actuator.ctrllimited = mujoco.mjtLimited.mjLIMITED_TRUE
        if overrides.control == "torque":
            actuator.set_to_motor()
            actuator.gear = [effort, 0, 0, 0, 0, 0]
            actuator.ctrlrange = [-1.0, 1.0]
            actuator.forcerange = [-1.0, 1.0]
            continue
        kp = given.kp or _round(effort / (FULL_EFFORT if joint.type == HINGE else FULL_EFFORT_SLIDE))
        armature = float(model.dof_armature[model.jnt_dofadr[number]])
        least = kp * (2 * TIMESTEP) ** 2
        inertia = inertias[number]
        said = properties_for(name, overrides.joints, JointProperties).armature is not None
        if armature == 0.0 and not said and inertia < 4 * least:
            joint.armature = _round(least)
            inertia += least
            guessed_armature.append(joint.armature)
        kv = _round(2 * DAMPING_RATIO * math.sqrt(kp * inertia)) if given.kv is None else given.kv
        actuator.set_to_position(kp=kp, kv=kv)
        actuator.forcerange = [-effort, effort]
        actuator.ctrlrange = _target_range(model, number)
    what = "torque motors" if overrides.control == "torque" else "position actuators"
    guesses.append(f"{len(joints)} {what}, one for each joint (control, gains)")
    if guessed_effort:
        guesses.append(
            f"largest efforts of {len(guessed_effort)} joints from the robot's weight: {_span(guessed_effort)} N·m "
            "(gains: effort)"
        )
    if guessed_armature:
        guesses.append(f"armature of {len(guessed_armature)} joints: {_span(guessed_armature)} kg·m²")


def adapt_actuators(spec: mujoco.MjSpec, model: mujoco.MjModel, overrides: Overrides, guesses: list[str]) -> None:
    """Brings the file's own actuators to what actions mean here, and applies the gains that are overridden.

    A motor's action of 1 is its largest torque: control limits go into the gear. A position actuator's targets stay
    in its joint's range where the file does not limit them.
    """
    scaled = 0
    for actuator in spec.actuators:
        number = model.actuator(actuator.name).id
        low, high = (float(v) for v in model.actuator_ctrlrange[number])
        limited = bool(model.actuator_ctrllimited[number])
        on_joint = actuator.trntype == mujoco.mjtTrn.mjTRN_JOINT
        kind = kind_of(actuator)
        given = gains_for(actuator.target, overrides) if on_joint else Gains()
        if kind == "motor":
            largest = given.effort or (high if limited and high == -low else None)
            if largest is None and not limited and model.actuator_forcelimited[number]:
                largest = float(model.actuator_forcerange[number, 1])
            if largest and (largest != 1.0 or not limited):
                gear = np.array(actuator.gear)
                actuator.gear = gear / np.linalg.norm(gear) * largest if given.effort else gear * largest
                actuator.ctrllimited = mujoco.mjtLimited.mjLIMITED_TRUE
                actuator.ctrlrange = [-1.0, 1.0]
                if model.actuator_forcelimited[number]:
                    actuator.forcerange = np.array(model.actuator_forcerange[number]) / largest
                scaled += 1
        elif kind == "position" and on_joint:
            if not limited:
                actuator.ctrllimited = mujoco.mjtLimited.mjLIMITED_TRUE
                actuator.ctrlrange = _target_range(model, int(model.actuator_trnid[number, 0]))
                actuator.inheritrange = 0.0
            if given != Gains():
                kp = given.kp or float(actuator.gainprm[0])
                kv = given.kv if given.kv is not None else float(-actuator.biasprm[2])
                actuator.gainprm[0], actuator.biasprm[1], actuator.biasprm[2] = kp, -kp, -kv
                if given.effort:
                    actuator.forcelimited = mujoco.mjtLimited.mjLIMITED_TRUE
                    actuator.forcerange = [-given.effort, given.effort]
    if scaled:
        guesses.append(f"an action of 1 is the largest torque of {scaled} motors: their control range is in the gear")


def gains_for(joint: str, overrides: Overrides) -> Gains:
    """The overridden gains of a joint, later patterns over earlier ones."""
    found: dict[str, float | None] = {}
    for pattern, gains in overrides.gains.items():
        if matching((pattern,), [joint]):
            found |= {name: value for name, value in vars(gains).items() if value is not None}
    return Gains(**found)


def _target_range(model: mujoco.MjModel, joint: int) -> list[float]:
    if model.jnt_limited[joint]:
        return [float(v) for v in model.jnt_range[joint]]
    return [-UNLIMITED, UNLIMITED]


def _effort_in_file(model: mujoco.MjModel, joint: int) -> float | None:
    if model.jnt_actfrclimited[joint]:
        largest = float(np.abs(model.jnt_actfrcrange[joint]).max())
        return largest if largest > 0 else None
    return None


def _inertias(model: mujoco.MjModel, data: mujoco.MjData) -> dict[int, float]:
    """Inertia that each hinge and slide feels with all others held, kg·m² or kg."""
    full = np.zeros((model.nv, model.nv))
    mujoco.mj_fullM(model, data, full)
    return {
        j: float(full[model.jnt_dofadr[j], model.jnt_dofadr[j]])
        for j in range(model.njnt)
        if int(model.jnt_type[j]) in (HINGE, SLIDE)
    }


def _lifting_effort(model: mujoco.MjModel, data: mujoco.MjData, joint: int, feet: list[str]) -> float:
    """Holds the whole robot, or three times what hangs on the joint where no foot does, at the joint's full reach."""
    link = int(model.jnt_bodyid[joint])
    beneath = {link, *descendants(model, link)}
    anchor = data.xanchor[joint]
    reach = max(
        (
            float(np.linalg.norm(data.geom_xpos[g] - anchor) + model.geom_rbound[g])
            for g in range(model.ngeom)
            if int(model.geom_bodyid[g]) in beneath
        ),
        default=0.1,
    )
    carries = any(model.body(foot).id in beneath for foot in feet)
    mass = float(model.body_mass.sum()) if carries else 3 * float(model.body_subtreemass[link])
    force = mass * GRAVITY
    return max(force * (reach if model.jnt_type[joint] == HINGE else 1.0), 1e-3)


def _round(value: float) -> float:
    return float(f"{value:.3g}")


def _span(values: list[float]) -> str:
    low, high = min(values), max(values)
    return f"{low:g}" if low == high else f"{low:g} to {high:g}"


def actuated(model: mujoco.MjModel) -> bool:
    """Whether anything drives the robot."""
    return bool(model.nu) and any(model.jnt_type[j] != FREE for j in range(model.njnt))
