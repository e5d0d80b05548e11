"""The orders in which minibatches are drawn, each member's from its own generator."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor


class Shuffles:
    """Draws the orders of all epochs at once.

    On a CPU they are the ones that plain PPO draws, an epoch at a time: `rewind` gives back what it would not have
    drawn, because a member stopped early. On a GPU they are the ranks of uniform numbers, a few launches for all
    members, and nothing is given back.
    """

    def __init__(self, generators: Sequence[torch.Generator], epochs: int, size: int, device: torch.device) -> None:
        """Allocates.

        Args:
            generators: of the members, on the device.
            epochs: passes over a rollout.
            size: samples of a member.
            device: where the orders are used.
        """
        self._generators = generators
        self._after: list[list[Tensor]] = []
        self._on_cpu = device.type == "cpu"
        self.orders = torch.zeros(epochs, len(generators), size, dtype=torch.int64, device=device)
        """(epochs, M, N) Sample numbers."""
        self._keys = None if self._on_cpu else torch.zeros(len(generators), epochs, size, device=device)

    def draw(self) -> Tensor:
        """New orders, which are also left in ``orders``."""
        if self._keys is not None:
            for keys, generator in zip(self._keys, self._generators, strict=True):
                keys.uniform_(generator=generator)
            self.orders.copy_(self._keys.argsort(dim=-1).transpose(0, 1))
            return self.orders
        self._after = []
        for member, generator in enumerate(self._generators):
            states = []
            for order in self.orders[:, member]:
                order.copy_(torch.randperm(len(order), generator=generator))
                states.append(generator.get_state())
            self._after.append(states)
        return self.orders

    def rewind(self, member: int, epochs: int) -> None:
        """The member has begun only so many of the epochs, at least one."""
        if self._on_cpu:
            self._generators[member].set_state(self._after[member][epochs - 1])
