"""Transfer: what each body reached on each task, evolution arenas side by side."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator

from embodied.report.style import ACCENT, CALM, INK, MUTED, OTHER, Picture, short
from embodied.report.transfer import UNITS, Group, Results, Value, groups, metric_name, tasks_of

COLOURS = (CALM, ACCENT, OTHER, "#6c8f3d")
"""Of arenas, in their order."""
IN_A_ROW = 4
"""Panels."""


def transfer_picture(found: Sequence[Results]) -> Picture:
    """A small panel for every task, with a column of dots for every group of bodies."""
    columns, tasks = groups(found), tasks_of(found)
    arenas = [results.folder for results in found]
    rows = math.ceil(len(tasks) / IN_A_ROW)
    across = min(IN_A_ROW, max(2, len(tasks)))

    def paint(figure: Figure) -> None:
        panels = figure.subplots(rows, across, squeeze=False).ravel()
        for axes in panels[len(tasks) :]:
            axes.set_visible(False)
        for axes, task in zip(panels, tasks, strict=False):
            _panel(axes, task, "metric" if metric_name(found, task) else "return")
        marks = [axes.scatter([], [], **_look(group)) for axes in panels[:1] for group in columns]
        figure.legend(marks, [group.label for group in columns], loc="outside upper left", ncols=4)

    def _panel(axes: Axes, task: str, figure: Value) -> None:
        for x, group in enumerate(columns):
            values = group.values(task, figure)
            if not values:
                continue
            spread = np.linspace(-0.16, 0.16, len(values)) if len(values) > 1 else [0.0]
            axes.scatter(x + np.asarray(spread), values, **_look(group))
            mean = float(np.mean(values))
            axes.plot([x - 0.3, x + 0.3], [mean, mean], color=INK, linewidth=1.4, zorder=3)
        name = metric_name(found, task)
        unit = UNITS.get(task, name.replace("_", " ")) if figure == "metric" else "return"
        axes.set_title(task.replace("_", " "), loc="left")
        axes.set_ylabel(unit)
        axes.set_xlim(-0.6, len(columns) - 0.4)
        axes.set_xticks([])
        axes.margins(y=0.12)
        axes.axhline(0.0, color=MUTED, linewidth=0.8, zorder=1)  # in sight, so that small differences look small
        axes.yaxis.set_major_locator(MaxNLocator(4, steps=[1, 2, 2.5, 5, 10]))
        axes.yaxis.set_major_formatter(FuncFormatter(short))

    def _look(group: Group) -> dict:
        colour = COLOURS[arenas.index(group.results.folder) % len(COLOURS)] if group.own else MUTED
        if group.evolved:
            return {"s": 22, "color": colour, "linewidths": 0, "zorder": 2}
        return {"s": 20, "facecolors": "white", "edgecolors": colour, "linewidths": 1.2, "zorder": 2}

    return Picture(
        "bodies-on-other-tasks",
        "Bodies on other tasks",
        "What each task is judged by, one dot a body, mean over the evaluation's episodes; the line is the mean over "
        "bodies. Filled: the best of the evolution; rings: the best of its initial population. Every body learned "
        f"every task from nothing, in {_steps(found)} environment steps.",
        paint,
        (10.4, 0.7 + 2.2 * rows),
    )


def _steps(found: Sequence[Results]) -> str:
    return " or ".join(dict.fromkeys(f"{results.steps:,}" for results in found))
