"""Observations of a World on a device: read and judged there, for all worlds at once, without waiting for it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import torch
from torch import Tensor

from embodied.senses.sense import ObservationSpec, Sense


class DeviceObservationSpec(ObservationSpec):
    """The `ObservationSpec` for every World but a `CpuWorld`."""

    def _take(self, groups: Mapping[str, Sequence[Sense]]) -> None:
        self._senses = {name: tuple(senses) for name, senses in groups.items()}
        self._bounds = {name: torch.from_numpy(limits).to(self.device) for name, limits in self._limits.items()}

    def read(self, worlds: np.ndarray | None = None) -> dict[str, Tensor]:
        """All groups of all worlds, or of those with the numbers given: (W, size) float32 each, freshly allocated."""
        rows = slice(None) if worlds is None else worlds
        return {
            name: torch.cat([sense.read().flatten(1)[rows].float() for sense in senses], dim=1)
            for name, senses in self._senses.items()
        }

    def outside(self, observation: Mapping[str, Tensor]) -> Tensor:
        """(W,) bool: worlds whose observation has a number that is not finite or beyond its limit."""
        within = [(observation[name].abs() <= bounds).all(dim=1) for name, bounds in self._bounds.items()]
        return torch.stack(within).all(dim=0).logical_not_()
