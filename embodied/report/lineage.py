"""Who descends from whom: the line of the best, how deep the tree is, and which founders still have descendants."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from embodied.report.history import History, Life


def ancestors(history: History, life: Life) -> list[Life]:
    """The line from the founder to a body, itself included. A line ends early at a parent that is not known."""
    line = [life]
    while line[-1].parent is not None and line[-1].parent in history.by_id:
        line.append(history.by_id[line[-1].parent])
    return line[::-1]


def founders(history: History) -> dict[int, int]:
    """The founder of each lifetime, by their numbers. Parents end before their children begin."""
    found: dict[int, int] = {}
    for life in sorted(history.lives, key=lambda life: life.id):
        found[life.id] = found.get(life.parent, life.id) if life.parent is not None else life.id
    return found


def depth(history: History) -> int:
    """Births between the deepest body and its founder."""
    return max((life.generation for life in history.lives), default=0)


def window(history: History, end: int | None = None) -> list[Life]:
    """The last lifetimes that ended well, as many as the population is large; those are the living.

    Args:
        end: number of lifetimes after which to look; after all of them by default.
    """
    return history.lives[:end][-history.population :]


def living_founders(history: History) -> int:
    """How many founders have a descendant, or are themselves, among the living."""
    founder = founders(history)
    return len({founder[life.id] for life in window(history)})


@dataclass(frozen=True)
class Takeover:
    """Whose descendants lived when."""

    ended: np.ndarray
    """(t,) Numbers of lifetimes after which it was looked."""
    shares: dict[int, np.ndarray]
    """(t,) Part of the living that descends from a founder, by founder."""


def takeover(history: History, looks: int = 400) -> Takeover:
    """Shares of the founders among the living over time, at no more than so many moments."""
    founder = founders(history)
    count = len(history.lives)
    ended = np.unique(np.linspace(1, count, min(looks, count)).round().astype(int)) if count else np.empty(0, int)
    shares: dict[int, np.ndarray] = {}
    for at, end in enumerate(ended):
        living = window(history, int(end))
        for life in living:
            row = shares.setdefault(founder[life.id], np.zeros(len(ended)))
            row[at] += 1 / len(living)
    return Takeover(ended, shares)


def spread(line: list[Life], most: int) -> list[Life]:
    """At most so many of a line: its ends, and between them where fitness rose most, in the line's order."""
    if len(line) <= most:
        return line
    if most == 1:
        return [line[-1]]
    rises = sorted(range(1, len(line) - 1), key=lambda i: line[i - 1].fitness - line[i].fitness)
    chosen = {0, len(line) - 1, *rises[: most - 2]}
    return [line[i] for i in sorted(chosen)]
