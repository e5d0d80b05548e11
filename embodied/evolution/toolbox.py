"""The evolutionary vocabulary: DEAP's toolbox with the operators of `morphologies` registered.

DEAP's selection draws from Python's global generator; `seeded` lends it ours and gives the old state back.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import numpy as np
from deap import base, tools

from morphologies import UNIMAL, DesignSpace, Genome, initial_population, mutate


class Fitness(base.Fitness):
    """One objective, the larger the better."""

    weights = (1.0,)


@dataclass
class Individual:
    """A body that lived: what tournaments are held among."""

    lifetime: int
    genome: Genome
    generation: int
    fitness: Fitness = field(default_factory=Fitness)


def make_toolbox(tournament: int, space: DesignSpace = UNIMAL) -> base.Toolbox:
    """A toolbox with ``population(size, rng)``, ``mutate(genome, rng)`` and ``select(individuals, k)``."""
    toolbox = base.Toolbox()
    toolbox.register("population", initial_population, space=space)
    toolbox.register("mutate", mutate, space=space)
    toolbox.register("select", tools.selTournament, tournsize=tournament)
    return toolbox


@contextmanager
def seeded(rng: np.random.Generator) -> Iterator[None]:
    """Python's global generator on a seed from ``rng`` for the length of the block."""
    state = random.getstate()
    random.seed(int(rng.integers(2**63)))
    try:
        yield
    finally:
        random.setstate(state)
