"""PPO's losses of M members with their slopes at the networks' outputs. Counterparts of `embodied.learning.losses`."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from embodied.networks.distributions import HALF_LOG_2PI


@dataclass(frozen=True)
class StackedPolicySlopes:
    """The clipped surrogates of a minibatch."""

    loss: Tensor
    """(M,)."""
    mean: Tensor
    """(M, N, n) Slope of each loss in its member's mean actions."""
    log_std: Tensor
    """(M, n) In the logarithm of the standard deviations."""
    entropy: Tensor
    """(M,) Of the distributions, nats."""
    kl: Tensor
    """(M,) Schulman's low-variance estimate of the divergence from the old policies, nats."""
    clip_fraction: Tensor
    """(M,) Part of the samples whose ratio is beyond the clip."""


def policy_slopes(
    mean: Tensor, log_std: Tensor, actions: Tensor, old_log_probs: Tensor, advantages: Tensor, clip: float
) -> StackedPolicySlopes:
    """Schulman et al. (2017), equation 7, for Gaussians with one standard deviation for all states.

    Args:
        mean: (M, N, n) of N states.
        log_std: (M, n).
        actions: (M, N, n).
        old_log_probs, advantages: (M, N).
        clip: of the probability ratio.
    """
    inverse = torch.exp(-log_std).unsqueeze(1)
    scaled = (actions - mean).mul_(inverse)
    squares = scaled.square()
    total = log_std.sum(dim=1)
    size, number = log_std.shape[1], mean.shape[1]
    constant = (total + size * HALF_LOG_2PI).unsqueeze(1)
    log_ratio = squares.sum(dim=-1).mul_(-0.5).sub_(old_log_probs).sub_(constant)
    ratio = log_ratio.exp()
    clipped = ratio.clamp(1 - clip, 1 + clip)
    gain, clipped_gain = ratio * advantages, clipped * advantages
    # Where clipping takes effect the loss does not depend on the policy. The rest: d ratio = ratio d log_prob.
    weight = gain.masked_fill(clipped_gain < gain, 0.0).mul_(-1.0 / number)
    return StackedPolicySlopes(
        loss=-torch.minimum(gain, clipped_gain).mean(dim=1),
        mean=scaled.mul_(inverse).mul_(weight.unsqueeze(-1)),
        log_std=torch.bmm(weight.unsqueeze(1), squares.sub_(1.0)).squeeze(1),
        entropy=total + size * (0.5 + HALF_LOG_2PI),
        kl=(ratio - log_ratio).mean(dim=1).sub_(1.0),
        clip_fraction=clipped.ne_(ratio).mean(dim=1),
    )


def value_slope(values: Tensor, old_values: Tensor, targets: Tensor, clip: float) -> tuple[Tensor, Tensor]:
    """Half the squared error, its change from the old values clipped.

    Args:
        values, old_values, targets: (M, N).
        clip: of the change of values.

    Returns:
        The mean losses, (M,), and their slopes in the values, (M, N).
    """
    change = values - old_values
    kept = change.clamp(-clip, clip)
    error, clipped_error = values - targets, old_values + kept - targets
    worse = clipped_error.square() > error.square()
    # The clipped error, where it is the larger one, depends on the value only inside the clip, where both are equal.
    slope = error.masked_fill(worse & (kept != change), 0.0).div_(values.shape[1])
    loss = torch.where(worse, clipped_error, error).square().mean(dim=1).mul_(0.5)
    return loss, slope
