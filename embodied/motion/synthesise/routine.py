"""Routine: a plan told key by key: the trunk eased between postures, each part in its own time, and feet that step.

The body leans away from a foot that is about to be lifted, as a pendulum over the feet that carry it (see `balance`),
and it breathes.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from embodied.motion.synthesise.balance import RAMP, forces, loads
from embodied.motion.synthesise.easing import Channel, ease, low_pass
from embodied.motion.synthesise.footfalls import Stance, foot_motion
from embodied.motion.synthesise.plan import FRAME_RATE, Plan
from embodied.motion.synthesise.postures import Posture
from embodied.motion.synthesise.quadruped import GRAVITY, Array, Quadruped

Curve = Callable[[Array], Array]
"""Of times, s."""
BREATH = 0.008
"""Rise of the trunk with each breath, by the robot's size."""
BREATHS = 0.4
"""In a second."""
EASE = 0.5
"""In which leaning and breathing set in and end, where a clip is no loop, s."""
FOREVER = 1e3
"""s: longer than any clip."""
STEP_LIFT = 0.16
"""How high feet are lifted in a step, by the robot's size."""


def _none(times: Array) -> Array:
    return np.zeros(len(times))


@dataclass(frozen=True, eq=False)
class Step:
    """A foot that is put elsewhere."""

    leg: int
    start: float
    """s."""
    end: float
    to: Array
    """(2,) m."""
    lift: float = STEP_LIFT
    """By the robot's size."""


@dataclass(frozen=True, eq=False)
class Trunk:
    """Where the trunk's origin is, m, and how it is turned, rad, over time."""

    x: Curve
    z: Curve
    pitch: Curve = _none
    y: Curve = _none
    """From where the weight is in the middle between left and right."""
    roll: Curve = _none
    heading: Curve = _none


@dataclass(frozen=True, eq=False)
class Raised:
    """A foot that is held up for a while and put back."""

    leg: int
    times: tuple[float, float, float, float]
    """When it leaves the ground, is up, goes down and is there again, s."""
    to: Array
    """(3,) How far it is moved, m."""
    wave: float = 0.0
    """How far up and down it is waved while it is up, m."""


@dataclass(frozen=True, eq=False)
class Routine:
    """What the trunk does and which feet step."""

    seconds: float
    trunk: Trunk
    feet: Array
    """(4, 2) Where they are at the beginning, m."""
    steps: list[Step] = field(default_factory=list)
    raised: list[Raised] = field(default_factory=list)
    lean: float = 1.0
    """Share of the leaning away from feet off the ground; less where more than the feet carries it."""
    breath: float = 1.0
    """How deep it breathes; 0 for not at all."""
    loop: bool = False


def between(postures: list[tuple[float, float, Posture]], late: float = 0.0) -> Trunk:
    """The trunk in postures from one time to another each, s.

    Args:
        postures: (from, to, posture), in turn.
        late: how much later than the height the pitch follows, s, so that not everything moves at once.
    """
    curves: dict[str, Channel] = {}
    for name in ("x", "z", "pitch"):
        shift = late if name == "pitch" else 0.0
        keys: list[tuple[float, float]] = []
        for start, end, posture in postures:
            keys += [(start + shift, getattr(posture, name)), (end + shift, getattr(posture, name))]
        curves[name] = Channel(*keys)
    return Trunk(**curves)


def perform(robot: Quadruped, routine: Routine) -> Plan:
    """The plan of a routine."""
    frames = round(routine.seconds * FRAME_RATE) + (0 if routine.loop else 1)
    times = np.asarray(np.arange(frames) / FRAME_RATE, dtype=np.float64)
    parts = [_foot(robot, routine, times, number) for number in range(len(robot.legs))]
    feet, contacts, load = (np.stack(each, axis=1) for each in zip(*parts, strict=True))
    lean = _lean(robot, routine, times, feet[..., :2], load)
    breath = _breath(times, routine) * robot.size
    trunk = routine.trunk
    x, y = trunk.x(times) + lean[:, 0], trunk.y(times) - robot.centre[1] + lean[:, 1]
    return Plan(
        position=np.column_stack((x, y, trunk.z(times) + breath)),
        attitude=np.column_stack((trunk.roll(times), trunk.pitch(times) - 0.8 * breath, trunk.heading(times))),
        feet=feet,
        contacts=contacts,
        leads="trunk",
        loop=routine.loop,
    )


def _foot(robot: Quadruped, routine: Routine, times: Array, number: int) -> tuple[Array, NDArray[np.bool_], Array]:
    """(n, 3) Where a foot is, m, (n,) whether it stands, and (n,) how much it carries."""
    steps = sorted((step for step in routine.steps if step.leg == number), key=lambda step: step.start)
    edges = [-FOREVER, *(each for step in steps for each in (step.start, step.end)), FOREVER]
    standing: list[Stance] = list(zip(edges[::2], edges[1::2], strict=True))
    places = np.array([routine.feet[number], *(step.to for step in steps)])
    lift = np.zeros(len(times))
    for step in steps:
        lift[(times >= step.start) & (times <= step.end)] = step.lift * robot.size
    feet, stands = foot_motion(times, standing, places, robot.legs[number].radius, lift)
    ramp = RAMP * float(np.sqrt(robot.size / GRAVITY))
    load = loads(times, standing, ramp)
    for each in (each for each in routine.raised if each.leg == number):
        leave, back = each.times[0], each.times[3]
        feet += _held_up(times, each)
        stands &= (times <= leave) | (times >= back)
        load = np.minimum(load, loads(times, [(-FOREVER, leave), (back, FOREVER)], ramp))
    return feet, stands, load


def _lean(robot: Quadruped, routine: Routine, times: Array, feet: Array, load: Array) -> Array:
    """(n, 2) How far the trunk leans to the feet that carry it, m; at either end of what is no loop it does not."""
    force = forces(load, np.zeros(len(times)), None)
    pressure = routine.lean * (np.einsum("ni,nik->nk", force, feet) - feet.mean(axis=1))
    lean = low_pass(pressure, 1.0 / FRAME_RATE, float(np.sqrt(GRAVITY / robot.size)))
    return lean if routine.loop else lean * _within(times, routine.seconds)[:, None]


def _held_up(times: Array, raised: Raised) -> Array:
    """(n, 3) m."""
    leave, up, down, back = raised.times
    there = ease((times - leave) / (up - leave)) * (1.0 - ease((times - down) / (back - down)))
    moved = there[:, None] * raised.to
    inside = ease((times - up) / 0.3) * (1.0 - ease((times - down + 0.3) / 0.3))
    moved[:, 2] += raised.wave * inside * np.sin(2.0 * np.pi * 1.8 * (times - up))
    return moved


def _breath(times: Array, routine: Routine) -> Array:
    """(n,) By the robot's size; a whole number of breaths in a loop, none at the ends of what is none."""
    count = max(1, round(routine.seconds * BREATHS))
    wave = 0.5 - 0.5 * np.cos(2.0 * np.pi * count * times / routine.seconds)
    if not routine.loop:
        wave *= _within(times, routine.seconds)
    return routine.breath * BREATH * wave


def _within(times: Array, seconds: float) -> Array:
    """(n,) 1, but eased from 0 and to 0 at either end."""
    return ease(times / EASE) * ease((seconds - times) / EASE)
