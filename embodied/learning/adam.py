"""Adam over one flat tensor. Kingma and Ba (2015), algorithm 1.

Parameters become views of the flat tensor, so that clipping and a step are a handful of operations whatever the
network; torch's own optimiser spends more on its bookkeeping than a network of this size costs to update.
"""

from __future__ import annotations

from collections.abc import Sequence

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
        start = 0
        for parameter in self.parameters:
            parameter.data = self.flat[start : start + parameter.numel()].view_as(parameter)
            start += parameter.numel()

    @torch.no_grad()
    def step(self, gradients: Sequence[Tensor], learning_rate: float, max_norm: float) -> None:
        """One step against the parameters' gradients, clipped to a norm over all of them."""
        gradient = torch.cat([part.flatten() for part in gradients])
        gradient *= (max_norm / (torch.linalg.vector_norm(gradient) + 1e-6)).clamp_(max=1.0)
        self.steps += 1
        slow, fast = self.betas[1], self.betas[0]
        self.first.lerp_(gradient, 1 - fast)
        self.second.mul_(slow).addcmul_(gradient, gradient, value=1 - slow)
        root = self.second.sqrt().mul_((1 - slow**self.steps) ** -0.5).add_(self.epsilon)
        self.flat.addcdiv_(self.first, root, value=-learning_rate / (1 - fast**self.steps))

    def state_dict(self) -> dict[str, Tensor]:
        """Moments and step count."""
        return {"first": self.first.clone(), "second": self.second.clone(), "steps": torch.tensor(self.steps)}

    def load_state_dict(self, state: dict[str, Tensor]) -> None:
        """Restores `state_dict`."""
        self.first.copy_(state["first"])
        self.second.copy_(state["second"])
        self.steps = int(state["steps"])
