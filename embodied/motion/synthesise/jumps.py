"""Jumps: crouch, push off, fly freely, land and give way, stand. The centre of mass leads.

Its height is a parabola from the last foot's leaving the ground to the first one's return; before and after,
polynomials of fifth degree that meet the parabola in position, speed and acceleration.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from embodied.motion.synthesise.easing import Channel, ease, hermite
from embodied.motion.synthesise.footfalls import neutral_feet
from embodied.motion.synthesise.plan import FRAME_RATE, Plan
from embodied.motion.synthesise.postures import reach
from embodied.motion.synthesise.quadruped import GRAVITY, Array, Quadruped

STAND, CROUCH, RECOVER, STILL = 0.45, 0.5, 0.65, 0.5
"""Of standing, going down, rising again and standing, s; push, flight and landing take what their speeds ask."""


@dataclass(frozen=True)
class Jump:
    """What kind of jump; lengths by the robot's size."""

    rise: float
    """Of the centre of mass in flight."""
    far: float = 0.0
    """How far ahead the feet land."""
    turn: float = 0.0
    """By what angle to the left, rad."""
    tuck: float = 0.3
    """How far feet are drawn up besides the rise."""
    nose_up: float = 0.08
    """Pitch when leaving the ground, rad; a jump ahead lands with the nose as much down."""
    early: float = 0.0
    """How much sooner than the hind feet the fore feet leave, and land, s."""
    depth: float = 0.36
    """Of the crouch before it."""


def leap(robot: Quadruped, jump: Jump) -> Plan:
    """The plan of a jump from a stand to a stand."""
    size = robot.size
    level = robot.height + float(robot.centre[2])
    hip = robot.hip_height - robot.legs[0].radius
    stretch = min(0.9 * min(map(reach, robot.legs)) - hip, 0.25 * size)
    low, high, landing = level - jump.depth * size, level + stretch, level + 0.4 * stretch
    up = np.sqrt(2 * GRAVITY * jump.rise * size)
    down = np.sqrt(up**2 + 2 * GRAVITY * (high - landing))
    flight = (up + down) / GRAVITY
    push, give = (high - low) / (0.5 * up), 0.2 + 0.1 * jump.rise
    # On whole frames, so that a frame is in flight or is not.
    leave = _whole(STAND + CROUCH + push)
    land = leave + flight
    settle = land + give
    end = settle + RECOVER + STILL
    times = np.asarray(np.arange(round(end * FRAME_RATE) + 1) / FRAME_RATE, dtype=np.float64)
    height = _stages(
        times,
        (leave - push, Channel((STAND, level), (STAND + CROUCH, low))(times)),
        (leave, hermite((times - leave + push) / push, push, (low, 0, 0), (high, up, -GRAVITY))),
        (land, high + up * (times - leave) - 0.5 * GRAVITY * (times - leave) ** 2),
        (settle, hermite((times - land) / give, give, (landing, -down, -GRAVITY), (level - 0.3 * size, 0, 0))),
        (np.inf, Channel((settle, level - 0.3 * size), (settle + RECOVER, level))(times)),
    )
    far = jump.far * size
    # As much of the way is left to push and landing as their times at the speed of the flight would cover, halved.
    speed = far / (flight + 0.45 * (push + give))
    ahead = _stages(
        times,
        (leave - push, 0.0 * times),
        (leave, hermite((times - leave + push) / push, push, (0, 0, 0), (0.45 * push * speed, speed, 0))),
        (land, 0.45 * push * speed + speed * (times - leave)),
        (settle, hermite((times - land) / give, give, (far - 0.45 * give * speed, speed, 0), (far, 0, 0))),
        (np.inf, far + 0.0 * times),
    )
    nose_down = jump.nose_up if far else 0.3 * jump.nose_up
    pitch = Channel(
        (STAND, 0.0),
        (STAND + CROUCH, 0.35 * jump.nose_up),
        (leave, -jump.nose_up),
        (land, nose_down),
        (settle + 0.4 * RECOVER, 0.0),
    )
    heading = jump.turn * ease((times - leave + 0.3 * push) / (flight + 0.3 * push + 0.4 * give))
    feet, contacts = _feet(robot, jump, times, leave, land, far)
    return Plan(
        position=np.column_stack((ahead, np.zeros(len(times)), height)),
        attitude=np.column_stack((np.zeros(len(times)), pitch(times), heading)),
        feet=feet,
        contacts=contacts,
    )


def _feet(
    robot: Quadruped, jump: Jump, times: Array, leave: float, land: float, far: float
) -> tuple[Array, NDArray[np.bool_]]:
    neutral = neutral_feet(robot)
    cosine, sine = np.cos(jump.turn), np.sin(jump.turn)
    turned = neutral @ np.array(((cosine, sine), (-sine, cosine)))
    feet, contacts = np.empty((len(times), 4, 3)), np.empty((len(times), 4), dtype=bool)
    for number, leg in enumerate(robot.legs):
        start = leave - (jump.early if leg.front else 0.0)
        end = land + (0.0 if leg.front else jump.early)
        part = (times - start) / (end - start)
        u = np.clip(part, 0.0, 1.0)
        feet[:, number, :2] = neutral[number] + ease(part)[:, None] * (turned[number] + (far, 0.0) - neutral[number])
        feet[:, number, 2] = leg.radius + (jump.rise + jump.tuck) * robot.size * 16.0 * (u * (1.0 - u)) ** 2
        contacts[:, number] = (part <= 0.0) | (part >= 1.0)
    return feet, contacts


def _stages(times: Array, *stages: tuple[float, Array]) -> Array:
    """(n,) Of each stage's (n,) values those until its end, s."""
    values, begun = np.empty(len(times)), -np.inf
    for end, each in stages:
        inside = (times > begun) & (times <= end)
        values[inside] = each[inside]
        begun = end
    return values


def _whole(time: float) -> float:
    return round(time * FRAME_RATE) / FRAME_RATE
