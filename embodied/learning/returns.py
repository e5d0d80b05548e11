"""Advantages and reward scaling, as functions of whole rollouts."""

from __future__ import annotations

import torch
from torch import Tensor

from embodied.networks import RunningNormaliser


def generalised_advantages(
    rewards: Tensor,
    values: Tensor,
    terminated: Tensor,
    truncated: Tensor,
    final_values: Tensor,
    gamma: float,
    lambda_: float,
) -> Tensor:
    """Generalised advantage estimation. Schulman et al. (2016), equation 16.

    An episode that terminated is worth nothing afterwards; one that was truncated is worth ``final_values``, the
    value of its true last observation. (DERL bootstraps neither; its reference calls that a defect.)

    Args:
        rewards, terminated, truncated, final_values: (T, W).
        values: (T + 1, W).
        gamma, lambda_: discount, and the trace's decay.

    Returns:
        (T, W) advantages.
    """
    ended = terminated | truncated
    following = torch.where(ended, final_values.masked_fill(terminated, 0.0), values[1:])
    deltas = rewards + gamma * following - values[:-1]
    decay = (~ended).to(deltas.dtype).mul_(gamma * lambda_)
    advantages = deltas
    for step in range(len(deltas) - 2, -1, -1):
        advantages[step].addcmul_(decay[step], advantages[step + 1])
    return advantages


class RewardScaler(RunningNormaliser):
    """Divides rewards by the running standard deviation of the discounted return, and clips them. DERL."""

    def __init__(self, gamma: float) -> None:
        """Starts without statistics; rewards pass unscaled until the first `observe`."""
        super().__init__(1)
        self.gamma = gamma

    def observe(self, rewards: Tensor, ended: Tensor, discounted_return: Tensor) -> None:
        """Takes a rollout into the statistics.

        Args:
            rewards, ended: (T, W); ``ended`` marks the last step of an episode.
            discounted_return: (W,) of the episodes under way; carried on in place.
        """
        returns = torch.empty_like(rewards)
        for step in range(len(rewards)):
            discounted_return.mul_(self.gamma).add_(rewards[step])
            returns[step] = discounted_return
            discounted_return.masked_fill_(ended[step], 0.0)
        self.update(returns.unsqueeze(-1))

    def forward(self, inputs: Tensor) -> Tensor:
        """Scaled and clipped rewards, of the given shape."""
        return (inputs * self._scale).clamp_(-self.clip, self.clip)
