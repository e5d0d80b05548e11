"""Locomotion: the plan of a gait along a course, looped or from a stand to a stand."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from embodied.motion.synthesise.balance import RAMP, forces, loads, sway
from embodied.motion.synthesise.easing import ease
from embodied.motion.synthesise.footfalls import (
    Path,
    between_stands,
    foot_motion,
    footholds,
    neutral_feet,
    stances,
)
from embodied.motion.synthesise.gaits import Gait, blended, landing
from embodied.motion.synthesise.plan import FRAME_RATE, NOWHERE, Plan
from embodied.motion.synthesise.quadruped import GRAVITY, Array, Quadruped
from embodied.motion.velocities import Cycle

FINER = 20
"""Samples to a frame, in which forces are integrated."""
STANDS = 1.5
"""Time that is added before and after a clip that is no loop, in which the robot stands, s."""

SETTLE = 0.5
"""In which the body takes up its sway at the beginning of a clip that is no loop, and leaves it at its end, s."""

Speed = Callable[[Array], Array]
"""Of times, s."""


@dataclass(frozen=True)
class Course:
    """What the body is asked to do."""

    gaits: list[tuple[float, float, Gait]]
    """(from, to, gait): when a gait has been taken up after the one before, s."""
    frames: int
    forward: Speed
    """m/s."""
    sideways: Speed
    """m/s, to the left."""
    turning: Speed
    """rad/s, to the left."""
    strides: int = 0
    """Of a loop: so many fill it. 0 for no loop: as many as the gaits make."""
    go: float = 0.0
    """Of no loop: before this no foot is lifted, s."""
    halt: float = np.inf
    """Of no loop: after this all stand, s."""


@dataclass(frozen=True, eq=False)
class _Legs:
    feet: Array
    """(n, 4, 3) m."""
    contacts: NDArray[np.bool_]
    """(n, 4)."""
    load: Array
    """(n, 4) From 0 to 1."""


def locomotion(robot: Quadruped, course: Course) -> Plan:
    """The plan of a course."""
    loop = course.strides > 0
    step = 1.0 / (FRAME_RATE * FINER)
    count = course.frames * FINER
    # Frames that are looked at lie within more, so that each of their footfalls is known.
    margin = 3 * count // course.strides if loop else round(STANDS / step)
    times = np.asarray(np.arange(-margin, count + margin + 1) * step, dtype=np.float64)
    gait = blended(times, course.gaits)
    path = Path.along(times, course.forward(times), course.sideways(times), course.turning(times))
    phase, stride = _strides(robot, course, times)
    active = np.ones(len(times)) if loop else _active(times, course, stride)
    legs = _legs(robot, course, gait, path, phase, active)

    period = slice(margin, margin + count) if loop else slice(None)
    window = None if loop else round(stride / step)
    centre = float(robot.height + robot.centre[2])
    body = sway(
        step=step,
        force=forces(legs.load[period], (gait["bounce"] * active)[period], window),
        feet=np.stack([path.seen(legs.feet[:, i, :2]) for i in range(4)], axis=1)[period],
        pull=_acceleration(path, step)[period],
        through=(gait["ahead"][period], gait["across"][period]),
        height=centre,
        inertia=robot.inertia,
        loop=loop,
    )

    frames = margin + FINER * np.arange(course.frames + 1)
    rows = (frames - (period.start or 0)) % len(body.up)
    if not loop:
        body = body.faded(_within(times, course.frames / FRAME_RATE))
    place = path.placed(np.column_stack((body.ahead[rows], body.aside[rows])), frames)
    height = centre + ((gait["height"] - 1.0) * active * robot.size)[frames] + body.up[rows]
    position = np.column_stack((place, height))
    turning = (gait["sway"] * active * np.sin(2.0 * np.pi * phase))[frames]
    attitude = np.column_stack((body.roll[rows], body.pitch[rows], path.heading[frames] + turning))
    travelled = position[-1] - position[0]
    return Plan(
        position=position[:-1],
        attitude=attitude[:-1],
        feet=legs.feet[frames[:-1]],
        contacts=legs.contacts[frames[:-1]],
        loop=loop,
        cycle=Cycle(travelled[0], travelled[1], attitude[-1, 2] - attitude[0, 2]) if loop else NOWHERE,
    )


def _strides(robot: Quadruped, course: Course, times: Array) -> tuple[Array, float]:
    """(n,) How many strides have been taken, and the mean duration of one, s."""
    if course.strides > 0:
        stride = course.frames / FRAME_RATE / course.strides
        return times / stride, stride
    keys = [(start, end, gait.stride(robot.size)) for start, end, gait in course.gaits]
    durations = np.full(len(times), keys[0][2])
    for (_, _, old), (start, end, new) in pairwise(keys):
        durations += (new - old) * ease((times - start) / (end - start))
    phase = np.cumsum((times[1] - times[0]) / durations)
    return phase - np.interp(course.go, times, phase), float(durations.mean())


def _legs(robot: Quadruped, course: Course, gait: dict[str, Array], path: Path, phase: Array, going: Array) -> _Legs:
    times = path.times
    loop = course.strides > 0
    ramp = RAMP * float(np.sqrt(robot.size / GRAVITY))
    neutral = neutral_feet(robot)
    feet, contacts, load = [], [], []
    for number, leg in enumerate(robot.legs):
        standing = stances(times, phase - gait[landing(leg)], gait["duty"])
        if not loop:
            # Longer than what is looked at, so that no load is taken up or given off at its ends.
            standing = between_stands(standing, times[0] - 1.0, times[-1] + 1.0, course.go, course.halt)
        outwards = robot.size * going * (gait["straddle"] * (-1.0 if leg.front else 1.0) - gait["narrow"])
        belongs = neutral[number] + np.column_stack((np.zeros(len(times)), outwards if leg.left else -outwards))
        places = footholds(path, standing, belongs, not loop)
        motion, stands = foot_motion(times, standing, places, leg.radius, gait["lift"] * robot.size)
        feet.append(motion)
        contacts.append(stands)
        load.append(loads(times, standing, ramp))
    return _Legs(np.stack(feet, axis=1), np.stack(contacts, axis=1), np.stack(load, axis=1))


def _within(times: Array, seconds: float) -> Array:
    """(n,) 1, but eased from 0 and to 0 at either end: a clip that is no loop begins and ends in a plain stand."""
    return ease(times / SETTLE) * ease((seconds - times) / SETTLE)


def _active(times: Array, course: Course, stride: float) -> Array:
    """(n,) From 0 in a stand to 1 when going."""
    return ease((times - course.go) / stride) * (1.0 - ease((times - course.halt + stride) / stride))


def _acceleration(path: Path, step: float) -> Array:
    """(n, 2) Of a path as seen along it, m/s²."""
    x, y = (np.gradient(np.gradient(each, step), step) for each in (path.x, path.y))
    cosine, sine = np.cos(path.heading), np.sin(path.heading)
    return np.stack((cosine * x + sine * y, -sine * x + cosine * y), axis=1)
