"""Running normalisers of M members, each with the statistics of its own worlds alone."""

from __future__ import annotations

import torch
from torch import Tensor


class StackedNormaliser:
    """M times `RunningNormaliser`; a row of each tensor per member. Statistics are float64 on every device."""

    def __init__(
        self, members: int, size: int, device: torch.device, clip: float = 10.0, epsilon: float = 1e-8
    ) -> None:
        """Starts with mean 0 and variance 1 from no samples; see `RunningNormaliser` for the arguments."""
        self.clip, self.epsilon = clip, epsilon
        self.mean = torch.zeros(members, size, dtype=torch.float64, device=device)
        """(M, size), as is ``variance``."""
        self.variance = torch.ones_like(self.mean)
        self.count = torch.zeros(members, dtype=torch.float64, device=device)
        """(M,) Samples."""
        self.scale = torch.ones(members, 1, size, device=device)
        """(M, 1, size) float32, as is ``offset``: what `__call__` multiplies by and adds."""
        self.offset = torch.zeros_like(self.scale)

    def update(self, inputs: Tensor, learning: Tensor) -> None:
        """Takes samples (M, N, size) into the statistics of the members of the mask (M,).

        Sums are float64 over float32 deviations from the batch's own mean, which no copy of the batch in float64 has
        to be made for.
        """
        number = inputs.shape[1]
        mean = inputs.sum(dim=1, dtype=torch.float64) / number
        centre = mean.float()
        variance = (inputs - centre.unsqueeze(1)).square_().sum(dim=1, dtype=torch.float64) / number
        variance -= (mean - centre).square_()
        count = self.count.unsqueeze(1)
        total = count + number
        delta = mean - self.mean
        merged = self.variance * count + variance * number + delta.square() * (count * number / total)
        mask = learning.unsqueeze(1)
        self.mean.copy_(torch.where(mask, self.mean + delta * (number / total), self.mean))
        self.variance.copy_(torch.where(mask, merged / total, self.variance))
        self.count.add_(learning, alpha=number)
        self._derive()

    def _derive(self) -> None:
        scale = torch.rsqrt(self.variance + self.epsilon)
        self.scale.copy_(scale.unsqueeze(1))
        self.offset.copy_((-self.mean * scale).unsqueeze(1))

    def __call__(self, inputs: Tensor, out: Tensor | None = None) -> Tensor:
        """Normalised and clipped inputs (M, N, size), in ``out`` where that is given."""
        return torch.addcmul(self.offset, inputs, self.scale, out=out).clamp_(-self.clip, self.clip)

    def member_state(self, member: int) -> dict[str, Tensor]:
        """As a `RunningNormaliser` of that member holds them: mean and variance (size,), count ()."""
        return {name: getattr(self, name)[member] for name in ("mean", "variance", "count")}

    def load_member(self, member: int, state: dict[str, Tensor]) -> None:
        """Takes `member_state`, or a `RunningNormaliser`'s, into one row."""
        for name in ("mean", "variance", "count"):
            getattr(self, name)[member].copy_(state[name])
        self._derive()


class StackedRewardScaler(StackedNormaliser):
    """M times `RewardScaler`."""

    def __init__(self, members: int, gamma: float, device: torch.device) -> None:
        """Starts without statistics; rewards pass unscaled until the first `observe`."""
        super().__init__(members, 1, device)
        self.gamma = gamma

    def observe(self, rewards: Tensor, ended: Tensor, discounted_return: Tensor, learning: Tensor) -> None:
        """Takes a rollout into the statistics.

        Args:
            rewards, ended: (T, W); ``ended`` marks the last step of an episode.
            discounted_return: (W,) of the episodes under way; carried on in place.
            learning: (M,) Members whose statistics learn.
        """
        returns = torch.empty_like(rewards)
        for step in range(len(rewards)):
            discounted_return.mul_(self.gamma).add_(rewards[step])
            returns[step] = discounted_return
            discounted_return.masked_fill_(ended[step], 0.0)
        members = len(self.mean)
        self.update(returns.view(len(rewards), members, -1).transpose(0, 1).reshape(members, -1, 1), learning)

    def scaled(self, rewards: Tensor) -> Tensor:
        """Scaled and clipped rewards (T, W)."""
        by_member = rewards.view(len(rewards), len(self.mean), -1)
        return (by_member * self.scale[:, 0]).clamp_(-self.clip, self.clip).view_as(rewards)
