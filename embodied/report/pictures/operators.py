"""What each mutation operator did to fitness: every child against its parent."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure

from embodied.report.history import History
from embodied.report.operators import effects
from embodied.report.style import ACCENT, CALM, INK, MUTED, QUIET, Picture, shorten


def operators(history: History) -> Picture | None:
    """Changes of fitness by operator; None where nothing was mutated."""
    found = [effect for effect in effects(history) if effect.number]
    if not found:
        return None

    def paint(figure: Figure) -> None:
        axes = figure.subplots()
        rng = np.random.default_rng(0)
        for row, effect in enumerate(found[::-1]):
            better = effect.changes > 0
            lifted = row + 0.22 * (rng.random(effect.number) - 0.5)
            small = 16 if effect.number < 60 else 5
            for mask, colour in ((~better, QUIET), (better, ACCENT)):
                axes.scatter(effect.changes[mask], lifted[mask], s=small, color=colour, linewidths=0, rasterized=True)
            low, middle, high = np.percentile(effect.changes, (25, 50, 75))
            axes.plot([low, high], [row - 0.27] * 2, color=CALM, linewidth=2.4)
            axes.plot([middle], [row - 0.27], marker="o", markersize=5.5, color=CALM, markeredgecolor="white")
            axes.annotate(
                f"{100 * effect.improved:.0f} %  of {effect.number:,}",
                (1.01, row),
                xycoords=("axes fraction", "data"),
                va="center",
                fontsize=8.5,
                color=MUTED,
            )
        axes.annotate(
            "improved", (1.01, len(found) - 0.45), xycoords=("axes fraction", "data"), fontsize=8.5, color=MUTED
        )
        axes.axvline(0, color=INK, linewidth=0.9)
        axes.set_yticks(range(len(found)), labels=[effect.operator.replace("_", " ") for effect in found[::-1]])
        axes.set_ylim(-0.6, len(found) - 0.3)
        axes.grid(True, axis="x")
        axes.grid(False, axis="y")
        axes.set_xlabel("fitness of the child less its parent's")
        shorten(axes, "x")

    return Picture(
        "operators",
        "Children against their parents",
        "Each dot is a child; orange ones are better than their parents. The teal bar spans the middle half, its "
        "dot is the median. Parents are the best of those drawn, by a fitness that varies from one training to the "
        "next, so children fall behind them even where a mutation does nothing: compare operators with one another, "
        "not with 0.",
        paint,
        (10.4, 0.55 * len(found) + 1.0),
    )
