"""PPO's losses with their slopes at the networks' outputs, worked out by hand.

With `Perceptron.gradients` an update then needs no autograd, which at these sizes costs as much as the arithmetic.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from embodied.networks.distributions import HALF_LOG_2PI, Gaussian


@dataclass(frozen=True)
class PolicySlopes:
    """The clipped surrogate of a minibatch."""

    loss: Tensor
    """()."""
    mean: Tensor
    """(N, n) Slope of the loss in the mean actions."""
    log_std: Tensor
    """(n,) In the logarithm of the standard deviations."""
    kl: Tensor
    """() Schulman's low-variance estimate of the divergence from the old policy, nats."""
    clip_fraction: Tensor
    """() Part of the samples whose ratio is beyond the clip."""


@torch.no_grad()
def policy_slopes(
    distribution: Gaussian, actions: Tensor, old_log_probs: Tensor, advantages: Tensor, clip: float
) -> PolicySlopes:
    """Schulman et al. (2017), equation 7, for a Gaussian with one standard deviation for all states.

    Args:
        distribution: of N states.
        actions: (N, n).
        old_log_probs, advantages: (N,).
        clip: of the probability ratio.
    """
    inverse = torch.exp(-distribution.log_std)
    scaled = (actions - distribution.mean).mul_(inverse)
    squares = scaled.square()
    constant = float(distribution.log_std.sum()) + inverse.shape[0] * HALF_LOG_2PI
    log_ratio = squares.sum(dim=-1).mul_(-0.5).sub_(old_log_probs).sub_(constant)
    ratio = log_ratio.exp()
    clipped = ratio.clamp(1 - clip, 1 + clip)
    gain, clipped_gain = ratio * advantages, clipped * advantages
    # Where clipping takes effect the loss does not depend on the policy. The rest: d ratio = ratio d log_prob.
    weight = gain.masked_fill(clipped_gain < gain, 0.0).mul_(-1.0 / len(ratio))
    return PolicySlopes(
        loss=-torch.minimum(gain, clipped_gain).mean(),
        mean=scaled.mul_(inverse).mul_(weight.unsqueeze(-1)),
        log_std=weight @ squares.sub_(1.0),
        kl=(ratio - log_ratio).mean().sub_(1.0),
        clip_fraction=clipped.ne_(ratio).mean(),
    )


@torch.no_grad()
def value_slope(values: Tensor, old_values: Tensor, targets: Tensor, clip: float) -> tuple[Tensor, Tensor]:
    """Half the squared error, its change from the old values clipped; as in the original PPO code and DERL.

    Args:
        values, old_values, targets: (N,).
        clip: of the change of values.

    Returns:
        The mean loss, (1,), and its slope in the values, (N,).
    """
    change = values - old_values
    kept = change.clamp(-clip, clip)
    error, clipped_error = values - targets, old_values + kept - targets
    worse = clipped_error.square() > error.square()
    # The clipped error, where it is the larger one, depends on the value only inside the clip, where both are equal.
    slope = error.masked_fill(worse & (kept != change), 0.0).div_(len(values))
    loss = torch.where(worse, clipped_error, error).square().mean().mul_(0.5)
    return loss.unsqueeze(0), slope
