"""Gait clips: the courses of all clips that are gaits, looped ones and those from a stand to a stand.

Speeds and times are told without dimension, so that every robot gets its own. Within a loop of several strides the
speed rises and falls a little, as no animal's is constant.
"""

from __future__ import annotations

import numpy as np

from embodied.motion.synthesise.easing import Channel
from embodied.motion.synthesise.gaits import Gait
from embodied.motion.synthesise.locomotion import Course, Speed, locomotion
from embodied.motion.synthesise.plan import FRAME_RATE, Plan
from embodied.motion.synthesise.quadruped import Quadruped

LIVELY = 0.06
"""Part of the mean speed by which it changes within a loop."""


def steady(
    robot: Quadruped,
    gait: Gait,
    seconds: float,
    ahead: float = 1.0,
    aside: float = 0.0,
    turns: float = 0.0,
    lively: float = LIVELY,
) -> Plan:
    """A loop of whole strides.

    Args:
        robot: whose.
        gait: which.
        seconds: about how long.
        ahead: speed forward, by the gait's.
        aside: speed to the left, by the gait's.
        turns: turn to the left over the whole loop, rad.
        lively: part of the speed by which it changes within the loop.
    """
    strides = max(2, round(seconds / gait.stride(robot.size)))
    frames = round(strides * gait.stride(robot.size) * FRAME_RATE)
    period = frames / FRAME_RATE
    speed = gait.speed(robot.size)

    def changing(mean: float) -> Speed:
        return lambda times: mean * (1.0 + lively * np.sin(2.0 * np.pi * times / period))

    course = Course(
        gaits=[(0.0, 0.0, gait)],
        frames=frames,
        forward=changing(ahead * speed),
        sideways=changing(aside * speed),
        turning=lambda times: np.full(len(times), turns / period),
        strides=strides,
    )
    return locomotion(robot, course)


def excursion(
    robot: Quadruped,
    gaits: list[Gait],
    seconds_each: float,
    turning: tuple[tuple[float, float], ...] = ((0.0, 0.0),),
) -> Plan:
    """From a stand through one gait after another to a stand.

    Args:
        robot: whose.
        gaits: in turn.
        seconds_each: how long each is kept, changes of gait included.
        turning: keys of time, as a part of the clip, and turning, rad/s, between which is eased.
    """
    size = robot.size
    rest, ease_in = 0.5, 2.2 * gaits[0].stride(size)
    end = rest + seconds_each * len(gaits) + 0.3
    total = end + rest
    change = 0.7
    keys = [(0.0, 0.0, gaits[0])]
    speeds = [(rest, 0.0), (rest + ease_in, gaits[0].speed(size))]
    for number, gait in enumerate(gaits[1:], start=1):
        at = rest + number * seconds_each
        keys.append((at - change, at + change, gait))
        speeds += [(at - change, gaits[number - 1].speed(size)), (at + change, gait.speed(size))]
    slowing = 2.2 * gaits[-1].stride(size)
    speeds += [(end - slowing, gaits[-1].speed(size)), (end, 0.0)]
    forward = Channel(*speeds)
    course = Course(
        gaits=keys,
        frames=round(total * FRAME_RATE),
        forward=forward,
        sideways=lambda times: np.zeros(len(times)),
        turning=Channel(*((part * total, rate) for part, rate in turning)),
        go=rest,
        halt=end + 0.1,
    )
    return locomotion(robot, course)
