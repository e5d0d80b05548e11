"""Retargeting: a clip of one quadruped made one of another, by its joints or by its feet.

*Joints* copies angles leg by leg, with signs where two robots' joints turn opposite ways, and lowers or raises the root
so that the feet stand as high as before. It keeps every angle, and is right where links are nearly of one length.

*Feet* scales the motion by the ratio of the legs' lengths and puts each foot, by inverse kinematics, where the scaled
foot was, moved by as much as the other robot's hip is elsewhere: feet that stood go on standing, as high above the
floor. Time is left as it is. This is the scheme of Peng and others, "Learning Agile Robotic Locomotion Skills by
Imitating Animals" (2020), section IV, with the source's feet for the animal's.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from embodied.motion.clip import MotionClip, MotionError
from embodied.motion.legs import LEGS, Leg, legs_of
from embodied.motion.quaternions import from_yaw, rotate, yaw_of
from embodied.motion.reach import reach
from embodied.motion.skeleton import Skeleton
from embodied.motion.velocities import Cycle

Array = NDArray[np.float64]

Method = Literal["feet", "joints"]
PARALLEL = 0.95
"""Cosine: how nearly two robots' axes and links must lie alike for their angles to mean the same."""
WITHIN = 0.999
"""Of a leg's whole length: how far from its hip a foot is put at most."""
WORTH_TELLING = 0.01
"""m."""


@dataclass(frozen=True)
class Retargeted:
    """A clip for another robot, and how well it fits."""

    clip: MotionClip
    foot_error: float
    """How far feet are from where they should be, worst frame, m; 0 by joints."""
    clamped: float
    """Share of frames in which a joint was held to its range."""


def retarget(clip: MotionClip, source: Skeleton, target: Skeleton, method: Method = "feet") -> Retargeted:
    """The clip as the other robot does it; contacts stay.

    Args:
        clip: of the source.
        source: a quadruped.
        target: another.
        method: what is kept, places of feet or angles.

    Raises:
        MotionError: the clip is of another robot, or one of the two is no quadruped with a leg of abduction, hip and
            knee at each corner, straight down where joints are at 0.
    """
    source.refuse_other(clip)
    ours, theirs = legs_of(source), legs_of(target)
    mapped = _mapped(clip, ours, theirs, target)
    clamped = np.clip(mapped, target.lower, target.upper)
    if method == "joints":
        share = float((clamped != mapped).any(axis=1).mean())
        lift = _lift(clip, source, target, clamped)
        done = f"Retargeted from {clip.robot} to {target.name} by joints, the root {100 * lift:+.1f} cm."
        pos = clip.root_pos + np.array((0.0, 0.0, lift))
        return Retargeted(_clip(clip, target, ours, theirs, pos, clamped, clip.cycle, done), 0.0, share)
    scale = sum(leg.length for leg in theirs.values()) / sum(leg.length for leg in ours.values())
    radius_here, radius_there = _radius(source), _radius(target)
    # Heights are measured from where the feet's middles are when they stand.
    pos = scale * (clip.root_pos - (0.0, 0.0, radius_here)) + (0.0, 0.0, radius_there)
    feet = source.feet(clip.root_pos, clip.root_quat, clip.joint_pos)
    goals = np.empty((clip.num_frames, 4, 3))
    heading = from_yaw(yaw_of(clip.root_quat))
    for name in LEGS:
        here, there = ours[name], theirs[name]
        aside = rotate(heading, (there.hip - scale * here.hip) * (1.0, 1.0, 0.0))
        scaled = scale * (feet[:, here.foot] - (0.0, 0.0, radius_here)) + (0.0, 0.0, radius_there)
        goals[:, there.foot] = _within(scaled + aside, pos + rotate(clip.root_quat, there.hip), there.length)
    wanted = np.ones((clip.num_frames, 4), bool)
    joints, errors = reach(target, pos, clip.root_quat, clamped, goals, wanted)
    cycle = Cycle(scale * clip.cycle.x, scale * clip.cycle.y, clip.cycle.heading)
    worst = float(errors.max(initial=0.0))
    off = f"; feet are up to {100 * worst:.1f} cm from where they should be" if worst > WORTH_TELLING else ""
    done = f"Retargeted from {clip.robot} to {target.name} by feet, {scale:.3f} times as large{off}."
    at_limit = (joints <= target.lower + 1e-9) | (joints >= target.upper - 1e-9)
    made = _clip(clip, target, ours, theirs, pos, joints, cycle, done)
    return Retargeted(made, worst, float(at_limit.any(axis=1).mean()))


def _mapped(clip: MotionClip, ours: dict[str, Leg], theirs: dict[str, Leg], target: Skeleton) -> Array:
    """(T, J') The same angles in the other robot's order and senses."""
    joints = np.zeros((clip.num_frames, len(target.joint_names)))
    for name in LEGS:
        here, there = ours[name], theirs[name]
        along = np.einsum("ij,ij->i", here.axes, there.axes)
        straight = [
            float(a @ b) / (np.linalg.norm(a) * np.linalg.norm(b))
            for a, b in ((here.thigh, there.thigh), (here.shank, there.shank))
        ]
        if min(np.abs(along).min(), *straight) < PARALLEL:
            raise MotionError(
                f"{clip.robot} and {target.name} are built too differently: at 0 their {name} legs lie another way, or "
                "turn about other axes"
            )
        joints[:, there.joints] = clip.joint_pos[:, here.joints] * np.sign(along)
    return joints


def _lift(clip: MotionClip, source: Skeleton, target: Skeleton, joints: Array) -> float:
    """How much higher the other robot's root must be for its feet to stand as high as the source's, m."""
    here = source.foot_bottoms(clip.root_pos, clip.root_quat, clip.joint_pos).min(axis=1)
    there = target.foot_bottoms(clip.root_pos, clip.root_quat, joints).min(axis=1)
    return float(np.median(here - there))


def _radius(skeleton: Skeleton) -> float:
    """Of the feet's balls, m."""
    return float(np.mean([skeleton.model.geom_rbound[geoms[0]] for geoms in skeleton.soles]))


def _within(goals: Array, hips: Array, length: float) -> Array:
    """(T, 3) Places of a foot, pulled in to where the leg reaches, m."""
    arm = goals - hips
    far = np.linalg.norm(arm, axis=1, keepdims=True)
    return hips + arm * np.minimum(1.0, WITHIN * length / np.maximum(far, 1e-9))


def _clip(
    clip: MotionClip,
    target: Skeleton,
    ours: dict[str, Leg],
    theirs: dict[str, Leg],
    pos: Array,
    joints: Array,
    cycle: Cycle,
    done: str,
) -> MotionClip:
    contacts = None
    if len(clip.foot_names) == 4:
        contacts = np.empty((clip.num_frames, 4), bool)
        for name in LEGS:
            contacts[:, theirs[name].foot] = clip.contacts[:, ours[name].foot]
    return MotionClip.from_poses(
        clip.name,
        target.name,
        clip.frame_rate,
        pos,
        clip.root_quat,
        target.joint_names,
        joints,
        foot_names=() if contacts is None else target.foot_names,
        contacts=contacts,
        loop=clip.loop,
        cycle=cycle if clip.loop else None,
        licence=clip.licence,
        source=clip.source,
        notes=(*clip.notes, done),
    )
