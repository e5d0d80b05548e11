"""Diversity: coverage, quality-diversity and clusters in use over a run, and the map of cells."""

from __future__ import annotations

from functools import partial

import numpy as np
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import PowerNorm
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter

from embodied.evolution.archive import AXES, CELLS
from embodied.report.diversity import diversity, grid
from embodied.report.history import History
from embodied.report.style import CALM, MUTED, OTHER, WORTH, Picture, rolling, short, shorten

LIMBS, HEIGHT = AXES


def diversity_pictures(history: History, beside: History | None) -> list[Picture]:
    """Three courses, and a map of each run."""
    runs = [(history, CALM, history.search), *([(beside, OTHER, beside.search)] if beside else [])]
    courses = [(diversity(run), colour, name) for run, colour, name in runs]

    def course(axes: Axes, field: str, label: str) -> None:
        for found, colour, name in courses:
            values = getattr(found, field)
            axes.plot(np.arange(1, len(values) + 1), values, color=colour, label=name)
        axes.set_xlim(left=0)
        axes.set_ylim(bottom=0)
        axes.set_ylabel(label)
        axes.set_xlabel("lifetimes")
        shorten(axes)
        if beside:
            axes.legend(loc="best")

    def covered(figure: Figure) -> None:
        axes = figure.subplots()
        course(axes, "coverage", "cells reached")
        axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{100 * value:.0f} %"))

    def quality(figure: Figure) -> None:
        course(figure.subplots(), "quality_diversity", "sum of the cells' best fitness")

    def clusters(figure: Figure) -> None:
        course(figure.subplots(), "clusters", f"cells in use, last {history.population}")

    def limbs(figure: Figure) -> None:
        axes = figure.subplots()
        for run, colour, name in runs:
            values = np.array([life.description.get("limbs", np.nan) for life in run.lives], dtype=float)
            x = np.arange(1, len(values) + 1)
            low, middle, high = (rolling(values, run.population, partial(_percentile, q)) for q in (25, 50, 75))
            axes.fill_between(x, low, high, color=colour, alpha=0.16, linewidth=0)
            axes.plot(x, middle, color=colour, label=name)
        axes.set_xlim(left=0)
        axes.set_ylabel(f"limbs, last {history.population}")
        axes.set_xlabel("lifetimes")
        shorten(axes)
        if beside:
            axes.legend(loc="best")

    top = max(float(np.nanmax([*grid(run)[0].ravel(), 0.0])) for run, _, _ in runs)
    cells = f"The {CELLS} cells are {LIMBS.bins} numbers of limbs by {HEIGHT.bins} heights."
    return [
        Picture("coverage", "Coverage", f"Share of the kinds of bodies that were ever tried. {cells}", covered),
        Picture(
            "quality-diversity",
            "Quality-diversity score",
            "Sum over the cells of the best fitness found there, negative ones counted as 0 (Pugh et al., 2016): it "
            "rises with new kinds and with better ones of a kind.",
            quality,
        ),
        Picture(
            "clusters",
            "Clusters in use",
            f"Number of cells that the last {history.population} lifetimes fill. Where it falls while fitness rises, "
            "the search has settled on few kinds.",
            clusters,
        ),
        Picture(
            "limbs",
            "Number of limbs",
            f"Median of the last {history.population} lifetimes, and between which numbers their middle half lies: "
            "where the body plan went.",
            limbs,
        ),
        *(_map(run, top, name if beside else "", "" if run is history else "-beside") for run, _, name in runs),
    ]


def _percentile(q: float, values: np.ndarray) -> float:
    return float(np.percentile(values, q))


def _map(run: History, top: float, name: str, suffix: str) -> Picture:
    best, number = grid(run)

    def paint(figure: Figure) -> None:
        axes = figure.subplots()
        scale = PowerNorm(0.6, 0, top or 1.0)
        axes.imshow(best.T, origin="lower", aspect="auto", cmap=WORTH, norm=scale)
        for (x, y), count in np.ndenumerate(number):
            if count:
                dark = bool(np.asarray(scale(float(max(best[x, y], 0.0)))) > 0.6)
                axes.text(x, y, short(count), ha="center", va="center", fontsize=7.5, color="white" if dark else MUTED)
        axes.set_xticks(range(LIMBS.bins), labels=[f"{LIMBS.low + 0.5 + i:g}" for i in range(LIMBS.bins)])
        edges = np.linspace(HEIGHT.low, HEIGHT.high, HEIGHT.bins + 1)
        axes.set_yticks(np.arange(HEIGHT.bins + 1) - 0.5, labels=[f"{edge:.2f}" for edge in edges])
        axes.set_xticks(np.arange(LIMBS.bins + 1) - 0.5, minor=True)
        axes.grid(False)
        axes.grid(True, which="minor", axis="x", color="white", linewidth=1.5)
        axes.hlines(np.arange(HEIGHT.bins + 1) - 0.5, -0.5, LIMBS.bins - 0.5, color="white", linewidth=1.5)
        axes.tick_params(which="both", length=0)
        for spine in axes.spines.values():
            spine.set_visible(False)
        axes.set_xlabel("limbs")
        axes.set_ylabel("height at rest, m")
        bar = figure.colorbar(ScalarMappable(scale, WORTH), ax=axes, pad=0.02, aspect=28)
        bar.outline.set_visible(False)
        bar.set_label("best fitness")
        bar.ax.yaxis.set_major_formatter(FuncFormatter(short))
        bar.ax.tick_params(length=0)

    return Picture(
        f"map{suffix}",
        f"Map of bodies{f', {name}' if name else ''}",
        "Every kind of body that was tried: colour is the best fitness of the kind, the number how many bodies were of "
        "it. White cells were never reached.",
        paint,
    )
