"""The chart: best and median fitness against finished lifetimes."""

from __future__ import annotations

from embodied.report.viewer.picture import ACCENT, CALM, QUIET, frame_of, path_of
from embodied.report.viewer.sweep import Course

HEIGHT = 150.0
MOST = 400
"""Points of a line, and dots."""


def chart(course: Course, lifetimes: int) -> str:
    """An SVG.

    Args:
        course: what is drawn; may be empty.
        lifetimes: that the evolution is to have, the chart's width.
    """
    count = len(course.fitness)
    if not count:
        return ""
    frame = frame_of((0.0, float(max(lifetimes, count))), course.fitness, HEIGHT)
    shown = thinned(count, MOST)
    dots = "".join(
        f'<circle cx="{frame.across(n + 1):.1f}" cy="{frame.up(course.fitness[n]):.1f}" r="1.6"/>' for n in shown
    )
    lines = ""
    for values, colour in ((course.median, CALM), (course.best, ACCENT)):
        points = [(frame.across(n + 1), frame.up(values[n])) for n in shown]
        lines += f'<path d="{path_of(points)}" fill="none" stroke="{colour}" stroke-width="2" stroke-linejoin="round"/>'
    return frame.drawn(f'<g fill="{QUIET}">{dots}</g>{lines}', "Fitness against finished lifetimes", "finished")


def thinned(count: int, most: int) -> list[int]:
    """At most so many numbers below a count, evenly spread, the first and the last among them."""
    if count <= most:
        return list(range(count))
    return [round(n * (count - 1) / (most - 1)) for n in range(most)]
