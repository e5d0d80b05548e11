"""Quadruped: what a synthesised motion needs to know of a robot, read from its model; no robot is known by name.

Four legs of three hinges each are understood: abduction about the trunk's x axis, hip and knee about its y axis, either
way round, with all frames parallel where every joint is at 0. That is how nearly all robot dogs are built.
"""

from __future__ import annotations

from dataclasses import dataclass

import mujoco
import numpy as np
from numpy.typing import NDArray

from embodied.motion.clip import MotionError
from morphologies import Body
from morphologies.read.stance import lowest, solid_geoms

Array = NDArray[np.float64]

GRAVITY = 9.81
"""m/s²."""
SHORT = 0.74
"""Of the way from fore to hind hips: legs longer than this take strides as if they were as long."""
PARALLEL = 1e-6
"""How far an axis may be from the trunk's."""


@dataclass(frozen=True, eq=False)
class Leg:
    """One leg. Vectors are in the trunk's frame with all joints at 0, m."""

    foot: str
    """Its link."""
    joints: tuple[int, int, int]
    """Columns of abduction, hip and knee among the robot's joints."""
    signs: Array
    """(3,) 1 where an axis points along the trunk's x or y, -1 where against it."""
    root: Array
    """(3,) The abduction joint."""
    offset: Array
    """(3,) From the abduction joint to the hip's."""
    thigh: Array
    """(3,) From the hip joint to the knee."""
    shank: Array
    """(3,) From the knee to the centre of the foot's ball."""
    bend: float
    """1 or -1: which way about y the knee is bent where the robot stands."""
    lower: Array
    """(3,) Of the joints' ranges, rad; -inf where there is none."""
    upper: Array
    """(3,) Ditto."""
    radius: float
    """Of the foot's ball, m."""
    girth: float
    """Largest radius of the shank below the knee, m: how high the knee is where the shank lies on the ground."""

    @property
    def left(self) -> bool:
        """Whether it is on the side of positive y."""
        return bool(self.root[1] + self.offset[1] > 0.0)

    @property
    def front(self) -> bool:
        """Whether it is ahead of the trunk's origin."""
        return bool(self.root[0] + self.offset[0] > 0.0)


@dataclass(frozen=True, eq=False)
class Quadruped:
    """A robot with four such legs, in the order of its joints."""

    name: str
    model: mujoco.MjModel
    trunk: int
    """Id of the root link."""
    joint_names: tuple[str, ...]
    joint_address: NDArray[np.int64]
    """(J,) Where the joints are in qpos."""
    pose: Array
    """(J,) The default pose, rad."""
    legs: tuple[Leg, ...]
    feet: Array
    """(4, 3) Centres of the feet in the default pose, from the trunk's origin, m."""
    centre: Array
    """(3,) Centre of mass in the default pose, from the trunk's origin, m."""
    inertia: Array
    """(3,) About the axes through it, by mass: squares of the radii of gyration, m²."""
    belly: float
    """How far the trunk's solid shapes reach below its origin, m."""

    @property
    def height(self) -> float:
        """Of the trunk's origin where the robot stands in its default pose, m."""
        return float(np.mean([leg.radius - foot[2] for leg, foot in zip(self.legs, self.feet, strict=True)]))

    @property
    def hip_height(self) -> float:
        """Of the hip joints where it stands, m."""
        return self.height + float(np.mean([leg.root[2] + leg.offset[2] for leg in self.legs]))

    @property
    def size(self) -> float:
        """What gaits scale with, m: the height of the hips, or less for a short trunk on long legs, whose fore and hind
        feet would meet."""
        hips = [leg.root[0] + leg.offset[0] for leg in self.legs]
        return min(self.hip_height, SHORT * (max(hips) - min(hips)))

    @property
    def mirrored(self) -> list[int]:
        """For each leg, which one is its mirror image."""
        where = {(leg.front, leg.left): i for i, leg in enumerate(self.legs)}
        return [where[leg.front, not leg.left] for leg in self.legs]


def read_quadruped(body: Body) -> Quadruped:
    """What there is to know of a robot.

    Raises:
        MotionError: it is no quadruped of the kind that is understood; the message says why.
    """
    model = body.spec().compile()
    free = [j for j in range(model.njnt) if model.jnt_type[j] == mujoco.mjtJoint.mjJNT_FREE]
    if body.root != "free" or len(free) != 1:
        raise _no(body, f"its root is {body.root}, where a free one was expected")
    trunk = int(model.jnt_bodyid[free[0]])
    joints = [j for j in range(model.njnt) if j not in free]
    data = mujoco.MjData(model)
    pose = np.array([body.pose.get(model.joint(j).name, model.qpos0[model.jnt_qposadr[j]]) for j in joints])
    address = np.array([model.jnt_qposadr[j] for j in joints])
    feet = sorted(model.body(foot).id for foot in body.feet)
    if len(feet) != 4 or len(joints) != 12:
        raise _no(body, f"it has {len(feet)} feet and {len(joints)} joints, where 4 and 12 were expected")
    legs = tuple(_leg(body, model, trunk, joints, pose, foot) for foot in feet)
    if {(leg.front, leg.left) for leg in legs} != {(a, b) for a in (True, False) for b in (True, False)}:
        raise _no(body, "its legs are not one at each corner of the trunk")
    # The trunk at the world's origin: what is read then is relative to it.
    data.qpos[:] = model.qpos0
    data.qpos[model.jnt_qposadr[free[0]] :][:7] = (0, 0, 0, 1, 0, 0, 0)
    data.qpos[address] = pose
    mujoco.mj_kinematics(model, data)
    mujoco.mj_comPos(model, data)
    centre = data.subtree_com[trunk].copy()
    return Quadruped(
        name=body.name,
        model=model,
        trunk=trunk,
        joint_names=tuple(model.joint(j).name for j in joints),
        joint_address=address,
        pose=pose,
        legs=legs,
        feet=np.array([data.geom_xpos[_ball(body, model, foot)] for foot in feet]),
        centre=centre,
        inertia=_inertia(model, data, centre) / model.body_subtreemass[trunk],
        belly=-min((lowest(model, data, geom) for geom in _solid(model, trunk)), default=0.0),
    )


def _leg(body: Body, model: mujoco.MjModel, trunk: int, joints: list[int], pose: Array, foot: int) -> Leg:
    ball = _ball(body, model, foot)
    # From the foot up to the trunk: offsets between joints, whatever links without joints lie between.
    name = model.body(foot).name
    spans, chain, link, reach = [], [], foot, model.geom_pos[ball].copy()
    girth = 0.0
    while link != trunk:
        if link == 0:
            raise _no(body, f"its foot {name} does not hang on the trunk")
        if np.abs(model.body_quat[link] - (1, 0, 0, 0)).max() > PARALLEL:
            raise _no(body, f"the frame of {model.body(link).name} is turned against its parent's")
        for joint in (j for j in joints if model.jnt_bodyid[j] == link):
            chain.append(joint)
            spans.append(reach - model.jnt_pos[joint])
            reach = model.jnt_pos[joint].copy()
        if len(chain) == 1 and not girth:
            girth = _girth(model, link)
        reach = reach + model.body_pos[link]
        link = int(model.body_parentid[link])
    spans.append(reach)
    if len(chain) != 3:
        raise _no(body, f"its leg to {name} has {len(chain)} joints, where abduction, hip and knee were expected")
    chain, spans = chain[::-1], spans[::-1]
    axes = np.array([model.jnt_axis[j] for j in chain])
    expected = np.eye(3)[[0, 1, 1]]
    hinges = all(model.jnt_type[j] == mujoco.mjtJoint.mjJNT_HINGE for j in chain)
    if not hinges or np.abs(np.abs(axes) - expected).max() > PARALLEL:
        raise _no(body, f"the joints of its leg to {name} are no hinges about x, y and y in turn")
    signs = axes.sum(axis=1).round()
    limited = model.jnt_limited[chain].astype(bool)
    knee = signs[2] * pose[joints.index(chain[2])]
    return Leg(
        foot=name,
        joints=(joints.index(chain[0]), joints.index(chain[1]), joints.index(chain[2])),
        signs=signs,
        root=spans[0],
        offset=spans[1],
        thigh=spans[2],
        shank=spans[3],
        bend=1.0 if knee > 0 else -1.0,
        lower=np.where(limited, model.jnt_range[chain, 0], -np.inf),
        upper=np.where(limited, model.jnt_range[chain, 1], np.inf),
        radius=float(model.geom_size[ball, 0]),
        girth=girth,
    )


def _ball(body: Body, model: mujoco.MjModel, foot: int) -> int:
    sphere = mujoco.mjtGeom.mjGEOM_SPHERE
    balls = [g for g in range(model.ngeom) if model.geom_bodyid[g] == foot and model.geom_type[g] == sphere]
    if not balls:
        raise _no(body, f"its foot {model.body(foot).name} has no ball (a sphere) to stand on")
    return max(balls, key=lambda ball: model.geom_size[ball, 0])


def _solid(model: mujoco.MjModel, link: int) -> list[int]:
    return [geom for geom in solid_geoms(model) if model.geom_bodyid[geom] == link]


def _girth(model: mujoco.MjModel, shank: int) -> float:
    capsules = [g for g in _solid(model, shank) if model.geom_type[g] == mujoco.mjtGeom.mjGEOM_CAPSULE]
    return max((float(model.geom_size[g, 0]) for g in capsules), default=0.0)


def _inertia(model: mujoco.MjModel, data: mujoco.MjData, centre: Array) -> Array:
    total = np.zeros(3)
    for link in range(1, model.nbody):
        rotation = data.ximat[link].reshape(3, 3)
        own = np.diag(rotation @ np.diag(model.body_inertia[link]) @ rotation.T)
        arm = data.xipos[link] - centre
        total += own + model.body_mass[link] * (arm @ arm - arm**2)
    return total


def _no(body: Body, why: str) -> MotionError:
    return MotionError(f"motions cannot be synthesised for {body.name!r}: {why}")
