"""Fitness over the course of a run, by lifetimes and by environment steps, with another run beside it."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from embodied.report.history import History
from embodied.report.style import ACCENT, CALM, INK, OTHER, QUIET, Picture, dot_size, rolling, shorten


def progress(history: History, beside: History | None) -> list[Picture]:
    """Best and median so far, twice."""
    other = f" {_name(beside).capitalize()} stands beside it in violet." if beside else ""

    def by_lifetimes(figure: Figure) -> None:
        axes = figure.subplots()
        _course(axes, history, np.arange(1, len(history.lives) + 1), CALM, ACCENT, QUIET, "")
        if beside:
            _course(axes, beside, np.arange(1, len(beside.lives) + 1), OTHER, OTHER, None, f"{_name(beside)}, ")
        axes.set_xlabel("lifetimes")
        _finish(axes, history)

    def by_steps(figure: Figure) -> None:
        axes = figure.subplots()
        _course(axes, history, history.spent, CALM, ACCENT, QUIET, "")
        if beside:
            _course(axes, beside, beside.spent, OTHER, OTHER, None, f"{_name(beside)}, ")
        axes.set_xlabel("environment steps, all lifetimes together")
        _finish(axes, history)

    return [
        Picture(
            "fitness-by-lifetimes",
            "Fitness by lifetimes",
            "Each dot is one lifetime in the order in which they finished. Orange: the best so far; teal: the median "
            f"of the last {history.population}.{other} The dotted line is the best initial body.",
            by_lifetimes,
        ),
        Picture(
            "fitness-by-steps",
            "Fitness by environment steps",
            "The same over what was spent: the environment steps of all lifetimes, failed ones and ones cut short "
            "included, are added up.",
            by_steps,
        ),
    ]


def _name(history: History | None) -> str:
    return "" if history is None else "random search" if history.search == "random" else history.search


def _course(axes: Axes, run: History, x: np.ndarray, median: str, best: str, dots: str | None, label: str) -> None:
    if dots:
        axes.scatter(x, run.fitness, s=dot_size(len(x)), color=dots, linewidths=0, rasterized=True)
    line = "-" if dots else (0, (4, 2))
    axes.step(x, np.maximum.accumulate(run.fitness), where="post", color=best, label=f"{label}best")
    middle = rolling(run.fitness, run.population, lambda part: float(np.median(part)))
    axes.plot(x, middle, color=median, linestyle="-" if dots else line, linewidth=1.6, label=f"{label}median")


def _finish(axes: Axes, history: History) -> None:
    if history.initial_best:
        axes.axhline(history.initial_best.fitness, color=INK, linewidth=0.9, linestyle=":", zorder=1.5)
    axes.set_ylabel("fitness")
    axes.set_xlim(left=0)
    shorten(axes)
    axes.legend(loc="upper left", ncols=2, columnspacing=1.2)
    low, high = axes.get_ylim()
    axes.set_ylim(low, high + 0.16 * (high - low))
