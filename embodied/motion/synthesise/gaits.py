"""Gaits: when feet stand and how they swing, in numbers without dimension, so that they fit robots of any size.

Symmetrical gaits are told by two numbers, after Hildebrand, "Symmetrical gaits of dogs in relation to body build"
(Journal of Morphology 124, 1968): the part of a stride that a foot is on the ground (duty factor), and the part of a
stride by which a fore foot follows the hind foot of its side: 0 in a pace, a quarter in a walk of four even beats, half
in a trot. Asymmetrical ones follow Hildebrand, "Analysis of asymmetrical gaits" (Journal of Mammalogy 58, 1977): a
bound with both hind and both fore feet together, a rotary gallop with the feet in turn, circling the body. Duty factors
fall with speed as Maes and others measured on dogs, "Steady locomotion in dogs" (Journal of Experimental Biology 211,
2008).

Speeds are told by Froude numbers, speed² / (gravity x hip height), and lengths of strides follow from them after
Alexander and Jayes, "A dynamic similarity hypothesis for the gaits of quadrupedal mammals" (Journal of Zoology 201,
1983).
"""

from __future__ import annotations

import math
from dataclasses import dataclass, fields
from itertools import pairwise

import numpy as np

from embodied.motion.synthesise.easing import ease
from embodied.motion.synthesise.quadruped import GRAVITY, Array, Leg


@dataclass(frozen=True)
class Gait:
    """When feet stand, as parts of a stride, and how the body goes with it."""

    froude: float
    """Of the speed it is made for."""
    duty: float
    """Part of a stride that each foot stands."""
    left_hind: float = 0.0
    """When in the stride each foot comes down."""
    right_hind: float = 0.5
    left_fore: float = 0.5
    right_fore: float = 1.0
    lift: float = 0.22
    """How high feet are lifted, by the robot's size."""
    height: float = 1.0
    """Of the hips: 1 when standing, 0 a size lower."""
    bounce: float = 1.0
    """Share of what the legs' forces do to the body's height; needed in full where there is a flight."""
    ahead: float = 1.0
    """Share of the legs' forces that goes through the centre of mass, seen from the side; the rest pitches it."""
    across: float = 1.0
    """Ditto, seen from behind; the rest rolls it."""
    sway: float = 0.03
    """The trunk's turning with the legs, once a stride to each side, rad."""
    straddle: float = 0.0
    """How much wider the hind feet come down than in a stand, and how much narrower the fore feet, by the robot's size:
    where they reach past each other they must not meet."""
    narrow: float = 0.0
    """How much nearer to the middle all feet come down than in a stand, by the robot's size: the body sways less."""
    quick: float = 1.0
    """Strides in a second, by what Alexander and Jayes have for the speed."""

    def speed(self, size: float) -> float:
        """m/s."""
        return math.sqrt(self.froude * GRAVITY * size)

    def stride(self, size: float) -> float:
        """Its duration, s. The stride is 2.4 Froude^0.34 hip heights long; below a slow walk it gets no slower."""
        froude = max(self.froude, 0.1)
        length = 2.4 * froude**0.34 * size
        return length / (math.sqrt(froude * GRAVITY * size) * self.quick)


def landing(leg: Leg) -> str:
    """Which of a gait's numbers says when a leg comes down."""
    return f"{'left' if leg.left else 'right'}_{'fore' if leg.front else 'hind'}"


def symmetrical(froude: float, duty: float, lag: float, **others: float) -> Gait:
    """A gait whose fore feet follow the hind feet of their side by a part of a stride."""
    return Gait(froude, duty, 0.0, 0.5, lag, 0.5 + lag, **others)


WALK = symmetrical(
    0.14, 0.66, 0.22, lift=0.17, bounce=0.6, height=1.03, ahead=0.85, across=0.95, sway=0.035, narrow=0.08
)
"""Lateral sequence, as dogs walk: two or three feet on the ground."""
TROT = symmetrical(0.5, 0.45, 0.5, lift=0.22, height=1.04, ahead=0.8, sway=0.02, narrow=0.06)
"""Diagonal pairs, with a short flight between them."""
FLYING_TROT = symmetrical(1.0, 0.36, 0.5, lift=0.26, height=1.05, ahead=0.8, sway=0.015, straddle=0.06, narrow=0.06)
"""Faster, with a flight that is seen."""
JOG = symmetrical(0.4, 0.52, 0.5, lift=0.2, height=1.03, ahead=0.8, sway=0.02, bounce=0.8, narrow=0.06)
"""A trot without a flight."""
AMBLE = symmetrical(0.25, 0.56, 0.47, lift=0.2, bounce=0.4, sway=0.025)
"""Slower still, for turning, side-stepping and backing up."""
PACE = symmetrical(0.35, 0.50, 0.03, lift=0.2, height=1.02, across=0.96, sway=0.015, quick=1.15, narrow=0.12)
"""Feet of one side together; the body sways from side to side."""
BOUND = Gait(0.9, 0.36, 0.0, 0.02, 0.48, 0.50, lift=0.26, height=1.0, ahead=0.55, sway=0.0, straddle=0.06)
"""Both hind feet, then both fore feet, with a flight after each pair."""
GALLOP = Gait(
    1.9, 0.27, 0.0, 0.13, 0.62, 0.49, lift=0.3, height=1.0, ahead=0.6, across=0.95, sway=0.0, straddle=0.1, narrow=0.03
)
"""Rotary: left hind, right hind, right fore, left fore; one flight gathered, one stretched."""
CREEP = symmetrical(0.02, 0.80, 0.25, lift=0.13, height=0.68, bounce=0.0, sway=0.02, quick=0.62)
"""Three feet or four on the ground, the weight always among them, the body low."""


def blended(times: Array, keys: list[tuple[float, float, Gait]]) -> dict[str, Array]:
    """(n,) values of each of a gait's numbers; (from, to, gait) says when one is taken up after the one before, s."""
    numbers = {}
    for field in fields(Gait):
        values = np.full(len(times), getattr(keys[0][2], field.name))
        for (_, _, old), (start, end, new) in pairwise(keys):
            change = getattr(new, field.name) - getattr(old, field.name)
            values += change * ease((times - start) / (end - start))
        numbers[field.name] = values
    return numbers
