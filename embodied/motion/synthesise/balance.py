"""Balance: how the body moves on the feet that carry it, from the forces that standing feet give.

Each foot pushes up with a half sine over a short stance, as Alexander, Maloiy, Hunter, Jayes and Nturibi take the feet
of running mammals to do ("Mechanical stresses in fast locomotion of buffalo and elephant", Journal of Zoology 189,
1979), and with a flat top over a long one. From these forces follow

- the height: the sum of the forces against the weight, so in flight the body falls freely;
- the sway: a linear inverted pendulum (Kajita and others, "The 3D linear inverted pendulum mode", 2001) over the centre
  of pressure, solved for the one motion that stays bounded; slow gaits thereby keep the weight over the feet;
- pitch and roll: what of the forces does not go through the centre of mass turns the body by its own inertia.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np

from embodied.motion.synthesise.easing import low_pass, twice_integrated
from embodied.motion.synthesise.footfalls import Stance
from embodied.motion.synthesise.quadruped import GRAVITY, Array

RAMP = 1.1
"""Longest time in which a foot takes up its load or gives it off, by sqrt(hip height / gravity)."""
FORGET = 10.0
"""rad/s: what changes more slowly than this, in clips that are no loops, leaves height and attitude as planned. Gaits
of such clips have no flight, which would not be quite free."""


def loads(times: Array, standing: list[Stance], ramp: float) -> Array:
    """(n,) How much a foot carries, from 0 to 1, by its stances alone.

    Args:
        times: (n,) s.
        standing: its stances.
        ramp: longest time to take up or give off the load, s.
    """
    load = np.zeros(len(times))
    for down, up in standing:
        rise = min(ramp, 0.5 * (up - down))
        nearest = np.minimum(times - down, up - times) / rise
        load += np.sin(0.5 * np.pi * np.clip(nearest, 0.0, 1.0))
    return load


def forces(load: Array, share: Array, window: int | None) -> Array:
    """(n, 4) Upward forces of the feet, by the robot's weight.

    Args:
        load: (n, 4) of the feet.
        share: (n,) 1 lets the sum of the forces rise and fall with the feet on the ground, and with it the body; 0
            lets the feet carry the weight at each moment.
        window: samples over which the sum is the weight on average; None for a loop, where it is over all of it.
    """
    total = load.sum(axis=1, keepdims=True)
    if window is None:
        mean = np.full_like(total, total.mean())
    else:
        kernel = np.hanning(window + 2)[1:-1]
        padded = np.pad(total[:, 0], window // 2 + 1, mode="edge")
        mean = np.convolve(padded, kernel / kernel.sum(), mode="same")[window // 2 + 1 :][: len(total), None]
    even = load / np.maximum(total, 1e-9)
    return (1.0 - share[:, None]) * even + share[:, None] * load / mean


@dataclass(frozen=True, eq=False)
class Sway:
    """(n,) What the body does on top of the plain path: ahead, aside and up, m, roll and pitch, rad."""

    ahead: Array
    aside: Array
    up: Array
    roll: Array
    pitch: Array

    def faded(self, share: Array) -> Sway:
        """An (n,) share of it."""
        return Sway(*(getattr(self, each.name) * share for each in fields(self)))


def sway(
    step: float,
    force: Array,
    feet: Array,
    pull: Array,
    through: tuple[Array, Array],
    height: float,
    inertia: Array,
    loop: bool,
) -> Sway:
    """How the body answers the forces of its feet.

    Args:
        step: between the n samples, s.
        force: (n, 4) by the robot's weight.
        feet: (n, 4, 2) as seen from the body's place on the path, m.
        pull: (n, 2) acceleration of the path itself as seen from there, m/s².
        through: (n,) shares of the forces that go through the centre of mass, ahead and across.
        height: of the centre of mass, m.
        inertia: (3,) squares of the radii of gyration, m².
        loop: whether the samples are one period; else they begin and end in a stand.
    """
    corner = np.sqrt(GRAVITY / height)
    moment = np.einsum("ni,nik->nk", force, feet)
    shared = moment * np.stack(through, axis=1)
    lean = low_pass(shared + pull / corner**2, step, float(corner))
    forget = 0.0 if loop else FORGET
    turn = GRAVITY * (moment - shared)
    return Sway(
        ahead=lean[:, 0],
        aside=lean[:, 1],
        up=twice_integrated(GRAVITY * (force.sum(axis=1) - 1.0), step, forget),
        roll=twice_integrated(turn[:, 1] / inertia[0], step, forget),
        pitch=twice_integrated(-turn[:, 0] / inertia[1], step, forget),
    )
