"""Noise on senses: uniform, fresh at every reading."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import torch
from torch import Tensor

from embodied.senses.sense import Sense


class Noisy:
    """Senses side by side, with uniform noise on every number; drawn for all of them at once."""

    def __init__(self, senses: Sequence[tuple[Sense, float]], generator: torch.Generator) -> None:
        """Each sense comes with the half-width of its noise, in its own unit; its terms' limits grow by that."""
        self._senses = [sense for sense, _ in senses]
        self._generator = generator
        self.terms = tuple(
            replace(term, noise=noise, limit=term.limit + noise) for sense, noise in senses for term in sense.terms
        )
        widths = [2.0 * term.noise for term in self.terms for _ in range(term.size)]
        self._widths = torch.tensor(widths, device=self._senses[0].read().device)

    def read(self) -> Tensor:
        """(W, …) The senses' readings with noise, float32."""
        readings = torch.cat([sense.read().flatten(1) for sense in self._senses], dim=1)
        chance = torch.rand(readings.shape, generator=self._generator, device=readings.device)
        return chance.sub_(0.5).mul_(self._widths).add_(readings)
