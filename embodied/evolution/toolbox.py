"""The evolutionary vocabulary: DEAP's toolbox with the operators of `morphologies` registered."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from deap import base, tools

from embodied.evolution.configuration import OBJECTIVES
from morphologies import UNIMAL, DesignSpace, Genome, apply_operator, initial_population, mutate, random_genome
from morphologies.topology import aligned, topology


@dataclass
class Individual:
    """A body that lived."""

    lifetime: int
    genome: Genome
    generation: int
    score: float
    """Its fitness as a number."""
    description: Mapping[str, float]
    fitness: base.Fitness
    """What is selected on; several objectives where a search has them."""


def make_fitness(objectives: Sequence[str], figures: Mapping[str, float | None]) -> base.Fitness:
    """DEAP's fitness over named objectives; a figure that is not there counts as the worst."""
    weights = tuple(OBJECTIVES[name] for name in objectives)
    values = [figures[name] for name in objectives]
    return _kind(weights)([-math.inf * w if v is None else v for v, w in zip(values, weights, strict=True)])


_KINDS: dict[tuple[float, ...], type[base.Fitness]] = {}


def _kind(weights: tuple[float, ...]) -> type[base.Fitness]:
    if weights not in _KINDS:
        _KINDS[weights] = type("Fitness", (base.Fitness,), {"weights": weights})
    return _KINDS[weights]


def make_toolbox(tournament: int, space: DesignSpace = UNIMAL) -> base.Toolbox:
    """A toolbox: ``population(size, rng)``, ``body(rng)``, ``mutate(genome, rng)``, ``apply(operator, genome, rng)``,
    ``align(genome)``, ``topology(genome)``, ``select(individuals, k)``."""
    toolbox = base.Toolbox()
    toolbox.register("population", initial_population, space=space)
    toolbox.register("body", random_genome, space=space)
    toolbox.register("mutate", mutate, space=space)
    toolbox.register("apply", apply_operator, space=space)
    toolbox.register("align", aligned, space=space)
    toolbox.register("topology", topology, space=space)
    toolbox.register("select", tools.selTournament, tournsize=tournament)
    return toolbox
