"""Sense: something read from an entity, with its terms' names, units, frames and ranges, so it can be explained."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import gymnasium
import numpy as np
import torch
from torch import Tensor

from embodied.runs.table import aligned


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
    shape: tuple[int, ...] = ()
    """How the numbers are laid out, last axis fastest, where they are more than a row."""
    noise: float = 0.0
    """Half-width of the uniform noise that is added to each number, in the unit."""
    history: int = 1
    """How many control steps are shown, the oldest first; ``size`` counts the numbers of all of them."""


class Sense(Protocol):
    """Reads one or more terms."""

    terms: tuple[Term, ...]

    def read(self) -> Tensor:
        """The current readings of all worlds, (W, …) with the terms' sizes in all, in the engine's precision.

        A sense that only shows part of the state returns the same live view each time; it is then read where it
        lies, without being asked again.
        """
        ...


class ObservationSpec:
    """The observation groups of an environment: which senses make them up, their spaces and limits.

    Read in numpy, for worlds on CPU threads; `DeviceObservationSpec` is for all others.
    """

    def __init__(self, groups: Mapping[str, Sequence[Sense]], device: torch.device) -> None:
        """Lays the senses of each group out side by side."""
        self.groups = {name: tuple(term for sense in senses for term in sense.terms) for name, senses in groups.items()}
        """The terms of each group in their order."""
        self._limits = {
            name: np.array([limit for term in terms for limit in [term.limit] * term.size], dtype=np.float32)
            for name, terms in self.groups.items()
        }
        self._common_limit = {
            name: float(limits[0]) if len(limits) > 0 and (limits == limits[0]).all() else None
            for name, limits in self._limits.items()
        }
        self.space = gymnasium.spaces.Dict(
            {name: gymnasium.spaces.Box(-limits, limits) for name, limits in self._limits.items()}
        )
        """The space of one world's observation."""
        self.device = device
        self._take(groups)

    def _take(self, groups: Mapping[str, Sequence[Sense]]) -> None:
        """Prepares for reading the senses."""
        self._readings = {name: _joined([_Reading(sense) for sense in senses]) for name, senses in groups.items()}

    def read(self, worlds: np.ndarray | None = None) -> dict[str, Tensor]:
        """All groups of all worlds, or of those with the numbers given: (W, size) float32 each, freshly allocated.

        In numpy, as all that runs between two physics steps is: behind them caches are cold, and a numpy operation
        on arrays of this size then costs a quarter of a torch one.
        """
        observation = {}
        for name, readings in self._readings.items():
            sources = [reading.array() if worlds is None else reading.array()[worlds] for reading in readings]
            if len(readings) == 1 and readings[0].live is None and sources[0].dtype == np.float32:
                observation[name] = torch.from_numpy(sources[0].reshape(len(sources[0]), -1))  # nobody else's
                continue
            out = np.empty((len(sources[0]), len(self._limits[name])), dtype=np.float32)
            start = 0
            for source in sources:
                end = start + math.prod(source.shape[1:])
                out[:, start:end].reshape(source.shape)[...] = source
                start = end
            observation[name] = torch.from_numpy(out)
        return observation

    def outside(self, observation: Mapping[str, Tensor]) -> Tensor | None:
        """(W,) bool: worlds whose observation has a number that is not finite or beyond its limit; None for none."""
        mask = None
        for name, limits in self._limits.items():
            group = observation[name].numpy()
            if (limit := self._common_limit[name]) is not None and group.max() <= limit and group.min() >= -limit:
                continue
            within = np.abs(group) <= limits
            if not within.all():
                bad = ~within.all(axis=1)
                mask = bad if mask is None else mask | bad
        return None if mask is None else torch.from_numpy(mask)

    def slices(self, group: str) -> dict[str, slice]:
        """Where each term of a group lies."""
        ends = np.cumsum([term.size for term in self.groups[group]])
        return {
            term.name: slice(int(end) - term.size, int(end)) for term, end in zip(self.groups[group], ends, strict=True)
        }

    def __str__(self) -> str:
        """The observation as a table."""
        rows = [("group", "term", "columns", "shape", "unit", "frame", "limit", "noise")]
        for group, terms in self.groups.items():
            places = self.slices(group)
            for term in terms:
                place = places[term.name]
                columns = f"{place.start}:{place.stop}"
                shape = "x".join(map(str, term.shape or (term.size,)))
                noise = f"±{term.noise:g}" if term.noise else "-"
                name = term.name if term.history == 1 else f"{term.name}, {term.history} steps"
                rows.append((group, name, columns, shape, term.unit, term.frame or "-", f"±{term.limit:g}", noise))
        return aligned(rows)


class _Reading:
    """A sense's readings as an array: looked up once where they are a live view, asked for each time where not."""

    def __init__(self, sense: Sense) -> None:
        self._sense = sense
        one, two = sense.read(), sense.read()  # both alive: copies would lie in different places
        self.live = one.numpy() if one.data_ptr() == two.data_ptr() and one.numel() else None

    def array(self) -> np.ndarray:
        return self._sense.read().numpy() if self.live is None else self.live


def _joined(readings: list[_Reading]) -> list[_Reading]:
    """Neighbouring readings that also lie side by side in memory become one, to be copied at once."""
    kept: list[_Reading] = []
    for reading in readings:
        before, here = kept[-1].live if kept else None, reading.live
        if before is not None and here is not None and _side_by_side(before, here):
            shape = (before.shape[0], before.shape[1] + here.shape[1])
            kept[-1].live = np.lib.stride_tricks.as_strided(before, shape, before.strides)
        else:
            kept.append(reading)
    return kept


def _side_by_side(left: np.ndarray, right: np.ndarray) -> bool:
    return (
        left.ndim == right.ndim == 2
        and left.dtype == right.dtype
        and left.strides == right.strides
        and right.ctypes.data == left.ctypes.data + left.shape[1] * left.strides[1]
    )
