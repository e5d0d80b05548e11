"""PPO's losses with their slopes at the networks' outputs, worked out by hand.

With `GroupNetwork.gradients` an update then needs no autograd, which at these sizes costs as much as the arithmetic.
For tensors on a CPU: all but the matrix products is numpy, whose operations cost a third of torch's on so few numbers.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from embodied.networks.distributions import HALF_LOG_2PI, Gaussian


@dataclass
class PolicySlopes:
    """The clipped surrogate of a minibatch."""

    loss: float
    mean: Tensor
    """(N, n) Slope of the loss in the mean actions."""
    log_std: Tensor
    """(n,) In the logarithm of the standard deviations."""
    kl: float
    """Schulman's low-variance estimate of the divergence from the old policy, nats."""
    clip_fraction: float
    """Part of the samples whose ratio is beyond the clip."""


def policy_slopes(
    distribution: Gaussian, actions: Tensor, old_log_probs: Tensor, advantages: Tensor, clip: float
) -> PolicySlopes:
    """Schulman et al. (2017), equation 7, for a Gaussian with one standard deviation for all states.

    Args:
        distribution: of N states, detached.
        actions: (N, n).
        old_log_probs, advantages: (N,).
        clip: of the probability ratio.
    """
    log_std, advantage, count = distribution.log_std.numpy(), advantages.numpy(), len(actions)
    inverse = np.exp(-log_std)
    scaled = actions.numpy() - distribution.mean.numpy()
    scaled *= inverse
    squares = scaled * scaled
    log_ratio = np.einsum("ij,ij->i", scaled, scaled)
    log_ratio *= -0.5
    log_ratio -= old_log_probs.numpy()
    log_ratio -= np.add.reduce(log_std) + len(log_std) * HALF_LOG_2PI
    ratio = np.exp(log_ratio)
    clipped = np.minimum(np.maximum(ratio, 1 - clip), 1 + clip)
    gain, clipped_gain = ratio * advantage, clipped * advantage
    # Where clipping takes effect the loss does not depend on the policy. The rest: d ratio = ratio d log_prob.
    weight = gain * (clipped_gain >= gain)
    weight *= -1.0 / count
    squares -= 1.0
    scaled *= inverse
    scaled *= weight[:, None]
    return PolicySlopes(
        loss=-float(np.add.reduce(np.minimum(gain, clipped_gain))) / count,
        mean=torch.from_numpy(scaled),
        log_std=torch.from_numpy(weight) @ torch.from_numpy(squares),
        kl=float(np.add.reduce(ratio - log_ratio)) / count - 1.0,
        clip_fraction=np.count_nonzero(clipped != ratio) / count,
    )


def value_slope(values: Tensor, old_values: Tensor, targets: Tensor, clip: float) -> tuple[float, Tensor]:
    """Half the squared error, its change from the old values clipped; as in the original PPO code and DERL.

    Args:
        values, old_values, targets: (N,).
        clip: of the change of values; infinite for none.

    Returns:
        The mean loss, and its slope in the values, (N,).
    """
    old, target = old_values.numpy(), targets.numpy()
    change = values.numpy() - old
    kept = np.minimum(np.maximum(change, -clip), clip)
    error, clipped_error = values.numpy() - target, old + kept
    clipped_error -= target
    square, clipped_square = error * error, clipped_error * clipped_error
    # The clipped error, where it is the larger one, depends on the value only inside the clip, where both are equal.
    stuck = clipped_square > square
    stuck &= kept != change
    error *= ~stuck
    error /= len(error)
    loss = 0.5 * float(np.add.reduce(np.maximum(square, clipped_square))) / len(error)
    return loss, torch.from_numpy(error)
