"""How pictures look: colours, fonts and lines of every figure of the report, and how one is drawn and saved."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from matplotlib.font_manager import get_font_names
from matplotlib.ticker import FuncFormatter, MaxNLocator

ACCENT, CALM, QUIET, OTHER = "#d9772f", "#3f7f92", "#a9bac1", "#8d6a9f"
"""The best and its ancestors; medians; single lifetimes; the run beside."""
INK, MUTED, FAINT, PAPER = "#263238", "#64757d", "#e4eaec", "#ffffff"
"""Text, lesser text, lines behind, ground."""
AGES = LinearSegmentedColormap.from_list("ages", ["#cfd9dd", "#8db4bd", "#3f7f92", "#1c4757", "#0e2731"])
"""From the first generation to the last."""
WORTH = LinearSegmentedColormap.from_list("worth", ["#eef3f4", "#f4d9b6", "#e9a35c", "#d9772f", "#8f3f12"])
"""From the least fitness to the greatest."""
DOTS = 200
"""Per inch."""
PANEL, WIDE = (5.0, 3.3), (10.4, 4.4)
"""Width and height of a picture, inches: two to a row of the page, or one."""
MANY = 1500
"""Points from which on they are drawn small."""


@dataclass(frozen=True)
class Picture:
    """A figure of the report, before it is drawn."""

    name: str
    """Of its file, without suffix."""
    title: str
    caption: str
    """Sentences: what is to be seen, and how it is computed. HTML entities are for the page to write."""
    paint: Callable[[Figure], None]
    size: tuple[float, float] = PANEL

    @property
    def wide(self) -> bool:
        """Whether it takes a row of its own."""
        return self.size[0] > PANEL[0]


def _settings() -> dict[Any, Any]:
    there = set(get_font_names())
    fonts = [name for name in ("Inter", "Helvetica Neue", "Arial", "Liberation Sans", "DejaVu Sans") if name in there]
    return {
        "font.family": fonts,
        "font.size": 9.0,
        "axes.titlesize": 9.5,
        "axes.labelsize": 9.0,
        "axes.labelcolor": MUTED,
        "axes.edgecolor": "#c3ced3",
        "axes.linewidth": 0.8,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.grid": True,
        "axes.grid.axis": "y",
        "axes.axisbelow": True,
        "grid.color": FAINT,
        "grid.linewidth": 0.8,
        "xtick.color": MUTED,
        "ytick.color": MUTED,
        "xtick.labelsize": 8.5,
        "ytick.labelsize": 8.5,
        "xtick.major.size": 3.0,
        "ytick.major.size": 0.0,
        "text.color": INK,
        "legend.frameon": False,
        "legend.fontsize": 8.5,
        "legend.handlelength": 1.6,
        "lines.linewidth": 1.8,
        "lines.solid_capstyle": "round",
        "figure.facecolor": PAPER,
        "axes.facecolor": PAPER,
    }


def draw(picture: Picture, folder: Path) -> Path:
    """Paints a picture and saves it as a PNG file; returns its path."""
    path = folder / f"{picture.name}.png"
    with matplotlib.rc_context(_settings()):
        figure = Figure(figsize=picture.size, layout="constrained")
        FigureCanvasAgg(figure)
        picture.paint(figure)
        temporary = path.with_name(f".{path.name}.tmp.png")
        figure.savefig(temporary, dpi=DOTS, pil_kwargs={"optimize": False, "compress_level": 6})
    temporary.replace(path)
    return path


def short(value: float, _: object = None) -> str:
    """A number for an axis or a card: 1,200, 16M, 0.25."""
    for size, letter in ((1e9, "G"), (1e6, "M")):
        if abs(value) >= size:
            return f"{value / size:.3g}{letter}"
    if abs(value) >= 1e4:
        return f"{value / 1e3:.3g}k"
    if abs(value) >= 100 or value == int(value):
        return f"{value:,.0f}"
    return f"{value:.3g}"


def shorten(axes: Axes, which: str = "xy") -> None:
    """Short numbers at few ticks."""
    for axis in which:
        each = getattr(axes, f"{axis}axis")
        each.set_major_formatter(FuncFormatter(short))
        each.set_major_locator(MaxNLocator(6, steps=[1, 2, 2.5, 5, 10]))


def dot_size(number: int) -> float:
    """Area of one point among so many, points²."""
    return 14.0 if number <= 200 else 7.0 if number <= MANY else 3.0


def rolling(values: np.ndarray, window: int, of: Callable[[np.ndarray], float]) -> np.ndarray:
    """(n,) A figure of the last ``window`` values at each place, fewer at the start, those that are nan left out."""
    found = np.full(len(values), np.nan)
    for end in range(1, len(values) + 1):
        part = values[max(0, end - window) : end]
        part = part[np.isfinite(part)]
        if len(part):
            found[end - 1] = of(part)
    return found
