"""What each mutation operator did to fitness."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from embodied.report.history import History


@dataclass(frozen=True)
class Effect:
    """One operator's children."""

    operator: str
    changes: np.ndarray
    """(children,) Fitness of the child less that of its parent."""
    attempts: int
    """Draws that it took to find valid children, those of `fruitless` included."""
    fruitless: int
    """How often it was chosen and found no valid child, so that another operator was drawn."""

    @property
    def number(self) -> int:
        """Of children."""
        return len(self.changes)

    @property
    def improved(self) -> float:
        """Part of the children that are better than their parents; nan without children."""
        return float((self.changes > 0).mean()) if self.number else float("nan")

    @property
    def median(self) -> float:
        """Of the changes; nan without children."""
        return float(np.median(self.changes)) if self.number else float("nan")


def effects(history: History) -> list[Effect]:
    """All operators that were tried, the one with the greatest median change first.

    Children that failed, or whose parent is not known, count for nothing; ones that were cut short count with the
    fitness that they had then.
    """
    changes: dict[str, list[float]] = {}
    attempts: dict[str, int] = {}
    fruitless: dict[str, int] = {}
    for life in history.lives:
        for name, tries in life.failed_operators.items():
            changes.setdefault(name, [])
            attempts[name] = attempts.get(name, 0) + int(tries)
            fruitless[name] = fruitless.get(name, 0) + 1
        if life.operator is None or life.parent not in history.by_id:
            continue
        changes.setdefault(life.operator, []).append(life.fitness - history.by_id[life.parent].fitness)
        attempts[life.operator] = attempts.get(life.operator, 0) + life.attempts
    found = [
        Effect(name, np.array(values), attempts.get(name, 0), fruitless.get(name, 0))
        for name, values in changes.items()
    ]
    return sorted(found, key=lambda effect: -np.inf if not effect.number else effect.median, reverse=True)
