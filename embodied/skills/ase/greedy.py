"""Which worlds act by their means: per-world masks of Peng et al.'s released code.

A policy that only ever acts with noise learns to lean on it; one that will be used without is shown to its critic, its
discriminator and its encoder without, too. Samples without noise teach the actor nothing.
"""

from __future__ import annotations

import torch
from torch import Tensor


def noise_probabilities(num_worlds: int) -> Tensor:
    """(W,) How likely world i of W acts with noise: 1 - exp(10 (i / (W - 1) - 1)); the first always, the last never.

    A single world always does.
    """
    if num_worlds == 1:
        return torch.ones(1)
    place = torch.arange(num_worlds, dtype=torch.float64) / (num_worlds - 1)
    chance = -torch.expm1(10.0 * (place - 1.0))
    chance[0], chance[-1] = 1.0, 0.0
    return chance.float()


def noisy_mask(steps: int, probabilities: Tensor, generator: torch.Generator) -> Tensor:
    """(steps, W) bool: where actions are drawn and not their means."""
    return torch.rand(steps, len(probabilities), generator=generator) < probabilities
