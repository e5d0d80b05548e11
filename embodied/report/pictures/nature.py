"""What bodies are like beyond their fitness: energy, speed, and whether they stand without their motors."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

from embodied.evolution.measures import PUSH_SPEED, STAND_SECONDS, TRIALS
from embodied.report.history import History
from embodied.report.learning import groups
from embodied.report.lineage import depth
from embodied.report.pictures.learning import mark_groups
from embodied.report.style import ACCENT, CALM, MUTED, OTHER, QUIET, Picture, dot_size, rolling, short, shorten


def nature(history: History) -> list[Picture]:
    """Cost of transport and speed over the run; standing over the run and by generation."""
    costs = np.array([life.measure("cost_of_transport") for life in history.lives])
    missing = int((~np.isfinite(costs)).sum())

    def cost(figure: Figure) -> None:
        axes = figure.subplots()
        axes.set_yscale("log")
        _over_time(axes, history, costs)
        axes.yaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
        axes.yaxis.set_major_formatter(FuncFormatter(short))
        axes.yaxis.set_minor_formatter(NullFormatter())
        axes.set_ylabel("cost of transport, J/(kg m)")

    def speed(figure: Figure) -> None:
        axes = figure.subplots()
        _over_time(axes, history, np.array([life.measure("speed") for life in history.lives]))
        axes.set_ylabel("speed, m/s")
        shorten(axes, "y")

    def standing(figure: Figure) -> None:
        axes = figure.subplots()
        for name, colour, label in (("stands", CALM, "motors off"), ("stands_pushed", OTHER, "motors off and pushed")):
            values = np.array([life.measure(name) for life in history.lives])
            axes.plot(_orders(history), rolling(values, history.population, _mean), color=colour, label=label)
        axes.set_ylim(-0.03, 1.03)
        axes.set_xlim(left=0)
        axes.set_xlabel("lifetimes")
        axes.set_ylabel(f"share that stands, last {history.population}")
        axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{100 * value:.0f} %"))
        shorten(axes, "x")
        axes.legend(loc="best")

    def by_generation(figure: Figure) -> None:
        upper, lower = figure.subplots(2, 1, sharex=True)
        parts = groups(history)
        for axes, name, label in (
            (upper, "cost_of_transport", "cost of transport"),
            (lower, "stands", "share that stands"),
        ):
            values = [np.array([life.measure(name) for life in part.lives]) for part in parts]
            values = [part[np.isfinite(part)] for part in values]
            middle = _mean if name == "stands" else np.median
            y = np.array([middle(part) if len(part) else np.nan for part in values])
            if name != "stands":
                low, high = (
                    np.array([np.percentile(part, q) if len(part) else np.nan for part in values]) for q in (25, 75)
                )
                axes.fill_between(range(len(parts)), low, high, color=CALM, alpha=0.16, linewidth=0)
            axes.plot(range(len(parts)), y, color=CALM, marker="o", markersize=3.5)
            axes.set_ylim(bottom=0)
            axes.set_ylabel(label)
            shorten(axes, "y")
        lower.set_ylim(-0.04, 1.04)
        mark_groups(lower, [part.label for part in parts], "generation" if depth(history) else "lifetimes")

    return [
        Picture(
            "cost-of-transport",
            "Energy per distance and mass",
            "Mechanical work of the motors, Σ |torque · joint velocity| dt, over distance and mass, in the "
            f"evaluation's episodes; the scale is logarithmic. Teal: median of the last {history.population}; "
            f"orange: the best body. {missing:,} of {len(history.lives):,} bodies went less than half a metre and "
            "have no such figure.",
            cost,
        ),
        Picture(
            "speed",
            "Speed",
            "Forward distance over the duration of an episode, means of the evaluation's episodes. A body that falls "
            "early can be fast and worth little.",
            speed,
        ),
        Picture(
            "stability",
            "Passive stability",
            f"Share of {TRIALS} trials in which a body does not fall for {STAND_SECONDS:g} s with its motors off: from "
            f"the task's own start, and after a push of {PUSH_SPEED:g} m/s whose directions go round the compass. Mean "
            f"of the last {history.population} bodies.",
            standing,
        ),
        Picture(
            "nature-by-generation",
            "Energy and stability by generation",
            "Median cost of transport with its quartiles, and the mean share of trials in which a body stands with its "
            "motors off. Late generations hold few bodies.",
            by_generation,
        ),
    ]


def _orders(history: History) -> np.ndarray:
    return np.arange(1, len(history.lives) + 1)


def _mean(values: np.ndarray) -> float:
    return float(np.mean(values))


def _over_time(axes: Axes, history: History, values: np.ndarray) -> None:
    x = _orders(history)
    axes.scatter(x, values, s=dot_size(len(x)), color=QUIET, linewidths=0, rasterized=True)
    axes.plot(x, rolling(values, history.population, lambda part: float(np.median(part))), color=CALM)
    best = history.best.order
    if np.isfinite(values[best]):
        axes.scatter(x[best], values[best], s=38, color=ACCENT, linewidths=0, zorder=3)
    axes.set_xlim(left=0)
    axes.set_xlabel("lifetimes")
    shorten(axes, "x")
    if not np.isfinite(values).any():
        axes.text(0.5, 0.5, "no body has this figure", transform=axes.transAxes, ha="center", color=MUTED)
