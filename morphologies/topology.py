"""Topology: what two body plans must share for their bodies to be simulated as one model with other numbers.

A model that is shared between worlds has one tree, one set of joints, motors and sensors, and one list of geoms that
may not touch. All that is left of a body plan - lengths, directions, sites, axes, ranges, gears, densities - is numbers
that may differ from world to world. Which side a limb is on, and whether two limbs are a mirrored pair, changes
nothing of that.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from morphologies.genome import Genome, Limb, Path, canonical
from morphologies.skeleton import instances, twins, twins_overlap
from morphologies.unimal import UNIMAL, DesignSpace


def topology(genome: Genome, space: DesignSpace = UNIMAL) -> str:
    """The topology in words: two bodies' are equal exactly when one model can hold both, once they are `aligned`.

    Each limb is the number of its hinges, followed by what grows on it in parentheses; ``=`` joins the two of a pair
    that overlap where they grow and so may touch. ``1(2)1(2)`` is a head with two limbs of one hinge that carry one of
    two hinges each.
    """
    return _grown(genome.limbs, (), _joined(genome, space))


def aligned(genome: Genome, space: DesignSpace = UNIMAL) -> Genome:
    """The same body plan with its siblings in an order in which bodies of one topology develop limb by limb alike."""
    genome = canonical(genome)  # among siblings that are built alike, the order is by their values
    joined = _joined(genome, space)

    def ordered(limbs: tuple[Limb, ...], path: Path) -> tuple[Limb, ...]:
        words = [_words(limb, (*path, number), joined)[0] for number, limb in enumerate(limbs)]
        order = sorted(range(len(limbs)), key=words.__getitem__)
        return tuple(replace(limbs[i], limbs=ordered(limbs[i].limbs, (*path, i))) for i in order)

    return replace(genome, limbs=ordered(genome.limbs, ()))


Joined = Callable[[Path], bool]
"""Whether a group is a pair whose limbs are kept from touching each other."""


def _joined(genome: Genome, space: DesignSpace) -> Joined:
    pairs = {left.path: twins_overlap(left, space) for left, _ in twins(instances(genome, space))}
    return lambda path: pairs.get(path, False)


def _grown(limbs: tuple[Limb, ...], path: Path, joined: Joined) -> str:
    """All that grows in one place."""
    return "".join(sorted(word for i, limb in enumerate(limbs) for word in _words(limb, (*path, i), joined)))


def _words(limb: Limb, path: Path, joined: Joined) -> list[str]:
    """A group's limbs; a pair that is joined is one word, any other pair two equal ones."""
    grown = _grown(limb.limbs, path, joined)
    one = f"{len(limb.hinges)}({grown})" if grown else f"{len(limb.hinges)}"
    if not limb.mirrored:
        return [one]
    return [f"{one}={one}"] if joined(path) else [one, one]
