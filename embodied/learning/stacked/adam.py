"""Adam for M members at once, each with its own step count, learning rate and gradient norm. Counterpart of `FlatAdam`.

Members that take no part in a step keep their parameters and moments bit for bit, whatever their gradients are.
"""

from __future__ import annotations

import torch
from torch import Tensor


class StackedAdam:
    """Moves the rows of one tensor (M, P) against clipped gradients. Everything is changed in place."""

    def __init__(self, flat: Tensor, epsilon: float = 1e-5, betas: tuple[float, float] = (0.9, 0.999)) -> None:
        """``flat``: (M, P) Parameters, live."""
        self.flat = flat
        self.epsilon, self.betas = epsilon, betas
        self.first = torch.zeros_like(flat)
        """(M, P), as is ``second``."""
        self.second = torch.zeros_like(flat)
        self.steps = torch.zeros(len(flat), dtype=torch.float64, device=flat.device)
        """(M,) Steps made."""

    def step(self, gradient: Tensor, learning_rate: Tensor, max_norm: float, moving: Tensor) -> None:
        """One step of the members of a mask.

        Args:
            gradient: (M, P); is overwritten.
            learning_rate: (M,).
            max_norm: that each member's gradient is clipped to.
            moving: (M,) bool.
        """
        fast, slow = self.betas
        mask = moving.unsqueeze(1)
        norm = torch.linalg.vector_norm(gradient, dim=1, keepdim=True)
        gradient.mul_((max_norm / (norm + 1e-6)).clamp_(max=1.0)).masked_fill_(~mask, 0.0)
        self.steps.add_(moving)
        self.first.lerp_(gradient, torch.where(mask, 1 - fast, 0.0))
        self.second.mul_(torch.where(mask, slow, 1.0)).addcmul_(gradient, gradient, value=1 - slow)
        # Of members that have made no step yet the corrections are 1 / 0; nothing is done with them.
        unbiased = (1 - torch.pow(slow, self.steps)).rsqrt_().to(gradient.dtype).unsqueeze(1)
        root = self.second.sqrt().mul_(unbiased).add_(self.epsilon)
        rate = (learning_rate / (1 - torch.pow(fast, self.steps))).to(gradient.dtype).unsqueeze(1)
        change = torch.div(self.first, root, out=root).mul_(rate)
        self.flat.sub_(change.masked_fill_(~mask, 0.0))

    def member_state(self, member: int) -> dict[str, Tensor]:
        """What ``FlatAdam.state_dict`` holds, of one member."""
        return {"first": self.first[member], "second": self.second[member], "steps": self.steps[member].long()}

    def load_member(self, member: int, state: dict[str, Tensor]) -> None:
        """Restores `member_state`."""
        for name in ("first", "second", "steps"):
            getattr(self, name)[member].copy_(state[name])
