"""Sidecar: the YAML beside a robot file with which our own reader makes of it the body that it was written from.

URDF has no rotor inertia, no springs, no friction with the ground and no soft limits; all of that is here, in the keys
that `morphologies.read.overrides` documents.
"""

from __future__ import annotations

from collections import Counter
from typing import Any, Literal

import mujoco
import numpy as np
import yaml

from morphologies.fabricate.anatomy import Anatomy
from morphologies.fabricate.motion import some
from morphologies.fabricate.solids import solid_geoms
from morphologies.fabricate.urdf import NO_EFFORT_LIMIT

SOLREF, SOLIMP = (0.02, 1.0), (0.9, 0.95, 0.001, 0.5, 2.0)
"""MuJoCo's defaults, of limits and contacts."""


def mjcf_sidecar(anatomy: Anatomy) -> str:
    """What the MJCF leaves to guesses: feet, stance and the meaning of actions."""
    return _text(_stance(anatomy, "source"))


def urdf_sidecar(anatomy: Anatomy) -> tuple[str, list[str]]:
    """The same for the URDF with all that it cannot say, and sentences on what this cannot either."""
    notes: list[str] = []
    merged = _merged(anatomy)
    said = _stance(anatomy, "name")
    kinds = Counter(motor.kind for motor in anatomy.motors)
    if kinds:
        said["control"] = "position" if kinds["position"] > kinds["motor"] else "torque"
        wanted = "position" if said["control"] == "position" else "motor"
        if odd := [motor.source for motor in anatomy.motors if motor.kind != wanted]:
            notes.append(
                f"kinds of actuators: read back, {some(odd)} become {said['control']} actuators as the others are"
            )
    driven = {motor.joint for motor in anatomy.motors} | set(anatomy.mimics)
    if idle := [joint.source for joint in anatomy.joints if joint.name not in driven]:
        notes.append(f"joints without an actuator: read back, they get one: {some(idle)}")
    if endless := [motor.source for motor in anatomy.motors if motor.effort is None]:
        notes.append(f"motors without a limit: read back, {some(endless)} have one of {NO_EFFORT_LIMIT:g} N·m")
    gains = {
        motor.joint: {k: v for k in ("kp", "kv", "effort") if (v := getattr(motor, k)) is not None and (v or k == "kv")}
        for motor in anatomy.motors
    }
    said["gains"] = _shared({joint: given for joint, given in gains.items() if given})
    said["joints"] = _shared({joint.name: _joint(anatomy.model, joint.number) for joint in anatomy.joints})
    said["contacts"] = _shared(_contacts(anatomy, merged, notes))
    said["exclude_touching"] = False
    said["exclude"] = [list(pair) for pair in _excluded(anatomy, merged)]
    return _text(said), notes


def _stance(anatomy: Anatomy, name: Literal["name", "source"]) -> dict[str, Any]:
    """What bodies hold beside their model, links and joints called as in the URDF or the MJCF."""
    body, links = anatomy.body, anatomy.real_links
    joints = {getattr(joint, name): joint for joint in anatomy.joints}
    return {
        "base": getattr(links[0], name),
        "root": body.root,
        "feet": [getattr(link, name) for link in links if link.source in body.feet],
        "pose": {known: place for known, joint in joints.items() if (place := anatomy.default(joint))},
        "spawn_height": float(body.spawn_height),
        "action_scale": float(body.action_scale),
        "max_speed": {known: float(speed) for known, joint in joints.items() if (speed := joint.max_speed) is not None},
    }


def _joint(model: mujoco.MjModel, number: int) -> dict[str, Any]:
    dof = int(model.jnt_dofadr[number])
    said: dict[str, Any] = {"armature": float(model.dof_armature[dof])}
    if stiffness := float(model.jnt_stiffness[number]):
        said |= {"stiffness": stiffness, "rest": float(model.qpos_spring[model.jnt_qposadr[number]])}
    if model.jnt_limited[number]:
        said |= _softness(model.jnt_solref[number], model.jnt_solimp[number], "limit_")
    return said


def _softness(solref: np.ndarray, solimp: np.ndarray, prefix: str = "") -> dict[str, list[float]]:
    """Those of the two that are not what MuJoCo takes anyway."""
    given = (("solref", solref, SOLREF), ("solimp", solimp, SOLIMP))
    return {prefix + name: [float(v) for v in values] for name, values, usual in given if tuple(values) != usual}


def _merged(anatomy: Anatomy) -> dict[str, str]:
    """Each link's name with that of the link it becomes part of when the URDF is read: fixed links but feet go."""
    into: dict[str, str] = {}
    for link in anatomy.real_links:
        stays = link.joint is not None or link.parent not in into or link.source in anatomy.body.feet
        into[link.name] = link.name if stays else into[str(link.parent)]
    return into


def _contacts(anatomy: Anatomy, merged: dict[str, str], notes: list[str]) -> dict[str, dict[str, Any]]:
    model = anatomy.model
    said: dict[str, dict[str, Any]] = {}
    wide, mixed = {}, {}
    for link in anatomy.real_links:
        for geom in solid_geoms(model, link):
            given: dict[str, Any] = {"friction": [float(v) for v in model.geom_friction[geom]]}
            given["condim"] = int(model.geom_condim[geom])
            if priority := int(model.geom_priority[geom]):
                given["priority"] = priority
            given |= _softness(model.geom_solref[geom], model.geom_solimp[geom])
            if model.geom_margin[geom] or model.geom_gap[geom] or model.geom_solmix[geom] != 1.0:
                wide[link.source] = None
            if said.setdefault(merged[link.name], given) != given:
                mixed[link.source] = None
    if wide:
        notes.append(f"contact margins of links: {some(list(wide))}")
    if mixed:
        notes.append(
            f"differences in friction between shapes of one link, of which the first counts: {some(list(mixed))}"
        )
    return said


def _excluded(anatomy: Anatomy, merged: dict[str, str]) -> list[tuple[str, str]]:
    """Pairs of links that never collide: the body's own, and parents with children that a carrier now parts."""
    named = {link.number: merged[link.name] for link in anatomy.real_links if link.number is not None}
    pairs: dict[frozenset[str], tuple[str, str]] = {}

    def exclude(one: str, two: str) -> None:
        if one != two:
            pairs.setdefault(frozenset((one, two)), (one, two))

    for signature in anatomy.model.exclude_signature:
        one, two = int(signature) >> 16, int(signature) & 0xFFFF
        if one in named and two in named:
            exclude(named[one], named[two])
    links = {link.name: link for link in anatomy.links}
    for link in anatomy.real_links:
        parent = links.get(str(link.parent))
        while parent is not None and parent.number is None:
            parent = links.get(str(parent.parent))
        # MuJoCo lets a link collide with its parent only where that is held by the world.
        if parent is not None and parent.name != link.parent and anatomy.model.body_weldid[parent.number] != 0:
            exclude(merged[parent.name], link.name)
    return list(pairs.values())


def _shared(by_name: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """The same with what most have in common told once, of ``*``."""
    if not by_name:
        return {}
    values = Counter(yaml.safe_dump(said, sort_keys=False) for said in by_name.values())
    usual = yaml.safe_load(values.most_common(1)[0][0])
    if any(usual.keys() - said.keys() for said in by_name.values()):
        return by_name  # what a name is silent about must not be said of it
    return {"*": usual, **{name: said for name, said in by_name.items() if said != usual}}


def _text(said: dict[str, Any]) -> str:
    kept = {key: value for key, value in said.items() if key == "feet" or value not in ({}, [])}
    return yaml.safe_dump(kept, sort_keys=False, default_flow_style=None, width=110)
