"""How many bodies share a topology: what a GPU could train together. See docs/gpu-evolution.md."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from embodied.evolution.buckets import shares
from embodied.evolution.ledger import genome_of
from embodied.report.history import History
from embodied.report.learning import groups
from morphologies.topology import topology


@dataclass(frozen=True)
class Sharing:
    """Of one generation, or stretch of a run without generations."""

    label: str
    bodies: int
    topologies: int
    """Different ones."""
    shares: dict[int, float]
    """Part of the bodies that share their topology with so many of the group, themselves included."""


def sharing(history: History) -> list[Sharing]:
    """By generation; where all lifetimes are of generation 0, by stretches of as many as the population is large."""
    found = []
    for group in groups(history):
        kinds = [topology(genome_of({"id": life.id, "genome": life.genome})) for life in group.lives]
        found.append(Sharing(group.label, len(kinds), len(set(kinds)), shares(kinds)))
    return found


def sharing_table(found: Sequence[Sharing]) -> list[tuple[str, ...]]:
    """Rows for people, the first with headings."""
    sizes = found[0].shares if found else {}
    head = ("generation", "bodies", "topologies", *(f"in {size} or more" for size in sizes))
    rows = [
        (
            each.label,
            f"{each.bodies:,}",
            f"{each.topologies:,}",
            *(f"{100 * part:.0f} %" for part in each.shares.values()),
        )
        for each in found
    ]
    return [head, *rows]
