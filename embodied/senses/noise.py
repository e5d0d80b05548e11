"""Noise on a sense: uniform, fresh at every reading."""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor

from embodied.senses.sense import Sense


class Noisy:
    """A sense of one term with uniform noise on every number."""

    def __init__(self, sense: Sense, noise: float, generator: torch.Generator) -> None:
        """``noise``: its half-width, in the sense's unit; the largest magnitude of the term grows by it."""
        self._sense = sense
        self._noise = noise
        self._generator = generator
        self.terms = tuple(replace(term, noise=noise, limit=term.limit + noise) for term in sense.terms)

    def read(self) -> Tensor:
        """(W, …) The sense's readings with noise, float32."""
        reading = self._sense.read().numpy()
        noisy = torch.rand(reading.shape, generator=self._generator).numpy()
        noisy -= 0.5
        noisy *= 2.0 * self._noise
        noisy += reading
        return torch.from_numpy(noisy)
