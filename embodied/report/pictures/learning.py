"""Learning curves, and how fast bodies learn with what the length of a lifetime has to do with it."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.collections import LineCollection
from matplotlib.colors import Normalize
from matplotlib.figure import Figure

from embodied.report.history import History
from embodied.report.learning import (
    BUDGETS,
    Speed,
    criterion,
    first_full_episode,
    groups,
    speeds,
    to_criterion,
    to_own,
    truncations,
    whole_lives,
)
from embodied.report.lineage import depth
from embodied.report.style import ACCENT, AGES, CALM, INK, MUTED, OTHER, QUIET, WIDE, Picture, dot_size, shorten

MOST_CURVES = 500
SHARES = tuple(round(0.1 * i, 1) for i in range(1, 11))


def learning_curves(history: History) -> Picture:
    """All curves, or an even choice of them, by generation."""
    lives = [life for life in history.lives if life.id in history.curves]
    stride = max(1, -(-len(lives) // MOST_CURVES))
    shown = lives[::stride]
    count = "all" if stride == 1 else f"one in {stride} of {len(lives):,}, and the best"
    deepest = max(1, depth(history))
    by_order = depth(history) == 0
    what = "order of finishing" if by_order else "generation"
    first = first_full_episode(history)

    def paint(figure: Figure) -> None:
        axes = figure.subplots()
        ages = [life.order / max(1, len(history.lives) - 1) if by_order else life.generation for life in shown]
        scale = Normalize(0, 1 if by_order else deepest)
        order = np.argsort(ages, kind="stable")
        lines = [_points(history, shown[i].id) for i in order]
        axes.add_collection(
            LineCollection(
                lines,
                colors=[AGES(scale(ages[i])) for i in order],
                linewidths=1.0 if len(lines) < 150 else 0.6,
                alpha=0.9 if len(lines) < 150 else 0.55,
                rasterized=True,
            )
        )
        if history.best.id in history.curves:
            best = _points(history, history.best.id)
            axes.plot(best[:, 0], best[:, 1], color=ACCENT, linewidth=2.2, label="the best body")
        level = criterion(history)
        if np.isfinite(level):
            axes.axhline(level, color=INK, linewidth=0.9, linestyle=":", label="criterion")
        axes.autoscale_view()
        axes.set_xlim(left=0)
        if first < axes.get_xlim()[1]:
            axes.axvline(first, color=MUTED, linewidth=0.9, linestyle=(0, (4, 3)), label="first full episodes end")
        axes.set_xlabel("environment steps of the lifetime")
        axes.set_ylabel("fitness of the last 10 episodes")
        shorten(axes)
        axes.legend(loc="upper left")
        if not by_order or len(shown) > 1:
            bar = figure.colorbar(ScalarMappable(scale, AGES), ax=axes, pad=0.01, aspect=30)
            bar.outline.set_visible(False)
            bar.set_label(what)
            bar.ax.tick_params(length=0)
            if by_order:
                bar.set_ticks([0, 1], labels=["first", "last"])
            else:
                bar.set_ticks([int(t) for t in bar.get_ticks() if t == int(t) and 0 <= t <= deepest])

    return Picture(
        "learning-curves",
        "Learning curves",
        f"Mean fitness of the last 10 finished episodes while a body learns ({count}), coloured by {what}; orange is "
        "the best. A curve begins when its first episode ends: a body that does not fall is not seen before its first "
        "full episode is over. Curves show the exploring policy, fitness is that of its mean action.",
        paint,
        WIDE,
    )


def _points(history: History, lifetime: int) -> np.ndarray:
    curve = history.curves[lifetime]
    there = np.isfinite(curve.fitness)
    return np.column_stack((curve.steps[there], curve.fitness[there]))


def learning_speed(history: History) -> list[Picture]:
    """Steps to a criterion by generation, and three looks at what truncation makes of it."""
    parts = groups(history)
    level, first = criterion(history), first_full_episode(history)
    unit = "generation" if depth(history) else "lifetimes, in order of finishing"

    def to_level(figure: Figure) -> None:
        upper, lower = figure.subplots(2, 1, sharex=True, height_ratios=(2.6, 1))
        found = speeds(parts, to_criterion(history))
        taken = to_criterion(history)
        rng = np.random.default_rng(0)
        for x, part in enumerate(parts):
            steps = np.array([taken[life.id] for life in part.lives if np.isfinite(taken.get(life.id, np.inf))])
            spread = 0.13 * np.clip(rng.standard_normal(len(steps)), -2, 2)
            upper.scatter(x + spread, steps, s=9 if len(steps) < 60 else 3, color=QUIET, linewidths=0, rasterized=True)
        _medians(upper, found, CALM, "median")
        reached = [speed.median_of_reached for speed in found]
        upper.plot(range(len(found)), reached, color=MUTED, linewidth=1, linestyle=":", label="of those that did")
        if first < upper.get_ylim()[1]:
            upper.axhline(first, color=MUTED, linewidth=0.9, linestyle=(0, (4, 3)), label="first full episodes end")
        upper.set_ylabel("steps to criterion")
        upper.set_ylim(bottom=0)
        shorten(upper, "y")
        upper.set_ylim(top=1.22 * upper.get_ylim()[1])
        upper.legend(loc="upper right", fontsize=7.5, ncols=3, columnspacing=1.0, borderaxespad=0)
        lower.bar(range(len(found)), [s.reached / s.number if s.number else 0 for s in found], color=CALM, width=0.62)
        lower.set_ylim(0, 1.02)
        lower.set_yticks([0, 1], labels=["0 %", "100 %"])
        lower.set_ylabel("reached it")
        mark_groups(lower, [part.label for part in parts], unit)

    def to_own_share(figure: Figure) -> None:
        axes = figure.subplots()
        for share, colour, name in zip(BUDGETS, (QUIET, OTHER, CALM), ("a quarter", "half", "the whole"), strict=True):
            found = speeds(parts, to_own(history, share))
            _medians(axes, found, colour, f"cut at {name}")
        axes.set_ylabel("steps to 75 % of its own end")
        axes.set_ylim(bottom=0)
        shorten(axes, "y")
        _legend_above(axes)
        mark_groups(axes, [part.label for part in parts], unit)

    def ranks(figure: Figure) -> None:
        axes = figure.subplots()
        found = truncations(history, SHARES)
        x = [100 * each.share for each in found]
        axes.plot(
            x, [each.correlation for each in found], color=CALM, marker="o", markersize=3.5, label="rank correlation"
        )
        axes.plot(
            x,
            [each.top_shared / each.top if each.top else np.nan for each in found],
            color=ACCENT,
            marker="o",
            markersize=3.5,
            label=f"top {found[-1].top} in common",
        )
        axes.plot(x, [each.unseen for each in found], color=MUTED, linestyle=":", label="share not seen yet")
        axes.axhline(0, color=MUTED, linewidth=0.8)
        axes.set_ylim(top=1.05)
        length = max((life.steps for life in whole_lives(history)), default=0)
        if first < length:
            axes.axvline(100 * first / length, color=MUTED, linewidth=0.9, linestyle=(0, (4, 3)))
        axes.set_xlabel("% of the budget at which the curves are read")
        _legend_above(axes)

    def agreement(figure: Figure) -> None:
        axes = figure.subplots()
        lives = [life for life in history.lives if life.id in history.curves]
        ends = np.array([history.curves[life.id].last for life in lives])
        values = np.array([life.fitness for life in lives])
        axes.scatter(ends, values, s=dot_size(len(ends)), color=QUIET, linewidths=0, rasterized=True)
        if history.best.id in history.curves:
            best = history.curves[history.best.id].last
            axes.scatter(best, history.best.fitness, s=38, color=ACCENT, linewidths=0, zorder=3)
        axes.axline((0, 0), slope=1, color=MUTED, linewidth=0.9, linestyle=(0, (4, 3)))
        axes.set_xlabel("the curve's end, exploring")
        axes.set_ylabel("fitness, mean action")
        shorten(axes)

    censored = sum(life.cut_short for life in history.lives)
    cut = f" {censored:,} lifetimes were cut short and count as not having reached it." if censored else ""
    whole = len(whole_lives(history))
    return [
        Picture(
            "steps-to-criterion",
            "Steps to a criterion",
            f"First environment step at which a curve reaches {level:,.1f}, the median of the initial population's "
            "final curve values. The solid line is the median over all bodies, those that never reached it counted "
            "as later than any; it ends where they are half or more. Below, the share that reached it, to be read "
            "along: a median over the few that did flatters. No body that stays up can be earlier than the dashed "
            f"line, where the first full episodes end.{cut}",
            to_level,
        ),
        Picture(
            "steps-to-own",
            "The truncation artefact",
            "Steps to three quarters of a body's own final value, with the same curves cut at a quarter, at half "
            "and at the whole of the budget. The level moves with the cut, so a fall over generations that depends "
            "on the cut says how curves were truncated, not that bodies learn faster.",
            to_own_share,
        ),
        Picture(
            "ranks-by-budget",
            "What a shorter lifetime would have chosen",
            f"The {whole:,} whole lifetimes ranked by their curves' values at a part of the budget, against the "
            "ranking at its end: Spearman's correlation and the overlap of the best ten. Bodies of which no episode "
            "has ended yet (dotted: their share) rank last; the dashed line is where the first full ones do. A "
            "lifetime planned shorter would have learned on another schedule.",
            ranks,
        ),
        Picture(
            "curve-and-fitness",
            "Curves against the evaluation",
            "The end of each learning curve and the fitness that selection went by. On the dashed line both are "
            "equal; above it, the mean action is worth more than the exploring policy. Orange is the best body. "
            "What the curves say of ranks is worth no more than this agreement.",
            agreement,
        ),
    ]


def _legend_above(axes: Axes) -> None:
    """Where it covers nothing."""
    axes.legend(loc="lower center", bbox_to_anchor=(0.47, 1.0), ncols=3, fontsize=7.5, columnspacing=1.0)


def _medians(axes: Axes, found: list[Speed], colour: str, label: str) -> None:
    middle = [speed.median if np.isfinite(speed.median) else np.nan for speed in found]
    axes.plot(range(len(found)), middle, color=colour, marker="o", markersize=3.5, label=label)


def mark_groups(axes: Axes, labels: list[str], unit: str) -> None:
    """Names groups along the lower axis, as many as there is room for."""
    step = max(1, -(-len(labels) // (8 if any(len(label) > 3 for label in labels) else 16)))
    axes.set_xticks(range(0, len(labels), step), labels=labels[::step])
    axes.set_xlabel(unit)
    axes.set_xlim(-0.6, len(labels) - 0.4)
