"""The learning rate that follows the policy's change: down after a large one, up after a small one.

After the adaptive penalty of Schulman et al. (2017), section 4, which moves the penalty's weight; moving the learning
rate instead, minibatch by minibatch, is customary for walking robots (Rudin et al., 2022).
"""

from __future__ import annotations

import torch
from torch import Tensor

FACTOR = 1.5
"""By which the rate is changed at once."""
LOWEST, HIGHEST = 1e-5, 1e-2
"""Of the rate."""


def adapted_rate(rate: Tensor, kl: Tensor, target: float) -> Tensor:
    """The next rate, of the shape of ``rate``.

    Args:
        rate: as it is.
        kl: divergence of the policy from the old one, nats, of the rate's shape.
        target: divergence that is aimed at; beyond twice that the rate falls, below half of it it rises.
    """
    lower = (rate / FACTOR).clamp(min=LOWEST)
    higher = (rate * FACTOR).clamp(max=HIGHEST)
    return torch.where(kl > 2 * target, lower, torch.where((kl > 0) & (kl < target / 2), higher, rate))
