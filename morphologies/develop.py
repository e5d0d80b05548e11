"""Development: from a genome to a fresh MjSpec, with the sensors and contact rules a body carries for life."""

from __future__ import annotations

from typing import Literal

import mujoco
import numpy as np

from morphologies.genome import Genome
from morphologies.skeleton import LimbInstance, hinge_axis, instances, twins, twins_overlap
from morphologies.unimal import UNIMAL, DesignSpace

Root = Literal["free", "planar", "fixed"]

FRICTION = (0.7, 0.1, 0.1)
"""Sliding, torsional, rolling. DERL."""
CONDIM = 3
JOINT_DAMPING = 1.0
"""N·m·s/rad."""
JOINT_STIFFNESS = 1.0
"""N·m/rad, towards the rest pose."""
JOINT_ARMATURE = 1.0
"""kg·m²."""
LIMIT_SOLIMP = (0.0, 0.99, 0.01, 0.5, 2.0)
"""Impedance of the joint limits; the last two are MuJoCo's defaults."""
TOUCH_MARGIN = 0.01
"""How far touch zones reach beyond the geom, m."""

HEAD = "torso/0"
HEAD_COLOUR = (0.87, 0.48, 0.22, 1.0)
LIMB_COLOURS = {0: (0.92, 0.72, 0.36, 1.0), 1: (0.36, 0.60, 0.68, 1.0), -1: (0.30, 0.50, 0.58, 1.0)}


def develop(genome: Genome, space: DesignSpace = UNIMAL, root: Root = "free") -> mujoco.MjSpec:
    """A fresh spec holding the one body, its head's centre at the origin, in the rest pose.

    Names: bodies ``torso/0`` and ``limb/<i>``; hinges and motors ``limbx/<i>``, ``limby/<i>``; per body a touch sensor
    ``touch/<body>``; per limb a site ``limb/end/<i>`` at its end and a sensor of that name for its position in the
    head's frame; ``accelerometer``, ``gyro``, ``velocimeter`` in the head's frame. Motors stand in the order of the
    bodies.

    Args:
        genome: is not checked against the space here.
        space: gives the radii.
        root: ``free``, ``planar`` (``rootx``, ``rootz``, ``rooty``), or ``fixed`` to the world.
    """
    spec = mujoco.MjSpec()
    spec.modelname = "body"
    spec.compiler.degree = False
    limbs = instances(genome, space)
    head = spec.worldbody.add_body(name=HEAD)
    _add_root(head, root)
    head.add_geom(
        name=HEAD,
        type=mujoco.mjtGeom.mjGEOM_SPHERE,
        size=[space.head_radius, 0, 0],
        density=genome.head_density,
        condim=CONDIM,
        friction=FRICTION,
        rgba=HEAD_COLOUR,
    )
    head.add_site(name="imu", size=[0.01, 0, 0], group=4)
    head.add_site(
        name=f"touch/{HEAD}",
        type=mujoco.mjtGeom.mjGEOM_SPHERE,
        size=[space.head_radius + TOUCH_MARGIN, 0, 0],
        group=4,
    )
    bodies = {-1: (head, np.zeros(3))}
    for limb in limbs:
        parent, parent_origin = bodies[limb.parent]
        body = parent.add_body(name=f"limb/{limb.index}", pos=limb.origin - parent_origin)
        bodies[limb.index] = (body, limb.origin)
        _add_limb(spec, body, limb, genome.limb_density, space)
    _add_sensors(spec, len(limbs))
    for left, right in twins(limbs):
        if twins_overlap(left, space):
            spec.add_exclude(bodyname1=f"limb/{left.index}", bodyname2=f"limb/{right.index}")
    if root == "fixed":
        # MuJoCo filters contacts between parent and child, but not where the parent is welded to the world.
        for limb in limbs:
            if limb.parent == -1:
                spec.add_exclude(bodyname1=HEAD, bodyname2=f"limb/{limb.index}")
    return spec


def _add_root(head: mujoco.MjsBody, root: Root) -> None:
    if root == "free":
        head.add_freejoint(name="root")
    elif root == "planar":
        head.add_joint(name="rootx", type=mujoco.mjtJoint.mjJNT_SLIDE, axis=[1, 0, 0])
        head.add_joint(name="rootz", type=mujoco.mjtJoint.mjJNT_SLIDE, axis=[0, 0, 1])
        head.add_joint(name="rooty", type=mujoco.mjtJoint.mjJNT_HINGE, axis=[0, 1, 0])
    elif root != "fixed":
        raise ValueError(f'root must be "free", "planar" or "fixed", not {root!r}')


def _add_limb(
    spec: mujoco.MjSpec, body: mujoco.MjsBody, limb: LimbInstance, density: float, space: DesignSpace
) -> None:
    index, radius = limb.index, space.limb_radius
    segment = [0.0, 0.0, 0.0, *(limb.length * limb.direction)]
    for hinge in limb.limb.hinges:
        name = f"limb{hinge.axis}/{index}"
        body.add_joint(
            name=name,
            type=mujoco.mjtJoint.mjJNT_HINGE,
            pos=-radius * limb.direction,
            axis=hinge_axis(limb.direction, hinge.axis, limb.side),
            limited=mujoco.mjtLimited.mjLIMITED_TRUE,
            range=np.deg2rad(hinge.range),
            damping=[JOINT_DAMPING, 0, 0],
            stiffness=[JOINT_STIFFNESS, 0, 0],
            armature=JOINT_ARMATURE,
            solimp_limit=LIMIT_SOLIMP,
        )
        motor = spec.add_actuator(name=name, target=name, trntype=mujoco.mjtTrn.mjTRN_JOINT)
        motor.set_to_motor()
        motor.gear = [hinge.gear, 0, 0, 0, 0, 0]
        motor.ctrllimited = mujoco.mjtLimited.mjLIMITED_TRUE
        motor.ctrlrange = [-1.0, 1.0]
    body.add_geom(
        name=f"limb/{index}",
        type=mujoco.mjtGeom.mjGEOM_CAPSULE,
        fromto=segment,
        size=[radius, 0, 0],
        density=density,
        condim=CONDIM,
        friction=FRICTION,
        rgba=LIMB_COLOURS[limb.side],
    )
    body.add_site(
        name=f"touch/limb/{index}",
        type=mujoco.mjtGeom.mjGEOM_CAPSULE,
        fromto=segment,
        size=[radius + TOUCH_MARGIN, 0, 0],
        group=4,
    )
    body.add_site(name=f"limb/end/{index}", pos=limb.length * limb.direction, size=[0.01, 0, 0], group=4)


def _add_sensors(spec: mujoco.MjSpec, num_limbs: int) -> None:
    site = mujoco.mjtObj.mjOBJ_SITE
    for name in ("accelerometer", "gyro", "velocimeter"):
        kind = getattr(mujoco.mjtSensor, f"mjSENS_{name.upper()}")
        spec.add_sensor(name=name, type=kind, objtype=site, objname="imu")
    for body in (HEAD, *(f"limb/{i}" for i in range(num_limbs))):
        name = f"touch/{body}"
        spec.add_sensor(name=name, type=mujoco.mjtSensor.mjSENS_TOUCH, objtype=site, objname=name)
    for name in (f"limb/end/{i}" for i in range(num_limbs)):
        spec.add_sensor(
            name=name,
            type=mujoco.mjtSensor.mjSENS_FRAMEPOS,
            objtype=site,
            objname=name,
            reftype=mujoco.mjtObj.mjOBJ_XBODY,
            refname=HEAD,
        )
