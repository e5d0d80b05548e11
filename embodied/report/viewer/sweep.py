"""An evolution as it is now: its ledger's rows, those in flight and how far they are, and the figures of all."""

from __future__ import annotations

import os
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

from embodied.evolution.ledger import LEDGER, Ledger
from embodied.evolution.lifetimes import CHECKPOINTS
from embodied.runs.errors import UserError

Row = dict[str, Any]
"""Of the ledger's table ``lifetimes``."""


@dataclass(frozen=True)
class Plan:
    """What an evolution is to be, from its configuration."""

    lifetimes: int
    population: int
    steps: int
    """Of one lifetime."""


@dataclass(frozen=True)
class Sweep:
    """What is known of an evolution at one moment."""

    rows: list[Row]
    """All lifetimes; the one with number n is the n-th."""
    steps: dict[int, int]
    """Environment steps at the latest checkpoint, of each lifetime in flight."""
    alive: bool
    """Whether the process that drives it lives."""

    @property
    def finished(self) -> list[Row]:
        """In the order in which they finished."""
        rows = (row for row in self.rows if row["status"] == "finished")
        return sorted(rows, key=lambda row: row["finish_order"])

    @property
    def running(self) -> list[Row]:
        """Lifetimes in flight, or cut off where nobody drives the evolution."""
        return [row for row in self.rows if row["status"] == "running"]

    @property
    def best(self) -> Row | None:
        """The fittest; of equals the one born first."""
        return max(self.finished, key=lambda row: (row["fitness"], -row["id"]), default=None)


@dataclass(frozen=True)
class Figures:
    """Of a sweep."""

    finished: int
    failed: int
    running: int
    born: int
    best: float | None
    best_id: int | None
    median: float | None
    """Of the latest finished lifetimes, as many as the population is large."""


def figures_of(sweep: Sweep, population: int) -> Figures:
    """The counts, and the best and the recent median fitness."""
    finished, best = sweep.finished, sweep.best
    recent = [row["fitness"] for row in finished[-population:]]
    failed = len(sweep.rows) - len(finished) - len(sweep.running)
    return Figures(
        len(finished),
        failed,
        len(sweep.running),
        len(sweep.rows),
        best["fitness"] if best else None,
        best["id"] if best else None,
        median(recent) if recent else None,
    )


@dataclass(frozen=True)
class Course:
    """Fitness against finished lifetimes, n numbers each."""

    fitness: list[float]
    best: list[float]
    """So far."""
    median: list[float]
    """Of the latest ones, at most as many as the population is large."""


def course_of(finished: Sequence[Row], population: int) -> Course:
    """How fitness went."""
    fitness = [row["fitness"] for row in finished]
    best: list[float] = []
    for value in fitness:
        best.append(max(value, best[-1] if best else value))
    medians = [median(fitness[max(0, n - population) : n]) for n in range(1, len(fitness) + 1)]
    return Course(fitness, best, medians)


def lineage(rows: Sequence[Row], lifetime: int) -> list[int]:
    """A lifetime and its ancestors, youngest first."""
    line = [lifetime]
    while (parent := rows[line[-1]]["parent"]) is not None:
        line.append(parent)
    return line


class Watch:
    """Reads an evolution's folder whenever something in it has changed; opens nothing otherwise."""

    def __init__(self, run: Path) -> None:
        """The run's folder."""
        self._run = run
        self._seen: tuple[tuple[tuple[int, int] | None, ...], dict[int, int], bool] | None = None
        self._rows: list[Row] = []

    def look(self) -> Sweep | None:
        """How the evolution stands, or None where nothing has changed since it was last asked.

        Raises:
            UserError: there is no ledger yet, or it is damaged.
        """
        stamps = tuple(_stamp(self._run / f"{LEDGER}{end}") for end in ("", "-wal"))
        if stamps[0] is None:
            raise UserError(f"{self._run} holds no ledger yet: the evolution has not begun")
        if self._seen is None or stamps != self._seen[0]:
            self._rows = read_rows(self._run / LEDGER)
        running = (row["id"] for row in self._rows if row["status"] == "running")
        now = (
            stamps,
            {number: checkpoint_steps(lifetime_folder(self._run, number)) for number in running},
            self._alive(),
        )
        if now == self._seen:
            return None
        self._seen = now
        return Sweep(self._rows, now[1], now[2])

    def _alive(self) -> bool:
        """Whether the process that last took the run's lock lives."""
        try:
            os.kill(int((self._run / ".lock").read_text()), 0)
        except PermissionError:
            return True
        except (OSError, ValueError, OverflowError):
            return False
        return True


def read_rows(path: Path) -> list[Row]:
    """All lifetimes of a ledger, which is opened for reading alone.

    Raises:
        UserError: it is damaged.
    """
    with closing(Ledger(path, readonly=True)) as ledger:
        rows = ledger.lifetimes()
    if [row["id"] for row in rows] != list(range(len(rows))):
        raise UserError(f"{path} is damaged: lifetimes are missing from it")
    return rows


def lifetime_folder(run: Path, lifetime: int) -> Path:
    """Where a lifetime's genome, policy and checkpoints lie."""
    return run / "lifetimes" / f"{lifetime:06d}"


def checkpoint_steps(folder: Path) -> int:
    """Environment steps at a lifetime's latest checkpoint; 0 before the first."""
    names = (path.name for path in (folder / CHECKPOINTS).glob("[0-9]*"))
    return max((int(name) for name in names if name.isdecimal()), default=0)


def _stamp(path: Path) -> tuple[int, int] | None:
    """When a file was written and its size; None for one that is not there or, as SQLite leaves them, empty."""
    try:
        status = path.stat()
    except FileNotFoundError:
        return None
    return (status.st_mtime_ns, status.st_size) if status.st_size else None
