"""Sense: something read from an entity, with its terms' names, units, frames and ranges, so it can be explained."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import gymnasium
import numpy as np
import torch
from torch import Tensor


@dataclass(frozen=True)
class Term:
    """A run of numbers of one kind within an observation group."""

    name: str
    size: int
    unit: str
    limit: float
    """Largest magnitude a healthy world shows, in the unit; a world beyond it ends as unhealthy."""
    frame: str = ""
    """What vectors are expressed in; empty where nothing is."""


class Sense(Protocol):
    """Reads one or more terms."""

    terms: tuple[Term, ...]

    def read(self) -> Tensor:
        """The current readings of all worlds, (W, sum of sizes), in the engine's precision."""
        ...


class ObservationSpec:
    """The observation groups of an environment: which senses make them up, their spaces and limits."""

    def __init__(self, groups: Mapping[str, Sequence[Sense]], device: torch.device) -> None:
        """Lays the senses of each group out side by side."""
        self._senses = {name: tuple(senses) for name, senses in groups.items()}
        self.groups: dict[str, tuple[Term, ...]] = {}
        """The terms of each group in their order."""
        self._limits: dict[str, Tensor] = {}
        for name, senses in groups.items():
            self.groups[name] = tuple(term for sense in senses for term in sense.terms)
            limits = [limit for term in self.groups[name] for limit in [term.limit] * term.size]
            self._limits[name] = torch.tensor(limits, dtype=torch.float32, device=device)
        self.space = gymnasium.spaces.Dict(
            {name: gymnasium.spaces.Box(-limits.numpy(), limits.numpy()) for name, limits in self._cpu_limits().items()}
        )
        """The space of one world's observation."""

    def _cpu_limits(self) -> dict[str, Tensor]:
        return {name: limits.cpu() for name, limits in self._limits.items()}

    def read(self) -> dict[str, Tensor]:
        """All groups, (W, size) float32 each, freshly allocated."""
        return {
            name: torch.cat([sense.read() for sense in senses], dim=1).float() for name, senses in self._senses.items()
        }

    def outside(self, observation: Mapping[str, Tensor]) -> Tensor:
        """(W,) bool: worlds whose observation has a number that is not finite or beyond its limit."""
        masks = [~(observation[name].abs() <= limits).all(dim=-1) for name, limits in self._limits.items()]
        return masks[0] if len(masks) == 1 else torch.stack(masks).any(dim=0)

    def slices(self, group: str) -> dict[str, slice]:
        """Where each term of a group lies."""
        ends = np.cumsum([term.size for term in self.groups[group]])
        return {
            term.name: slice(int(end) - term.size, int(end)) for term, end in zip(self.groups[group], ends, strict=True)
        }

    def __str__(self) -> str:
        """The observation as a table."""
        rows = [("group", "term", "columns", "unit", "frame", "limit")]
        for group, terms in self.groups.items():
            places = self.slices(group)
            for term in terms:
                place = places[term.name]
                rows.append(
                    (group, term.name, f"{place.start}:{place.stop}", term.unit, term.frame or "-", f"±{term.limit:g}")
                )
        widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
        return "\n".join("  ".join(cell.ljust(w) for cell, w in zip(row, widths, strict=True)).rstrip() for row in rows)
