"""Action distributions, with only the arithmetic that learning needs."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

HALF_LOG_2PI = 0.5 * math.log(2 * math.pi)


@dataclass(frozen=True)
class Gaussian:
    """A normal distribution with independent components and one standard deviation for all states."""

    mean: Tensor
    """(…, n)."""
    log_std: Tensor
    """(n,)."""

    def sample(self, generator: torch.Generator | None = None) -> Tensor:
        """(…, n) A draw."""
        noise = torch.randn(self.mean.shape, generator=generator, device=self.mean.device)
        return torch.addcmul(self.mean, noise, self.log_std.exp())

    def log_prob(self, actions: Tensor) -> Tensor:
        """(…) Log density of actions (…, n)."""
        scaled = (actions - self.mean) * torch.exp(-self.log_std)
        constant = self.log_std.sum() + self.log_std.shape[-1] * HALF_LOG_2PI
        return scaled.square().sum(dim=-1).mul(-0.5) - constant

    def entropy(self) -> Tensor:
        """() Of one state's distribution, nats; the same for all states."""
        return self.log_std.sum() + self.log_std.shape[-1] * (0.5 + HALF_LOG_2PI)
