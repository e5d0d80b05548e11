"""Posture clips: standing about, lying, sitting, bowing, and what leads from one to the other."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from embodied.motion.synthesise.easing import Channel, ease
from embodied.motion.synthesise.plan import Plan
from embodied.motion.synthesise.postures import Posture, bow, lie, sit, stand
from embodied.motion.synthesise.quadruped import Array, Quadruped
from embodied.motion.synthesise.routine import Curve, Raised, Routine, Step, Trunk, between, perform

SHUFFLE = 0.3
"""Time of a small step aside or back, s."""


def standing(robot: Quadruped) -> Plan:
    """A loop: shifting the weight, looking to one side, then the other."""
    calm, size, seconds = stand(robot), robot.size, 8.0
    left, right = -0.06 * size, 0.07 * size
    weight = Channel((0.3, 0.0), (1.6, left), (3.2, left), (4.6, right), (6.0, right), (7.5, 0.0))
    trunk = Trunk(
        x=lambda times: calm.x + 0.02 * size * np.sin(2.0 * np.pi * times / seconds),
        y=weight,
        z=_held(calm.z),
        pitch=Channel((0.7, 0.0), (1.4, -0.06), (2.7, -0.03), (3.9, 0.07), (5.4, 0.05), (6.8, 0.0)),
        roll=lambda times: -0.35 * weight(times) / size,
        heading=Channel((0.6, 0.0), (1.3, 0.14), (2.8, 0.14), (3.9, -0.1), (5.6, -0.1), (6.6, 0.0)),
    )
    return perform(robot, Routine(seconds, trunk, calm.feet, loop=True))


def crouching(robot: Quadruped) -> Plan:
    """Down low, watching to both sides, and up again."""
    calm = stand(robot)
    low = Posture(calm.x - 0.02 * robot.size, calm.z - 0.42 * robot.size, 0.06, calm.feet)
    trunk = between([(0.0, 0.4, calm), (1.1, 3.5, low), (4.3, 4.8, calm)], late=0.06)
    look = Channel((1.2, 0.0), (1.7, 0.15), (2.2, 0.15), (2.9, -0.15), (3.3, -0.15), (3.9, 0.0))
    return perform(robot, Routine(4.8, replace(trunk, heading=look), calm.feet))


def shaking(robot: Quadruped) -> Plan:
    """Shaking itself dry: the trunk rolled to and fro, faster than the eye likes to count, dying away."""
    calm = stand(robot)
    braced = Posture(calm.x, calm.z - 0.12 * robot.size, 0.04, calm.feet)
    trunk = between([(0.0, 0.3, calm), (0.7, 2.3, braced), (2.8, 3.2, calm)])
    rate = 3.6 * np.sqrt(0.285 / robot.size)

    def swing(size: float, behind: float) -> Curve:
        def curve(times: Array) -> Array:
            strength = ease((times - 0.6) / 0.5) * (1.0 - ease((times - 1.5) / 0.9))
            return size * strength * np.sin(2.0 * np.pi * rate * (times - 0.6) - behind)

        return curve

    return perform(robot, Routine(3.2, replace(trunk, roll=swing(0.2, 0.0), heading=swing(0.05, 0.9)), calm.feet))


def lying_down(robot: Quadruped) -> Plan:
    """From a stand: the feet apart where they have to be, then down, the fore end first."""
    calm, down = stand(robot), lie(robot)
    steps, ready = _shuffled(robot, calm.feet, down.feet, 0.6)
    trunk = between([(0.0, ready, calm), (ready + 1.5, ready + 2.6, down)])
    pitch = Channel((ready, 0.0), (ready + 0.6, 0.16), (ready + 1.45, 0.0))
    return perform(robot, Routine(ready + 2.6, replace(trunk, pitch=pitch), calm.feet, steps))


def lying(robot: Quadruped) -> Plan:
    """A loop: breathing, and the chest raised to look up once."""
    down = lie(robot)
    ahead = max(leg.root[0] + leg.offset[0] for leg in robot.legs)
    nose = Channel((0.9, 0.0), (1.7, -0.13), (3.2, -0.10), (4.3, 0.0))
    # About the hind hips, whose legs stay as they lie.
    trunk = Trunk(x=_held(down.x), z=lambda times: down.z - ahead * np.sin(nose(times)), pitch=nose)
    return perform(robot, Routine(5.0, trunk, down.feet, loop=True))


def getting_up(robot: Quadruped) -> Plan:
    """From lying: up, the fore end first, then the feet back under the body."""
    calm, down = stand(robot), lie(robot)
    steps, ready = _shuffled(robot, down.feet, calm.feet, 1.75)
    trunk = between([(0.0, 0.5, down), (1.8, ready + 0.8, calm)])
    pitch = Channel((0.45, 0.0), (1.1, -0.2), (1.8, 0.0))
    return perform(robot, Routine(ready + 0.8, replace(trunk, pitch=pitch), down.feet, steps))


def sitting_down(robot: Quadruped) -> Plan:
    """From a stand: the fore feet step back under the chest, then the hind end goes down."""
    calm, seat = stand(robot), sit(robot)
    trunk = between([(0.0, 1.25, calm), (2.35, 3.7, seat)])
    return perform(robot, Routine(3.7, trunk, calm.feet, _fore_steps(robot, seat.feet, 0.6)))


def sitting(robot: Quadruped) -> Plan:
    """A loop: sitting, breathing, looking about."""
    seat = sit(robot)
    look = Channel((0.7, 0.0), (1.3, 0.09), (2.5, 0.09), (3.4, -0.08), (4.7, -0.08), (5.5, 0.0))
    return perform(robot, Routine(6.0, _seated(robot, seat, look), seat.feet, loop=True))


def giving_paw(robot: Quadruped) -> Plan:
    """Sitting, the left fore paw offered, waved a little and put down again."""
    seat, size = sit(robot), robot.size
    paw = next(i for i, leg in enumerate(robot.legs) if leg.front and leg.left)
    raised = Raised(paw, (0.6, 1.2, 2.5, 3.1), np.array((0.45, 0.05, 0.6)) * size, 0.07 * size)
    look = Channel((0.4, 0.0), (1.2, 0.05), (2.5, 0.05), (3.2, 0.0))
    return perform(robot, Routine(3.7, _seated(robot, seat, look), seat.feet, raised=[raised], lean=0.0))


def rising_from_sit(robot: Quadruped) -> Plan:
    """From sitting: up, and the fore feet out again."""
    calm, seat = stand(robot), sit(robot)
    trunk = between([(0.0, 0.5, seat), (1.5, 3.4, calm)])
    return perform(robot, Routine(3.4, trunk, seat.feet, _fore_steps(robot, calm.feet, 1.4)))


def bowing(robot: Quadruped) -> Plan:
    """Chest to the ground, hind end high and wagging, and up again."""
    calm, low = stand(robot), bow(robot)
    trunk = between([(0.0, 0.4, calm), (1.1, 3.1, low), (3.9, 4.4, calm)], late=0.05)

    def wag(times: Array) -> Array:
        strength = ease((times - 1.1) / 0.4) * (1.0 - ease((times - 2.6) / 0.6))
        return 0.11 * strength * np.sin(2.0 * np.pi * 2.1 * (times - 1.1))

    # About the chest, which stays where it is, but for a little up so that the elbows do not scrape.
    chest = max(leg.root[0] for leg in robot.legs) * np.cos(low.pitch)
    wagging = replace(
        trunk,
        y=lambda times: -chest * np.sin(wag(times)),
        z=lambda times: trunk.z(times) + _spared(robot, wag(times)),
        heading=wag,
    )
    return perform(robot, Routine(4.4, wagging, calm.feet))


def _held(value: float) -> Curve:
    return lambda times: np.full(len(times), value)


def _seated(robot: Quadruped, seat: Posture, look: Curve) -> Trunk:
    """Turning where it sits: about the hind hips."""
    behind = min(leg.root[0] for leg in robot.legs) * np.cos(seat.pitch)
    return Trunk(
        x=lambda times: seat.x + behind * (1.0 - np.cos(look(times))),
        y=lambda times: -behind * np.sin(look(times)),
        z=lambda times: seat.z + _spared(robot, look(times)),
        pitch=_held(seat.pitch),
        heading=look,
    )


def _spared(robot: Quadruped, turn: Array) -> Array:
    """(n,) How far up the trunk has to be lest a turn press one side's folded legs into the ground, and a bit, m."""
    aside, blunt = max(leg.root[1] + leg.offset[1] for leg in robot.legs), 0.03
    return 1.3 * aside * (np.hypot(np.sin(turn), blunt) - blunt)


def _shuffled(robot: Quadruped, old: Array, new: Array, start: float) -> tuple[list[Step], float]:
    """Steps of those feet that have to go elsewhere, one after the other, and when they are done, s."""
    order = sorted(range(4), key=lambda i: (robot.legs[i].front, robot.legs[i].left != robot.legs[i].front))
    steps = []
    for number in order:
        if np.linalg.norm(new[number] - old[number]) > 0.0:
            steps.append(Step(number, start, start + SHUFFLE, new[number]))
            start += SHUFFLE + 0.08
    return steps, start


def _fore_steps(robot: Quadruped, feet: Array, start: float) -> list[Step]:
    """The fore feet to their places among (4, 2), one after the other."""
    fore = [i for i, leg in enumerate(robot.legs) if leg.front]
    begins = [start + (SHUFFLE + 0.1) * turn for turn in range(len(fore))]
    return [Step(number, begin, begin + SHUFFLE, feet[number]) for number, begin in zip(fore, begins, strict=True)]
