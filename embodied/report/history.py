"""What an evolution was, read once from its folder: its lifetimes, their learning curves, and what cut them short."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from embodied.evolution.ledger import LEDGER, Point, read_ledger
from embodied.runs.errors import UserError
from embodied.runs.folder import read_run_config


@dataclass(frozen=True)
class Life:
    """A lifetime that ended well."""

    id: int
    """Number in the order of birth."""
    order: int
    """Place in the order in which lifetimes that ended well did so, from 0; failed ones are not counted."""
    parent: int | None
    generation: int
    """Mutations since the initial body, or since the body drawn at random."""
    operator: str | None
    attempts: int
    failed_operators: dict[str, int]
    """Operators that were drawn before and found no valid child, with their tries."""
    genome: str
    fingerprint: str
    fitness: float
    fitness_low: float
    fitness_high: float
    budget: int
    """Environment steps that it was to have."""
    steps: int
    """Environment steps that it had."""
    cut_short: bool
    """Whether successive halving stopped it."""
    unhealthy_episodes: int
    description: dict[str, float]
    measures: dict[str, float | None]

    def measure(self, name: str) -> float:
        """Of `embodied.evolution.measures`; nan where there is none."""
        value = self.measures.get(name)
        return float("nan") if value is None else float(value)


@dataclass(frozen=True)
class Curve:
    """A learning curve: what recent episodes gave, by environment steps."""

    steps: np.ndarray
    """(n,) Increasing."""
    fitness: np.ndarray
    """(n,) Mean over the last 10 finished episodes; nan before the first has finished."""

    @property
    def last(self) -> float:
        """Its final value; nan where no episode ever finished."""
        return float(self.fitness[-1]) if len(self.fitness) else float("nan")

    def at(self, steps: float) -> float:
        """Its value at the last point that is no later than ``steps``; nan before the first."""
        index = int(np.searchsorted(self.steps, steps, side="right")) - 1
        return float(self.fitness[index]) if index >= 0 else float("nan")


@dataclass
class History:
    """One evolution, as far as it has come."""

    path: Path
    config: dict[str, Any]
    lives: list[Life]
    """Those that ended well, in that order."""
    failures: list[dict[str, Any]] = field(default_factory=list)
    """Rows of the lifetimes that failed."""
    running: int = 0
    curves: dict[int, Curve] = field(default_factory=dict)
    rungs: list[dict[str, Any]] = field(default_factory=list)
    ended: list[tuple[int, bool]] = field(default_factory=list)
    """Environment steps, and whether it ended well, of every lifetime that ended, in that order."""

    @property
    def population(self) -> int:
        """Number of initial bodies, and of the latest lifetimes that a window holds."""
        return max(1, int(self.config.get("population", 1)))

    @property
    def search(self) -> str:
        """Name of the search."""
        return str(self.config.get("search", "tournament"))

    @cached_property
    def by_id(self) -> dict[int, Life]:
        """Lifetimes that ended well, by number."""
        return {life.id: life for life in self.lives}

    @cached_property
    def initial(self) -> list[Life]:
        """The initial population, as far as it ended well."""
        return [life for life in self.lives if life.id < self.population]

    @cached_property
    def best(self) -> Life:
        """The one with the greatest fitness; of equals the one born first."""
        return max(self.lives, key=lambda life: (life.fitness, -life.id))

    @cached_property
    def initial_best(self) -> Life | None:
        """The best of the initial population."""
        return max(self.initial, key=lambda life: (life.fitness, -life.id), default=None)

    @cached_property
    def fitness(self) -> np.ndarray:
        """(n,) Of the lifetimes that ended well, in that order."""
        return np.array([life.fitness for life in self.lives])

    @cached_property
    def spent(self) -> np.ndarray:
        """(n,) Environment steps spent by all lifetimes, failed ones too, up to the end of each that ended well."""
        steps = np.array([steps for steps, _ in self.ended], dtype=float)
        well = np.array([well for _, well in self.ended], dtype=bool)
        return np.cumsum(steps)[well]


def read_history(path: Path) -> History:
    """Reads an evolution that is over, or as far as it has come; it is not disturbed.

    Raises:
        UserError: the folder holds no evolution, none that has begun, or one whose files are damaged.
    """
    config = read_run_config(path)
    if config["kind"] != "evolve":
        raise UserError(f"{path} holds a run of {config['kind']!r}, and no evolution")
    with read_ledger(path) as ledger:
        rows = ledger.lifetimes()
        curves = {lifetime: _curve(points) for lifetime, points in ledger.curves().items()}
        rungs = ledger.rungs()
    ended = sorted((row for row in rows if row["status"] != "running"), key=lambda row: row["finish_order"])
    well = [row for row in ended if row["status"] == "finished"]
    try:
        lives = [_life(row, order) for order, row in enumerate(well)]
    except (ValueError, TypeError, KeyError) as error:
        raise UserError(f"{path / LEDGER} is damaged: a lifetime cannot be read ({error})") from None
    return History(
        path=path,
        config=config,
        lives=lives,
        failures=[row for row in ended if row["status"] == "failed"],
        running=len(rows) - len(ended),
        curves={life.id: curves[life.id] for life in lives if life.id in curves},
        rungs=rungs,
        ended=[(row["environment_steps"] or 0, row["status"] == "finished") for row in ended],
    )


def _life(row: dict[str, Any], order: int) -> Life:
    return Life(
        id=row["id"],
        order=order,
        parent=row["parent"],
        generation=row["generation"],
        operator=row["operator"],
        attempts=row["attempts"],
        failed_operators=json.loads(row["failed_operators"] or "{}"),
        genome=row["genome"],
        fingerprint=row["fingerprint"],
        fitness=float(row["fitness"]),
        fitness_low=float(row["fitness_low"]),
        fitness_high=float(row["fitness_high"]),
        budget=int(row["budget"]),
        steps=int(row["environment_steps"]),
        cut_short=row["stopped_at_rung"] is not None,
        unhealthy_episodes=int(row["unhealthy_episodes"] or 0),
        description=json.loads(row["description"] or "{}"),
        measures=json.loads(row["measures"] or "{}"),
    )


def _curve(points: list[Point]) -> Curve:
    return Curve(
        np.array([point[0] for point in points], dtype=np.int64),
        np.array([np.nan if point[2] is None else point[2] for point in points], dtype=float),
    )
