"""Where the next body comes from: DERL's tournament with ageing, random search, NSGA-II, MAP-Elites.

A search is told of every finished lifetime in the order in which they finished, and of nothing else: told again
after a restart, it stands where it stood.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Protocol

import numpy as np
from deap import tools

from embodied.evolution.archive import Archive
from embodied.evolution.configuration import EvolveConfig
from embodied.evolution.toolbox import Individual


class Search(Protocol):
    """Chooses parents."""

    def remember(self, individual: Individual) -> None:
        """A lifetime finished well."""
        ...

    def parent(self, rng: np.random.Generator) -> Individual | None:
        """Whose mutated child is born next; None for a body anew at random. Asked only once somebody has lived."""
        ...


class Tournament:
    """The best of a few drawn from the most recent. Gupta et al. (2021)."""

    def __init__(self, toolbox: Any, window: int) -> None:
        self._toolbox, self._window = toolbox, window
        self._lived: list[Individual] = []

    def remember(self, individual: Individual) -> None:
        """See `Search`."""
        self._lived = [*self._lived, individual][-self._window :]

    def parent(self, rng: np.random.Generator) -> Individual:
        """See `Search`."""
        with seeded(rng):
            (winner,) = self._toolbox.select(self._lived, 1)
        return winner


class Random:
    """Every body anew: what evolution has to be better than."""

    def remember(self, individual: Individual) -> None:
        """Nothing follows from what lived."""

    def parent(self, rng: np.random.Generator) -> None:
        """See `Search`."""


class Nsga2:
    """Steady-state NSGA-II: as many survivors as the population is large; parents by crowded binary tournament.

    Deb et al. (2002); one child at a time, as Durillo et al. (2009).
    """

    def __init__(self, population: int) -> None:
        self._population = population
        self._survivors: list[Individual] = []

    def remember(self, individual: Individual) -> None:
        """See `Search`."""
        among = [*self._survivors, individual]
        several = len(individual.fitness.wvalues) > 1  # DEAP's quick sorting takes no fewer than two objectives
        self._survivors = tools.selNSGA2(among, min(self._population, len(among)), "log" if several else "standard")

    def parent(self, rng: np.random.Generator) -> Individual:
        """See `Search`."""
        one, two = (self._survivors[i] for i in rng.integers(len(self._survivors), size=2))
        if one.fitness.dominates(two.fitness):
            return one
        if two.fitness.dominates(one.fitness):
            return two
        return one if one.fitness.crowding_dist >= two.fitness.crowding_dist else two


class MapElites:
    """Parents drawn evenly from an archive of the best body of every cell. Mouret and Clune (2015)."""

    def __init__(self) -> None:
        self._archive: Archive[Individual] = Archive()

    def remember(self, individual: Individual) -> None:
        """See `Search`."""
        self._archive.add(individual.description, individual.score, individual)

    def parent(self, rng: np.random.Generator) -> Individual:
        """See `Search`."""
        elites = list(self._archive.elites.values())
        return elites[int(rng.integers(len(elites)))][1]


def make_search(config: EvolveConfig, toolbox: Any) -> Search:
    """The search that a configuration names."""
    match config.search:
        case "tournament":
            return Tournament(toolbox, config.population)
        case "random":
            return Random()
        case "nsga2":
            return Nsga2(config.population)
        case "map-elites":
            return MapElites()


@contextmanager
def seeded(rng: np.random.Generator) -> Iterator[None]:
    """Python's global generator, which DEAP draws from, on a seed from ``rng`` for the length of the block."""
    state = random.getstate()
    random.seed(int(rng.integers(2**63)))
    try:
        yield
    finally:
        random.setstate(state)
