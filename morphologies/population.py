"""Random initial bodies, and the first generation of an evolution without near-duplicates."""

from __future__ import annotations

import numpy as np

from morphologies.genome import Genome, limb_count
from morphologies.mutate import MutationFailed, apply_operator, mutate
from morphologies.serialise import fingerprint
from morphologies.skeleton import instances
from morphologies.unimal import UNIMAL, DesignSpace

ShapeKey = tuple[tuple[float, ...], ...]


def random_genome(rng: np.random.Generator, space: DesignSpace = UNIMAL) -> Genome:
    """A head, one grown group, then random mutations until the limbs reach a target drawn from the space. DERL."""
    while True:
        head = Genome(int(rng.choice(space.densities)), int(rng.choice(space.densities)))
        target = int(rng.choice(space.initial_limbs))
        try:
            # The first group may be a single limb, fewer than a finished body needs: only its shape is tested.
            genome = apply_operator("grow_limb", head, rng, space, acceptable=lambda genome, space: None).child
            while limb_count(genome) < target:
                genome = (
                    mutate(genome, rng, space).child
                    if limb_count(genome) >= space.min_limbs
                    else apply_operator("grow_limb", genome, rng, space).child
                )
        except MutationFailed:
            continue  # a dead end of this draw; take another
        return genome


def shape_key(genome: Genome, space: DesignSpace = UNIMAL) -> ShapeKey:
    """The directions of all limbs, sorted: equal keys are what DERL calls the same shape.

    DERL compares two bodies of equal limb count by an assignment between limb orientations, cost below 0.2. The
    directions of the space are 45 degrees apart, so a cost below 0.2 means equal sets, which a hash finds without
    comparing every pair.
    """
    return tuple(sorted((*(float(x) for x in np.round(limb.direction, 6)),) for limb in instances(genome, space)))


def initial_population(
    size: int, rng: np.random.Generator, space: DesignSpace = UNIMAL, candidates_each: int = 10
) -> list[Genome]:
    """``size`` bodies, all different: one per shape as far as the candidates reach, then other bodies of known shapes.

    Args:
        candidates_each: how many candidates are drawn per body wanted. DERL, 10.
    """
    by_shape: dict[ShapeKey, Genome] = {}
    spare: list[Genome] = []
    for _ in range(size * candidates_each):
        genome = random_genome(rng, space)
        if by_shape.setdefault(shape_key(genome, space), genome) is not genome:
            spare.append(genome)
        if len(by_shape) == size:
            break
    chosen = list(by_shape.values())
    known = {fingerprint(genome) for genome in chosen}
    while len(chosen) < size:
        genome = spare.pop() if spare else random_genome(rng, space)
        if fingerprint(genome) not in known:
            known.add(fingerprint(genome))
            chosen.append(genome)
    return chosen
