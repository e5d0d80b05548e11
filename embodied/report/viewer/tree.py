"""The family tree: lifetimes by birth and fitness, each tied to its parent; the best one's line stands out."""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence

from embodied.report.viewer.picture import ACCENT, BAD, CALM, INK, QUIET, Frame, frame_of, number
from embodied.report.viewer.sweep import Row, lineage

HEIGHT = 250.0
MOST = 400
"""Lifetimes drawn."""


def drawn_lifetimes(rows: Sequence[Row], best: int | None, shown: int | None, most: int = MOST) -> list[int]:
    """Which lifetimes are drawn when there are too many, by number.

    The one that is shown and the best with their ancestors and all in flight are. Of the rest, cut into equal stretches
    of birth, each stretch gives its fittest and its first.
    """
    if len(rows) <= most:
        return list(range(len(rows)))
    kept = {number for end in (best, shown) if end is not None for number in lineage(rows, end)}
    kept |= {row["id"] for row in rows if row["status"] == "running"}
    rest = [row for row in rows if row["id"] not in kept]
    stretches = max(0, most - len(kept)) // 2
    for n in range(stretches):
        stretch = rest[n * len(rest) // stretches : (n + 1) * len(rest) // stretches]
        kept.add(stretch[0]["id"])
        fitness = [-math.inf if row["fitness"] is None else row["fitness"] for row in stretch]
        kept.add(stretch[fitness.index(max(fitness))]["id"])
    return sorted(kept)


def nearest_ancestor(rows: Sequence[Row], lifetime: int, among: Collection[int]) -> int | None:
    """The youngest ancestor that is drawn."""
    parent = rows[lifetime]["parent"]
    while parent is not None and parent not in among:
        parent = rows[parent]["parent"]
    return parent


def tree(rows: Sequence[Row], best: int | None, shown: int | None, lifetimes: int, most: int = MOST) -> str:
    """An SVG.

    Args:
        rows: of the ledger, by number.
        best: number of the fittest lifetime.
        shown: number of the one whose body is on the stage; it is ringed.
        lifetimes: that the evolution is to have, the tree's width.
        most: how many are drawn.
    """
    if not rows:
        return ""
    numbers = drawn_lifetimes(rows, best, shown, most)
    values = [rows[n]["fitness"] for n in numbers if rows[n]["fitness"] is not None]
    frame = frame_of((0.0, float(max(lifetimes, len(rows)) - 1)), values or [1.0], HEIGHT)
    drawn = set(numbers)
    line = set(lineage(rows, best)) if best is not None else set()
    edges = {True: [], False: []}
    for child in numbers:
        parent = nearest_ancestor(rows, child, drawn)
        if parent is not None:
            edges[child in line].append(_edge(frame, rows, parent, child))
    nodes = [_node(frame, rows, n, n in line, n == shown) for n in sorted(numbers, key=lambda n: (n in line, n))]
    content = (
        f'<path d="{"".join(edges[False])}" fill="none" stroke="{QUIET}" stroke-width="0.8"/>'
        f"{''.join(nodes[: len(numbers) - len(line)])}"
        f'<path d="{"".join(edges[True])}" fill="none" stroke="{ACCENT}" stroke-width="2"/>'
        f"{''.join(nodes[len(numbers) - len(line) :])}"
    )
    return frame.drawn(content, "Family tree: fitness against order of birth", "born")


def _height(frame: Frame, rows: Sequence[Row], number: int) -> float:
    """Where a lifetime stands: by its fitness; without one beside its parent, or on the floor where that has none."""
    row = rows[number]
    if row["fitness"] is None and row["parent"] is not None:
        row = rows[row["parent"]]
    return frame.up(row["fitness"] if row["fitness"] is not None else frame.y[0])


def _edge(frame: Frame, rows: Sequence[Row], parent: int, child: int) -> str:
    x1, x2 = frame.across(parent), frame.across(child)
    y1, y2 = _height(frame, rows, parent), _height(frame, rows, child)
    middle = (x1 + x2) / 2
    return f"M{x1:.1f},{y1:.1f}C{middle:.1f},{y1:.1f} {middle:.1f},{y2:.1f} {x2:.1f},{y2:.1f}"


def _node(frame: Frame, rows: Sequence[Row], which: int, in_line: bool, shown: bool) -> str:
    row = rows[which]
    x, y = frame.across(which), _height(frame, rows, which)
    colour = ACCENT if in_line else CALM if row["parent"] is None else "#8fa3ab"
    look = f'fill="{colour}" stroke="white" stroke-width="0.6"'
    if row["status"] != "finished":
        look = f'fill="white" stroke="{BAD if row["status"] == "failed" else INK}" stroke-width="1.2"'
    origin = "initial" if row["parent"] is None else f"{row['operator']} of {row['parent']}"
    fate = number(row["fitness"]) if row["status"] == "finished" else row["status"]
    ring = f'<circle cx="{x:.1f}" cy="{y:.1f}" r="7" fill="none" stroke="{INK}" stroke-width="1.6"/>' if shown else ""
    return (
        f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{4 if in_line else 3}" {look} style="cursor:pointer" '
        f'data-lifetime="{row["id"]}">'
        f"<title>lifetime {row['id']} ({origin}): {fate}</title></circle>{ring}"
    )
