"""Bodies of one topology that differ in all else, with their limbs in aligned order."""

import numpy as np

from morphologies import Hinge, Limb, body_from_genome, random_genome
from morphologies.genome import Genome
from morphologies.mutate import apply_operator
from morphologies.topology import aligned

THIGH = Limb("head", 45, 90, 0.2, (Hinge("x", (-30, 30), 150), Hinge("y", (-60, 60), 300)), mirrored=True)
SHANK = Limb("end", 0, 180, 0.3, (Hinge("y", (-90, 0), 200),))
SHORT_SHANK = Limb("middle", 0, 180, 0.2, (Hinge("y", (0, 90), 150),))
LONG_SHANK = Limb("end", 180, 135, 0.4, (Hinge("x", (0, 45), 250),))
TAIL = Limb("head", 180, 90, 0.4, (Hinge("y", (-30, 30), 150),))
OTHER_TAIL = Limb("head", 0, 135, 0.2, (Hinge("x", (-60, 30), 300),))


def _legs(shank, **changes):
    return Limb(**{**{name: getattr(THIGH, name) for name in Limb.__slots__}, "limbs": (shank,), **changes})


KIN = (
    Genome(500, 500, (_legs(SHANK), TAIL)),
    Genome(1000, 600, (OTHER_TAIL, _legs(LONG_SHANK, theta=90, height=0.3))),
    Genome(700, 1000, (_legs(SHORT_SHANK, theta=135, height=0.4), OTHER_TAIL)),
)
"""Three of one topology, ``1`` and two ``2(1)``, in different orders."""


def kin_bodies():
    """Three bodies, seven hinges each."""
    return [body_from_genome(aligned(genome), f"kin{number}") for number, genome in enumerate(KIN)]


def drifting(seed, generations):
    """A random genome and its descendants by operators that change numbers alone."""
    rng = np.random.default_rng(seed)
    line = [random_genome(rng)]
    for name in rng.choice(["limb_params", "density", "joint_angle", "gear"], generations):
        line.append(apply_operator(str(name), line[-1], rng).child)
    return line
