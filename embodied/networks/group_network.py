"""The network over observation groups. DERL: each group through a perceptron of its own, then one layer that joins."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn

from embodied.networks.perceptron import Perceptron


class GroupNetwork(nn.Module):
    """Observation groups to outputs. One group is one perceptron through and through."""

    def __init__(
        self,
        groups: Mapping[str, int],
        hidden: Sequence[int],
        outputs: int,
        generator: torch.Generator,
        hidden_gain: float = 1.0,
        last_gain: float = 1.0,
    ) -> None:
        """Makes the perceptrons.

        Args:
            groups: sizes by name, in the order in which features are joined.
            hidden: layer sizes of each group's perceptron.
            outputs: what comes out of the last, linear layer.
            generator: draws the initial weights.
            hidden_gain, last_gain: of them, before the last layer and in it.
        """
        super().__init__()
        self.groups = tuple(groups)
        if len(self.groups) == 1:
            self.branches = nn.ModuleDict()
            sizes, gains = (groups[self.groups[0]], *hidden, outputs), (hidden_gain, last_gain)
            self.trunk = Perceptron(sizes, generator, False, *gains)
        else:
            self.branches = nn.ModuleDict(
                {name: Perceptron((size, *hidden), generator, True, hidden_gain) for name, size in groups.items()}
            )
            sizes, gains = (hidden[-1] * len(groups), hidden[-1], outputs), (hidden_gain, last_gain)
            self.trunk = Perceptron(sizes, generator, False, *gains)

    def forward(self, observation: Mapping[str, Tensor]) -> Tensor:
        """(…, outputs)."""
        if not self.branches:
            return self.trunk(observation[self.groups[0]])
        return self.trunk(torch.cat([self.branches[name](observation[name]) for name in self.groups], dim=-1))
