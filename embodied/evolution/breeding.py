"""Breeding: who is born under which number, one at a time or many at once, and then also in broods.

A birth follows from the run's seed, its number, and what had lived when it was bred.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Any

import numpy as np

from embodied.evolution.configuration import EvolveConfig
from embodied.evolution.ledger import Birth
from embodied.evolution.search import Search
from embodied.evolution.toolbox import Individual
from embodied.runs.seeds import generator_seed, stream
from morphologies import Genome, Mutation, MutationFailed, fingerprint, to_json

INITIAL, CHILD, LIFETIME, EVALUATION = range(4)
"""Streams of randomness below a run's seed."""
SAME_TOPOLOGY = frozenset(("limb_params", "density", "joint_angle", "gear"))
"""Mutation operators that change numbers alone: a child has the topology of its parent."""


class Breeding:
    """Makes births for one run."""

    def __init__(self, config: EvolveConfig, toolbox: Any, search: Search) -> None:
        """Draws nothing yet.

        Args:
            config: of the run.
            toolbox: of `make_toolbox`.
            search: chooses parents; somebody else tells it who lived.
        """
        self._config, self._toolbox, self._search = config, toolbox, search

    @cached_property
    def initial(self) -> list[Genome]:
        """The first bodies; drawing them takes some 30 ms a candidate, so it is left until they are needed."""
        config = self._config
        return self._toolbox.population(config.population, np.random.default_rng(stream(config.seed, INITIAL)))

    def one(self, number: int) -> Birth:
        """The birth of that number. Children are bred only once somebody has lived."""
        return self._births([number], brood=1)[0]

    def many(self, numbers: Sequence[int]) -> list[Birth]:
        """Births that are bred together, from the same lives, in broods and with their limbs in aligned order.

        Each child's parent and operator are drawn as ever. But of those whose operator changes numbers alone, so many
        in a row as a brood is large have the first one's parent, and with it one topology: siblings are alike more
        often than they would be by chance, while what any single one of them is likely to be stays the same.
        """
        return self._births(numbers, self._config.brood, self._toolbox.align)

    def _births(
        self, numbers: Sequence[int], brood: int, order: Callable[[Genome], Genome] = lambda genome: genome
    ) -> list[Birth]:
        births, shared, left = [], None, 0
        for number in numbers:
            rng = np.random.default_rng(stream(self._config.seed, CHILD, number))
            if number < self._config.population:
                births.append(self._birth(number, None, order(self.initial[number])))
                continue
            parent = self._search.parent(rng)
            if parent is None:
                births.append(self._birth(number, None, order(self._toolbox.body(rng))))
                continue
            mutation = self._toolbox.mutate(parent.genome, rng)
            if brood > 1 and mutation.operator in SAME_TOPOLOGY:
                if left:
                    assert shared is not None
                    parent, mutation = shared, self._mutated_alike(shared, mutation.operator, rng)
                else:
                    shared, left = parent, brood
                left -= 1
            births.append(self._birth(number, parent, order(mutation.child), mutation))
        return births

    def _mutated_alike(self, parent: Individual, operator: str, rng: np.random.Generator) -> Mutation:
        try:
            return self._toolbox.apply(operator, parent.genome, rng)
        except MutationFailed:
            return self._toolbox.mutate(parent.genome, rng)

    def _birth(self, number: int, parent: Individual | None, genome: Genome, mutation: Mutation | None = None) -> Birth:
        return Birth(
            id=number,
            parent=parent.lifetime if parent else None,
            generation=parent.generation + 1 if parent else 0,
            operator=mutation.operator if mutation else None,
            attempts=mutation.attempts if mutation else 1,
            failed_operators=mutation.failed if mutation else {},
            genome=to_json(genome),
            fingerprint=fingerprint(genome),
            seed=generator_seed(stream(self._config.seed, LIFETIME, number)),
        )
