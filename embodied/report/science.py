"""The science of an evolution as plain figures: learning, energy, stability, diversity, descent, operators."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from embodied.evolution.archive import CELLS
from embodied.report.diversity import diversity
from embodied.report.history import History, Life
from embodied.report.learning import (
    Speed,
    criterion,
    groups,
    spearman,
    speeds,
    to_criterion,
    to_own,
    truncations,
    whole_lives,
)
from embodied.report.lineage import ancestors, depth, founders, living_founders, window
from embodied.report.operators import effects
from embodied.report.topologies import sharing

MEASURES = ("distance", "speed", "energy", "cost_of_transport", "stands", "stands_pushed")
"""Of `embodied.evolution.measures`."""


def science(history: History) -> dict[str, Any]:
    """All figures, numbers and dictionaries of numbers; None for what cannot be told. At least one lifetime ended well.

    ``rank_correlation_*`` and ``top_ten_shared_*`` compare curves read at a part of the budget with their ends;
    ``rank_correlation_curve_to_fitness`` compares curves' ends with the fitness that selection went by, and is the most
    that the former can mean.
    """
    best, course = history.best, diversity(history)
    quarter, half, _ = truncations(history)
    found: dict[str, Any] = {
        "coverage": course.coverage[-1],
        "cells": CELLS,
        "quality_diversity": course.quality_diversity[-1],
        "clusters_in_use": int(course.clusters[-1]),
        "generations": depth(history),
        "founders": len(set(founders(history).values())),
        "founders_with_living_descendants": living_founders(history),
        "best_founder": ancestors(history, best)[0].id,
        "criterion": criterion(history),
        "rank_correlation_quarter_budget": quarter.correlation,
        "rank_correlation_half_budget": half.correlation,
        "rank_correlation_curve_to_fitness": curve_to_fitness(history),
        "top_ten_shared_quarter_budget": _part(quarter.top_shared, quarter.top),
        "top_ten_shared_half_budget": _part(half.top_shared, half.top),
        **{f"best_{name}": best.measure(name) for name in MEASURES},
        **{f"initial_median_{name}": middle(history.initial, name) for name in MEASURES},
        **{f"last_median_{name}": middle(window(history), name) for name in MEASURES},
        "steps_to_criterion_by_generation": _by_group(speeds(groups(history), to_criterion(history))),
        "steps_to_own_by_generation": _by_group(speeds(groups(history), to_own(history, 1.0))),
        "topologies_by_generation": {
            each.label: {
                "bodies": each.bodies,
                "topologies": each.topologies,
                **{f"in_{size}_or_more": part for size, part in each.shares.items()},
            }
            for each in sharing(history)
        },
        "operators": {
            effect.operator: {
                "children": effect.number,
                "median_change": effect.median,
                "improved": effect.improved,
                "attempts": effect.attempts,
                "fruitless": effect.fruitless,
            }
            for effect in effects(history)
        },
    }
    return {name: plain(value) for name, value in found.items()}


def curve_to_fitness(history: History) -> float:
    """Spearman's correlation of the curves' ends with the fitness of the evaluation; nan where it cannot be told."""
    lives = [life for life in whole_lives(history) if math.isfinite(history.curves[life.id].last)]
    return spearman(np.array([history.curves[life.id].last for life in lives]), np.array([x.fitness for x in lives]))


def middle(lives: Sequence[Life], name: str) -> float:
    """Median of a measure over those that have it; nan where none has."""
    values = [value for life in lives if math.isfinite(value := life.measure(name))]
    return float(np.median(values)) if values else math.nan


def _by_group(found: list[Speed]) -> dict[str, Any]:
    return {
        speed.label: {
            "bodies": speed.number,
            "reached": speed.reached,
            "median": speed.median,
            "median_of_reached": speed.median_of_reached,
        }
        for speed in found
    }


def _part(number: int, whole: int) -> float:
    return number / whole if whole else math.nan


def plain(value: Any) -> Any:
    """What JSON can hold: what is not finite becomes None."""
    if isinstance(value, dict):
        return {name: plain(each) for name, each in value.items()}
    if isinstance(value, np.generic):
        value = value.item()
    return None if isinstance(value, float) and not math.isfinite(value) else value
