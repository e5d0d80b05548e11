"""Adam over one flat tensor. Kingma and Ba (2015), algorithm 1.

Parameters become views of the flat tensor, so that clipping and a step are a handful of operations whatever the
network; torch's own optimiser spends more on its bookkeeping than a network of this size costs to update. On a CPU.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor, nn


class FlatAdam:
    """Holds parameters in one tensor and moves them against clipped gradients."""

    def __init__(
        self,
        parameters: Sequence[nn.Parameter],
        epsilon: float = 1e-5,
        betas: tuple[float, float] = (0.9, 0.999),
    ) -> None:
        """Moves the parameters' data into one tensor; they stay what they are to their modules."""
        self.parameters = list(parameters)
        self.epsilon, self.betas = epsilon, betas
        self.flat = torch.cat([parameter.detach().flatten() for parameter in self.parameters])
        self.first = torch.zeros_like(self.flat)
        self.second = torch.zeros_like(self.flat)
        self.steps = 0
        self._gradient, self._room = np.zeros_like(self.flat.numpy()), np.empty_like(self.flat.numpy())
        self.gradients: list[np.ndarray] = []
        """Where `step` looks for the parameters' gradients, in their order and of their shapes. It uses them up."""
        start = 0
        for parameter in self.parameters:
            part = slice(start, start + parameter.numel())
            parameter.data = self.flat[part].view_as(parameter)
            self.gradients.append(self._gradient[part].reshape(parameter.shape))
            start = part.stop

    def step(self, learning_rate: float, max_norm: float) -> None:
        """One step against the gradients, clipped to a norm over all of them."""
        fast, slow = self.betas
        gradient, room = self._gradient, self._room
        flat, first, second = self.flat.numpy(), self.first.numpy(), self.second.numpy()
        np.multiply(gradient, gradient, out=room)
        norm = math.sqrt(np.add.reduce(room))
        scale = min(1.0, max_norm / (norm + 1e-6))
        self.steps += 1
        second *= slow
        room *= (1 - slow) * scale**2
        second += room
        gradient *= (1 - fast) * scale
        first *= fast
        first += gradient
        np.sqrt(second, out=room)
        room *= (1 - slow**self.steps) ** -0.5
        room += self.epsilon
        np.divide(first, room, out=room)
        room *= learning_rate / (1 - fast**self.steps)
        flat -= room

    def state_dict(self) -> dict[str, Tensor]:
        """Moments and step count."""
        return {"first": self.first.clone(), "second": self.second.clone(), "steps": torch.tensor(self.steps)}

    def load_state_dict(self, state: dict[str, Tensor]) -> None:
        """Restores `state_dict`."""
        self.first.copy_(state["first"])
        self.second.copy_(state["second"])
        self.steps = int(state["steps"])
