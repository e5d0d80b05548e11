"""Laikago: the legs that the clips of motion_imitation were made for, as a model of capsules to compute with.

Link dimensions, joint ranges and speeds are those of the manufacturer's robot description
(github.com/unitreerobotics/unitree_ros, robots/laikago_description/urdf/laikago.urdf). Masses do not matter
here: it is no robot to train: it has no motors, and it goes by its name among clips only.
"""

from __future__ import annotations

import mujoco

from morphologies import Body

HIP = (0.21935, 0.0875)
"""Of the abduction joints ahead of and beside the trunk's middle, m."""
OFFSET, THIGH, CALF, FOOT = 0.037, 0.25, 0.25, 0.0265
"""From the abduction joint to the hip's, of the links, and the radius of the foot, m."""
TRUNK = (0.2808, 0.086, 0.09375)
"""Half its length, width and height, m."""
ABDUCTION, HIPS, KNEES = (-0.8727, 1.0472), (-0.5236, 3.927), (-2.7751, -0.6109)
"""Ranges, rad: inwards to outwards, forwards to backwards, folded to straight."""
SPEEDS = {"hip": 52.4, "thigh": 28.6, "calf": 28.6}
"""rad/s."""
STANCE = {"hip": 0.0, "thigh": 0.67, "calf": -1.25}
"""rad, as motion_imitation has it."""


def laikago() -> Body:
    """The body; each spec is fresh."""
    parts = [(leg, part) for leg in ("FR", "FL", "RR", "RL") for part in SPEEDS]
    return Body(
        name="laikago",
        spec=_spec,
        root="free",
        spawn_height=0.44,
        pose={f"{leg}_{part}_joint": STANCE[part] for leg, part in parts},
        feet=("FR_foot", "FL_foot", "RR_foot", "RL_foot"),
        max_speed={f"{leg}_{part}_joint": SPEEDS[part] for leg, part in parts},
    )


def _spec() -> mujoco.MjSpec:
    spec = mujoco.MjSpec()
    spec.modelname = "laikago"
    spec.compiler.degree = False
    trunk = spec.worldbody.add_body(name="trunk")
    trunk.add_freejoint(name="root")
    trunk.add_geom(type=mujoco.mjtGeom.mjGEOM_BOX, size=TRUNK, pos=(0, 0, 0.01675), rgba=(0.85, 0.45, 0.15, 1))
    for leg in ("FR", "FL", "RR", "RL"):
        front, left = (1 if leg[0] == "F" else -1), (1 if leg[1] == "L" else -1)
        inwards, outwards = ABDUCTION
        hip = trunk.add_body(name=f"{leg}_hip", pos=(front * HIP[0], left * HIP[1], 0))
        _hinge(hip, f"{leg}_hip_joint", (1, 0, 0), (inwards, outwards) if left > 0 else (-outwards, -inwards))
        _rod(hip, (0, -left * 0.02, 0), (0, left * 0.02, 0), 0.04)
        thigh = hip.add_body(name=f"{leg}_thigh", pos=(0, left * OFFSET, 0))
        _hinge(thigh, f"{leg}_thigh_joint", (0, 1, 0), HIPS)
        _rod(thigh, (0, 0, 0), (0, 0, -THIGH), 0.02)
        calf = thigh.add_body(name=f"{leg}_calf", pos=(0, 0, -THIGH))
        _hinge(calf, f"{leg}_calf_joint", (0, 1, 0), KNEES)
        _rod(calf, (0, 0, 0), (0, 0, -CALF + 0.02), 0.01)
        foot = calf.add_body(name=f"{leg}_foot", pos=(0, 0, -CALF))
        foot.add_geom(type=mujoco.mjtGeom.mjGEOM_SPHERE, size=(FOOT, 0, 0), rgba=(0.1, 0.1, 0.1, 1))
    return spec


def _hinge(body: mujoco.MjsBody, name: str, axis: tuple[int, int, int], limits: tuple[float, float]) -> None:
    joint = body.add_joint(name=name, type=mujoco.mjtJoint.mjJNT_HINGE, axis=axis)
    joint.limited, joint.range = mujoco.mjtLimited.mjLIMITED_TRUE, [float(limit) for limit in limits]


def _rod(body: mujoco.MjsBody, start: tuple[float, ...], end: tuple[float, ...], radius: float) -> None:
    body.add_geom(
        type=mujoco.mjtGeom.mjGEOM_CAPSULE, fromto=(*start, *end), size=(radius, 0, 0), rgba=(0.4, 0.4, 0.42, 1)
    )
