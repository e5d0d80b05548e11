"""Two evolutions side by side, as paired figures: what a search found that another, as a rule a random one, did not."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from embodied.report.history import History
from embodied.report.science import plain
from embodied.runs.errors import UserError

LAST = 16
"""Lifetimes at the end of a run that are told together."""


def refuse_unlike(run: History, beside: History) -> None:
    """Raises UserError for two runs whose fitness cannot be compared."""
    for each in (run, beside):
        if not each.lives:
            raise UserError(f"no lifetime of {each.path} is finished yet, so there is nothing to compare")
    one, other = (history.config.get("task") for history in (run, beside))
    if one != other:
        raise UserError(
            f"{run.path} is on the task {one} and {beside.path} on {other}: their fitness cannot be compared"
        )


def caveats(run: History, beside: History) -> list[str]:
    """Sentences on what, besides the search, the two runs differ in."""
    said = []
    for name, what in (
        ("steps", "environment steps a lifetime"),
        ("population", "initial bodies"),
        ("budget", "budget"),
        ("space", "design space"),
        ("ppo", "learning"),
        ("policy", "networks"),
    ):
        one, other = run.config.get(name), beside.config.get(name)
        if one != other:
            told = f": {_said(one)} and {_said(other)}" if not isinstance(one, dict) else ""
            said.append(f"They differ in {what}{told}.")
    if len(run.lives) != len(beside.lives):
        said.append(f"{len(run.lives):,} lifetimes stand beside {len(beside.lives):,}.")
    return said


def _said(value: Any) -> str:
    return f"{value:,}" if isinstance(value, int) else str(value)


def same_start(run: History, beside: History) -> bool:
    """Whether both began with the same bodies."""
    one, other = ({life.fingerprint for life in each.initial} for each in (run, beside))
    return bool(one) and one == other


def steps_to_fitness(history: History, level: float, after_initial: bool = True) -> float:
    """Environment steps spent, failed lifetimes included, until a lifetime was better than ``level``; inf if none was.

    Args:
        level: fitness.
        after_initial: leaves the initial population out.
    """
    for life, spent in zip(history.lives, history.spent, strict=True):
        if life.fitness > level and not (after_initial and life.id < history.population):
            return float(spent)
    return math.inf


def summary(history: History) -> dict[str, Any]:
    """One run's figures that are compared."""
    last = history.fitness[-LAST:]
    initial = history.initial_best.fitness if history.initial_best else math.nan
    return {
        "search": history.search,
        "lifetimes": len(history.lives),
        "environment_steps": float(history.spent[-1]),
        "best": history.best.fitness,
        "initial_best": initial,
        "last_16_best": float(last.max()),
        "last_16_median": float(np.median(last)),
        "steps_to_initial_best": steps_to_fitness(history, initial),
    }


def paired(run: History, beside: History) -> dict[str, Any]:
    """Both runs' figures and their differences, the first less the second.

    Raises:
        UserError: they cannot be compared.
    """
    refuse_unlike(run, beside)
    one, other = summary(run), summary(beside)
    found = {
        "run": one,
        "beside": other,
        "same_initial_bodies": same_start(run, beside),
        "difference": {name: one[name] - other[name] for name in ("best", "last_16_best", "last_16_median")},
        "ratio": {
            name: one[name] / other[name] if other[name] > 0 else math.nan
            for name in ("best", "last_16_best", "last_16_median")
        },
        "steps_to_beside_best": steps_to_fitness(run, other["best"], after_initial=False),
    }
    return plain(found)
