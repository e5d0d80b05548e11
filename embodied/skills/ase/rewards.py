"""Rewards of pre-training. Peng et al. (2022), equation 13, with the constants of the released code."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

LEAST_DOUBT = 1e-4
"""Lower end of 1 - σ(D): rewards end at -2 log of it, 18.4."""
SCALE = 2.0
"""Of the discriminator's reward."""


def style_reward(logit: Tensor) -> Tensor:
    """(…) r_D = -2 log max(1 - σ(D), 1e-4): how much a movement looks like the clips'.

    1 - σ(D) is σ(-D), whose logarithm is taken without ever taking a difference.
    """
    return -SCALE * functional.logsigmoid(-logit).clamp_min(torch.tensor(LEAST_DOUBT, dtype=logit.dtype).log())


def skill_reward(encoded: Tensor, latent: Tensor) -> Tensor:
    """(…) r_E = max(⟨E, z⟩, 0): how well the latent is told from the movement. Both (…, L), of unit length."""
    return (encoded * latent).sum(dim=-1).clamp_min(0.0)
