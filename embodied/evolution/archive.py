"""An archive of elites over what bodies are like: the best body of every cell. Mouret and Clune (2015).

Serves MAP-Elites as its population, and every search as its measure of diversity.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Generic, TypeVar

Elite = TypeVar("Elite")
Cell = tuple[int, ...]


@dataclass(frozen=True)
class Axis:
    """One descriptor, cut into bins of equal width; what lies beyond an end belongs to the last bin there."""

    name: str
    """Of `morphologies.Description`."""
    low: float
    high: float
    bins: int

    def bin_of(self, value: float) -> int:
        """The bin's number, from 0."""
        return min(max(math.floor((value - self.low) / (self.high - self.low) * self.bins), 0), self.bins - 1)


AXES = (Axis("limbs", 1.5, 10.5, 9), Axis("height", 0.1, 1.3, 8))
"""Number of limbs, 2 to 10, and extent along z in the rest pose, m, in steps of 0.15."""
CELLS = math.prod(axis.bins for axis in AXES)


def cell_of(description: Mapping[str, float]) -> Cell:
    """The cell of a body with these descriptors."""
    return tuple(axis.bin_of(description[axis.name]) for axis in AXES)


class Archive(Generic[Elite]):
    """The best of every cell that was reached."""

    def __init__(self) -> None:
        self.elites: dict[Cell, tuple[float, Elite]] = {}
        """Fitness and elite by cell, in the order in which cells were first reached."""

    def add(self, description: Mapping[str, float], fitness: float, elite: Elite) -> bool:
        """Takes a body in if its cell is empty or its own is better; returns whether it did."""
        cell = cell_of(description)
        if cell in self.elites and self.elites[cell][0] >= fitness:
            return False
        self.elites[cell] = (fitness, elite)
        return True

    @property
    def coverage(self) -> float:
        """Part of the cells that were reached."""
        return len(self.elites) / CELLS

    @property
    def quality_diversity(self) -> float:
        """Sum of the elites' fitness, negative ones counted as 0. Pugh et al. (2016)."""
        return sum(max(fitness, 0.0) for fitness, _ in self.elites.values())


def clusters_in_use(descriptions: Iterable[Mapping[str, float]]) -> int:
    """How many cells some bodies fill."""
    return len({cell_of(description) for description in descriptions})
