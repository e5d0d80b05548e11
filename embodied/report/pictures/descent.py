"""The family tree with pictures of the bodies on it, and whose descendants took over."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from matplotlib.offsetbox import AnnotationBbox, OffsetImage

from embodied.report.history import History, Life
from embodied.report.lineage import ancestors, depth, founders, spread, takeover
from embodied.report.style import (
    ACCENT,
    AGES,
    CALM,
    FAINT,
    INK,
    MUTED,
    QUIET,
    Picture,
    dot_size,
    rolling,
    short,
    shorten,
)

Portraits = Callable[[Life], np.ndarray | None]
"""Draws a body: (height, width, 4) uint8 with a transparent ground; None where nothing can be drawn."""
LINE = 8
"""Most bodies of the line that are pictured above the tree."""
OTHERS = 12
"""Most bodies that are pictured in the tree."""
OTHER_FOUNDERS = 14
"""Founders with a colour of their own in the takeover; the rest are drawn as one."""


def shown_bodies(history: History) -> tuple[list[Life], list[Life]]:
    """Whom the tree pictures: of the best one's line, and of the others the best of as many founders as there are."""
    line = spread(ancestors(history, history.best), LINE)
    in_line = {life.id for life in ancestors(history, history.best)}
    founder = founders(history)
    seen: dict[int, int] = {}
    ranked: list[tuple[int, float, Life]] = []
    for life in sorted(history.lives, key=lambda life: -life.fitness):
        if life.id not in in_line:
            place = seen[founder[life.id]] = seen.get(founder[life.id], -1) + 1
            ranked.append((place, -life.fitness, life))
    return line, [life for _, _, life in sorted(ranked, key=lambda each: each[:2])]


def tree(history: History, portraits: Portraits) -> Picture:
    """Every lifetime by birth and fitness, an edge from each parent, and the line of the best above it."""
    line = ancestors(history, history.best)
    pictured, candidates = shown_bodies(history)

    def paint(figure: Figure) -> None:
        axes = figure.subplots()
        lives, by_id = history.lives, history.by_id
        pairs = [(by_id[life.parent], life) for life in lives if life.parent in by_id]
        many = len(lives) > 400
        axes.add_collection(
            LineCollection(
                [((one.id, one.fitness), (two.id, two.fitness)) for one, two in pairs],
                colors=QUIET,
                linewidths=0.3 if many else 0.8,
                alpha=0.45 if many else 0.9,
                rasterized=True,
                zorder=1,
            )
        )
        deepest = max(1, depth(history))
        axes.scatter(
            [life.id for life in lives],
            [life.fitness for life in lives],
            c=[AGES(0.2 + 0.8 * life.generation / deepest) for life in lives],
            s=2.2 * dot_size(len(lives)) if not many else dot_size(len(lives)),
            linewidths=0,
            rasterized=True,
            zorder=2,
        )
        axes.plot([x.id for x in line], [x.fitness for x in line], color=ACCENT, linewidth=2, zorder=3)
        axes.scatter([x.id for x in line], [x.fitness for x in line], color=ACCENT, s=26, zorder=4, linewidths=0)
        low, high = min(history.fitness.min(), 0.0), history.fitness.max()
        span = (high - low) or 1.0
        width = max(life.id for life in lives) + 1
        axes.set_xlim(-0.03 * width, 1.02 * width)
        axes.set_ylim(low - 0.06 * span, high + 0.50 * span)
        axes.spines["left"].set_bounds(low - 0.06 * span, high)
        axes.set_yticks([tick for tick in axes.get_yticks() if low - 0.05 * span <= tick <= high + 0.05 * span])
        axes.set_xlabel("lifetimes, in order of birth")
        axes.set_ylabel("fitness", y=0.34)
        shorten(axes, "x")
        axes.yaxis.set_major_formatter(short)
        _strip(axes, pictured, portraits, high + 0.35 * span, high + 0.10 * span, width)
        _others(figure, axes, candidates, line, portraits)

    return Picture(
        "family-tree",
        "Family tree",
        "Every dot is a body, light for early generations and dark for late ones, with a thin line from its parent. "
        "Orange is the line of the best body; above, its ancestors from the founder to the best"
        + (f", the {len(pictured)} of {len(line)} at which fitness rose most" if len(pictured) < len(line) else "")
        + ". The small bodies in the tree are the best of other founders' families.",
        paint,
        (10.4, 6.6),
    )


def _strip(axes: Axes, lives: list[Life], portraits: Portraits, y: float, foot: float, width: float) -> None:
    """Portraits in a row above the plot, each with a thread to its dot."""
    places = width * (np.arange(len(lives)) + 0.5) / len(lives)
    for x, life in zip(places, lives, strict=True):
        picture = portraits(life)
        if picture is not None:
            box = AnnotationBbox(OffsetImage(picture, zoom=_zoom(picture, 88)), (x, y), frameon=False, zorder=6)
            axes.add_artist(box)
        axes.plot([x, life.id], [foot, life.fitness], color=ACCENT, linewidth=0.7, linestyle=(0, (1, 2)), zorder=2.5)
        words = "founder" if life.parent is None else (life.operator or "").replace("_", " ")
        for line, (text, weight) in enumerate(((short(life.fitness), "bold"), (words, "normal"))):
            axes.annotate(
                text,
                (x, foot),
                xytext=(0, 5 + 12 * line),
                textcoords="offset points",
                ha="center",
                va="baseline",
                fontsize=8.5,
                color=INK,
                weight=weight,
                zorder=7,
            )


def _others(figure: Figure, axes: Axes, candidates: list[Life], line: list[Life], portraits: Portraits) -> None:
    """Small portraits beside their dots, as far as there is room for them."""
    figure.canvas.draw()
    reach = 0.30 * figure.dpi
    taken = [axes.transData.transform((life.id, life.fitness)) for life in line]
    placed: list[np.ndarray] = []
    area = axes.get_window_extent()
    for life in candidates:
        if len(placed) == OTHERS:
            break
        spot = axes.transData.transform((life.id, life.fitness)) + np.array([0, 1.0 * reach])
        clear = all(np.abs(spot - other).max() > 2.0 * reach for other in placed)
        clear &= all(np.abs(spot - other).max() > 1.15 * reach for other in taken)
        inside = area.x0 + reach < spot[0] < area.x1 - reach and spot[1] < area.y0 + 0.6 * area.height
        picture = portraits(life) if clear and inside else None
        if picture is None:
            continue
        placed.append(spot)
        box = AnnotationBbox(
            OffsetImage(picture, zoom=_zoom(picture, 46)),
            tuple(axes.transData.inverted().transform(spot)),
            frameon=False,
        )
        box.set_zorder(5)
        axes.add_artist(box)


def _zoom(picture: np.ndarray, points: float) -> float:
    return points / picture.shape[1]


def generations(history: History) -> Picture:
    """How many births lie between each body and its founder."""
    line = ancestors(history, history.best)

    def paint(figure: Figure) -> None:
        axes = figure.subplots()
        ages = np.array([life.generation for life in history.lives], dtype=float)
        x = np.arange(1, len(ages) + 1)
        axes.scatter(x, ages, s=dot_size(len(ages)), color=QUIET, linewidths=0, rasterized=True)
        axes.plot(x, rolling(ages, history.population, lambda part: float(np.mean(part))), color=CALM, label="mean")
        axes.plot(
            [life.order + 1 for life in line],
            [life.generation for life in line],
            color=ACCENT,
            marker="o",
            markersize=4,
            linewidth=1.2,
            label="line of the best",
        )
        axes.set_xlim(left=0)
        axes.set_xlabel("lifetimes")
        axes.set_ylabel("generation")
        shorten(axes)
        axes.legend(loc="upper left")

    return Picture(
        "generations",
        "Generations",
        f"Births between each body and its founder. Teal: the mean of the last {history.population} lifetimes; orange: "
        "the line of the best body.",
        paint,
    )


def takeover_picture(history: History) -> Picture:
    """Shares of the founders' descendants among the living."""
    found = takeover(history)
    mine = ancestors(history, history.best)[0].id
    largest = sorted(found.shares, key=lambda founder: -found.shares[founder].sum())
    named = [founder for founder in largest if founder != mine][:OTHER_FOUNDERS]
    rest = [founder for founder in largest if founder != mine and founder not in named]

    def paint(figure: Figure) -> None:
        axes = figure.subplots()
        tones = [CALM, "#8db4bd", "#5f99a8", "#cfd9dd", "#2a6071", "#a9c6cd"]
        layers = [found.shares[mine], *(found.shares[founder] for founder in named)]
        colours = [ACCENT, *(tones[i % len(tones)] for i in range(len(named)))]
        if rest:
            layers.append(np.sum([found.shares[founder] for founder in rest], axis=0))
            colours.append(FAINT)
        axes.stackplot(found.ended, layers, colors=colours, linewidth=0.4, edgecolor="white")
        axes.set_xlim(found.ended[0], max(found.ended[-1], found.ended[0] + 1))
        axes.set_ylim(0, 1)
        axes.set_yticks([0, 0.5, 1], labels=["0 %", "50 %", "100 %"])
        axes.set_xlabel("lifetimes")
        axes.set_ylabel(f"share of the last {history.population}", color=MUTED)
        axes.grid(False)
        shorten(axes, "x")

    return Picture(
        "founders",
        "Whose descendants took over",
        f"Among the last {history.population} lifetimes, the share that descends from each founder; orange is the "
        "founder of the best body" + (", the palest band all smaller families together." if rest else "."),
        paint,
    )
