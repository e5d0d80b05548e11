"""What the page's drawings share: colours, round numbers for axes, and a frame with fitness upwards."""

from __future__ import annotations

import math
from dataclasses import dataclass

WIDTH = 400.0
"""Of a drawing in its own units; on the page it is as wide as the panel."""
LEFT, RIGHT, TOP, BOTTOM = 40.0, 8.0, 8.0, 18.0
"""Margins around the plot, for the numbers at the axes."""
NAME = 60.0
"""Room for the name of the lower axis at its end."""
ACCENT, CALM, QUIET, BAD, INK, FAINT = "#d9772f", "#3f7f92", "#b9c7cd", "#b4483c", "#37474d", "#e6ebed"
"""The best and its ancestors; the median and the initial population; all others; failures; text; lines behind."""


@dataclass(frozen=True)
class Frame:
    """Maps numbers to places in a drawing."""

    x: tuple[float, float]
    """Range shown."""
    y: tuple[float, float]
    height: float

    def across(self, value: float) -> float:
        """From the left."""
        low, high = self.x
        return LEFT + (value - low) / (high - low) * (WIDTH - LEFT - RIGHT)

    def up(self, value: float) -> float:
        """From the top: drawings count downwards."""
        low, high = self.y
        return self.height - BOTTOM - (value - low) / (high - low) * (self.height - TOP - BOTTOM)

    def drawn(self, content: str, label: str, x_label: str) -> str:
        """The drawing, with axes behind what is in it."""
        lines = []
        for value in ticks(*self.y):
            y = self.up(value)
            lines.append(f'<line x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" y2="{y:.1f}" stroke="{FAINT}"/>')
            lines.append(f'<text x="{LEFT - 5}" y="{y + 3:.1f}" text-anchor="end">{number(value)}</text>')
        for value in ticks(*self.x):
            if value == int(value) and self.across(value) < WIDTH - NAME:
                x = self.across(value)
                lines.append(f'<text x="{x:.1f}" y="{self.height - 5}" text-anchor="middle">{number(value)}</text>')
        lines.append(f'<text x="{WIDTH - RIGHT}" y="{self.height - 5}" text-anchor="end">{x_label}</text>')
        return (
            f'<svg viewBox="0 0 {WIDTH:g} {self.height:g}" width="100%" role="img" aria-label="{label}" '
            f'style="display:block" font-size="9" fill="{INK}" font-family="inherit">{"".join(lines)}{content}</svg>'
        )


def frame_of(x: tuple[float, float], values: list[float], height: float) -> Frame:
    """A frame in which all values, and zero, have room."""
    low, high = min(0.0, *values), max(0.0, *values)
    room = 0.04 * (high - low) or 1.0
    return Frame((x[0], max(x[1], x[0] + 1.0)), (low - (room if low < 0 else 0.0), high + room), height)


def ticks(low: float, high: float, most: int = 6) -> list[float]:
    """Round numbers in a range: multiples of 1, 2 or 5 and a power of ten."""
    raw = (high - low) / most
    power = 10.0 ** math.floor(math.log10(raw))
    step = next(power * factor for factor in (1, 2, 5, 10) if power * factor >= raw)
    return [n * step for n in range(math.ceil(low / step), math.floor(high / step) + 1)]


def number(value: float | None, digits: int = 1) -> str:
    """For people: no decimals where there are none, a dash where there is nothing."""
    if value is None:
        return "–"
    return f"{value:,.0f}" if value == int(value) or abs(value) >= 1000 else f"{value:,.{digits}f}"


def path_of(points: list[tuple[float, float]]) -> str:
    """Straight lines through points."""
    return "M" + "L".join(f"{x:.1f},{y:.1f}" for x, y in points)
