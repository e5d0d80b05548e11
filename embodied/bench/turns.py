"""Contenders run in turn, so that a machine's drift and its neighbours hit all of them alike; medians and ratios."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from statistics import median
from typing import Any

Rates = dict[str, list[float]]
"""By contender, one figure per run."""


def in_turn(contenders: Mapping[str, Callable[[], float]], runs: int, told: Callable[[str], None] = lambda _: None):
    """Runs each contender once a round, in an order that turns round, and collects what it gives.

    Args:
        contenders: by name; each runs once and returns its rate.
        runs: rounds.
        told: is given a line after each round.
    """
    names = list(contenders)
    rates: Rates = {name: [] for name in names}
    for number in range(runs):
        shift = number % len(names)
        for name in names[shift:] + names[:shift]:
            rates[name].append(contenders[name]())
        told(f"round {number + 1} of {runs}: " + ", ".join(f"{name} {rates[name][-1]:,.0f}" for name in names))
    return rates


def compared(rates: Rates, ours: str) -> dict[str, Any]:
    """Medians, and how many times as fast ours is as each of the others: the median over rounds."""
    return {
        "steps_per_second": {name: median(values) for name, values in rates.items()},
        "ours_times_as_fast": {
            name: median(a / b for a, b in zip(rates[ours], values, strict=True))
            for name, values in rates.items()
            if name != ours
        },
    }


def rows_of(figures: Mapping[str, Any], ours: str) -> list[tuple[str, str, str]]:
    """`compared` as rows of a table."""
    times = figures["ours_times_as_fast"]
    return [
        (name, f"{rate:,.0f}", "" if name == ours else f"{times[name]:.2f}")
        for name, rate in figures["steps_per_second"].items()
    ]
