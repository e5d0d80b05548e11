"""How many kinds of bodies there are, and how good each is: cells as `embodied.evolution.archive` cuts them."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import numpy as np

from embodied.evolution.archive import AXES, Archive, Cell, cell_of
from embodied.report.history import History, Life

Elites = Archive[Life]


@dataclass(frozen=True)
class Diversity:
    """Diversity after each lifetime that ended well, (n,) each."""

    coverage: np.ndarray
    """Part of the cells that were reached."""
    quality_diversity: np.ndarray
    """Sum over cells of the best fitness there."""
    clusters: np.ndarray
    """Cells that the living fill; the living are the last lifetimes, as many as the population is large."""


def elites(history: History) -> Elites:
    """The best body of every cell. A body without descriptors is left out."""
    archive: Elites = Archive()
    for life in history.lives:
        if _placed(life):
            archive.add(life.description, life.fitness, life)
    return archive


def diversity(history: History) -> Diversity:
    """Coverage, quality-diversity score and clusters in use, over time."""
    archive: Elites = Archive()
    coverage, quality, clusters = [], [], []
    cells = [cell_of(life.description) if _placed(life) else None for life in history.lives]
    filled: Counter[Cell] = Counter()
    for now, life in enumerate(history.lives):
        if (cell := cells[now]) is not None:
            archive.add(life.description, life.fitness, life)
            filled[cell] += 1
        gone = cells[now - history.population] if now >= history.population else None
        if gone is not None:
            filled[gone] -= 1
        coverage.append(archive.coverage)
        quality.append(archive.quality_diversity)
        clusters.append(sum(number > 0 for number in filled.values()))
    return Diversity(np.array(coverage), np.array(quality), np.array(clusters))


def grid(history: History) -> tuple[np.ndarray, np.ndarray]:
    """Best fitness, nan where nobody was, and number of bodies, by cell; as the archive's axes are long."""
    shape = tuple(axis.bins for axis in AXES)
    best, number = np.full(shape, np.nan), np.zeros(shape, dtype=int)
    for cell, (fitness, _) in elites(history).elites.items():
        best[cell] = fitness
    for life in history.lives:
        if _placed(life):
            number[cell_of(life.description)] += 1
    return best, number


def _placed(life: Life) -> bool:
    return all(axis.name in life.description for axis in AXES)
