"""How fast bodies learn: steps to a criterion by generation, and what the length of a lifetime has to do with it.

Gupta et al. (2021) find that evolved bodies learn faster and call it a morphological Baldwin effect; Song et al.
(AdaControl) hold that truncated training makes it, and LOKI that the budget chooses the body. So the same curves are
also read as if they had been cut earlier.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from embodied.report.history import Curve, History, Life
from embodied.tasks import UnknownTask, find_task

OWN_SHARE = 0.75
"""Part of a body's own final value that counts as having learned it."""
BUDGETS = (0.25, 0.5, 1.0)
"""Parts of a lifetime at which curves are also read."""
TOP = 10
"""How many of the best are compared between budgets."""


@dataclass(frozen=True)
class Group:
    """Lifetimes that are told together: a generation, or, where there is but one, a stretch of the run."""

    label: str
    lives: list[Life]


@dataclass(frozen=True)
class Speed:
    """How fast a group reached a level."""

    label: str
    number: int
    """Bodies in the group."""
    reached: int
    """Bodies that reached the level."""
    median: float
    """Environment steps, over the whole group, those that never reached the level counted as later than all others;
    inf where that is half of them or more, nan for an empty group."""
    median_of_reached: float
    """Over those that reached it alone, which flatters groups in which few do; nan where none did."""


@dataclass(frozen=True)
class Truncation:
    """What would have been believed with a shorter budget."""

    share: float
    """Of the whole budget."""
    correlation: float
    """Spearman's, between the curves' values there and at their ends; nan for fewer than three bodies."""
    top_shared: int
    """How many of the best there are among the best at the end."""
    top: int
    """Of how many."""
    unseen: float
    """Part of the bodies of which no episode had ended there, and which rank last for it."""


def first_full_episode(history: History) -> float:
    """Environment steps at which the first episodes that nothing ended reach their time limit; inf if it is not known.

    Until then only bodies that fall are seen, and none can reach a criterion by running well.
    """
    try:
        task = find_task(str(history.config.get("task")))
        return float(task.episode_steps * int(history.config["worlds"]))
    except (UnknownTask, KeyError, TypeError, ValueError):
        return float("inf")


def criterion(history: History) -> float:
    """The level that counts as having learned: median of the initial population's final curve values; nan without any.

    A body none of whose episodes finished has no value and is left out.
    """
    finals = [history.curves[life.id].last for life in history.initial if life.id in history.curves]
    finals = [value for value in finals if np.isfinite(value)]
    return float(np.median(finals)) if finals else float("nan")


def steps_to(curve: Curve, level: float) -> float:
    """First environment step at which a curve is at ``level`` or above; inf where it never is."""
    with np.errstate(invalid="ignore"):
        there = np.flatnonzero(curve.fitness >= level)
    return float(curve.steps[there[0]]) if len(there) else float("inf")


def steps_to_own(curve: Curve, budget: float, share: float = OWN_SHARE) -> float:
    """First environment step at which a curve reaches a share of its own value at ``budget``; inf where that is not
    above 0, for a body that went nowhere has learned nothing."""
    final = curve.at(budget)
    if not final > 0:
        return float("inf")
    return steps_to(curve, share * final)


def groups(history: History) -> list[Group]:
    """By generation; where all lifetimes are of generation 0, by stretches of as many lifetimes as the population."""
    if max((life.generation for life in history.lives), default=0) > 0:
        found: dict[int, list[Life]] = {}
        for life in history.lives:
            found.setdefault(life.generation, []).append(life)
        return [Group(str(generation), found[generation]) for generation in sorted(found)]
    edges = [*range(0, len(history.lives), history.population), len(history.lives)]
    return [Group(f"{low + 1}–{high}", history.lives[low:high]) for low, high in pairwise(edges)]


def speeds(parts: Iterable[Group], steps: Mapping[int, float]) -> list[Speed]:
    """How fast each group was.

    Args:
        parts: the groups.
        steps: by lifetime, steps that it took; inf where it never got there. Others are left out.
    """
    found = []
    for part in parts:
        taken = np.array([steps[life.id] for life in part.lives if life.id in steps])
        reached = taken[np.isfinite(taken)]
        found.append(
            Speed(
                label=part.label,
                number=len(taken),
                reached=len(reached),
                median=_upper_median(taken),
                median_of_reached=float(np.median(reached)) if len(reached) else float("nan"),
            )
        )
    return found


def _upper_median(values: np.ndarray) -> float:
    """The median; of an even number, the mean of the middle two, inf if either is."""
    if not len(values):
        return float("nan")
    ordered = np.sort(values)
    low, high = ordered[(len(values) - 1) // 2], ordered[len(values) // 2]
    return float((low + high) / 2)


def to_criterion(history: History) -> dict[int, float]:
    """Steps to the criterion by lifetime; empty without a criterion."""
    level = criterion(history)
    if not np.isfinite(level):
        return {}
    return {lifetime: steps_to(curve, level) for lifetime, curve in history.curves.items()}


def to_own(history: History, share_of_budget: float) -> dict[int, float]:
    """Steps to most of its own final value by whole lifetime, curves cut at a share of their budget."""
    return {
        life.id: steps_to_own(history.curves[life.id], share_of_budget * life.steps) for life in whole_lives(history)
    }


def whole_lives(history: History) -> list[Life]:
    """Lifetimes that had all of their budget, and have a curve."""
    return [life for life in history.lives if not life.cut_short and life.id in history.curves]


def truncations(history: History, shares: Sequence[float] = BUDGETS) -> list[Truncation]:
    """What a shorter budget would have said of the same lifetimes, whole ones alone."""
    lives = whole_lives(history)
    whole = np.array([_or_worst(history.curves[life.id].last) for life in lives])
    found = []
    for share in shares:
        part = np.array([_or_worst(history.curves[life.id].at(share * life.steps)) for life in lives])
        unseen = float(np.isinf(part).mean()) if lives else float("nan")
        found.append(Truncation(share, spearman(part, whole), *top_shared(part, whole), unseen))
    return found


def _or_worst(value: float) -> float:
    """A body of which no episode has finished yet has shown nothing: it ranks last."""
    return value if np.isfinite(value) else -np.inf


def top_shared(one: np.ndarray, other: np.ndarray, top: int = TOP) -> tuple[int, int]:
    """How many of the best ``top`` of one are among the best of the other, and how many could be."""
    top = min(top, len(one))
    best = [set(np.argsort(-values, kind="stable")[:top].tolist()) for values in (one, other)]
    return len(best[0] & best[1]), top


def spearman(one: np.ndarray, other: np.ndarray) -> float:
    """Spearman's rank correlation, equal values sharing their mean rank; nan for fewer than three or for constants."""
    if len(one) < 3:
        return float("nan")
    ranks = [_ranks(values) for values in (one, other)]
    if any(np.ptp(rank) == 0 for rank in ranks):
        return float("nan")
    return float(np.corrcoef(ranks)[0, 1])


def _ranks(values: np.ndarray) -> np.ndarray:
    _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    ends = np.cumsum(counts)
    return (ends - (counts - 1) / 2)[inverse]
