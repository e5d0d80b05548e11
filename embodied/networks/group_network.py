"""The network over observation groups. DERL: each group through a perceptron of its own, then one layer that joins."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, cast

import torch
from torch import Tensor, nn

from embodied.networks.perceptron import Perceptron


class GroupNetwork(nn.Module):
    """Observation groups to outputs. One group is one perceptron through and through."""

    def __init__(
        self, groups: Mapping[str, int], hidden: Sequence[int], outputs: int, generator: torch.Generator
    ) -> None:
        """Makes the perceptrons.

        Args:
            groups: sizes by name, in the order in which features are joined.
            hidden: layer sizes of each group's perceptron.
            outputs: what comes out of the last, linear layer.
            generator: draws the initial weights.
        """
        super().__init__()
        self.groups = tuple(groups)
        if len(self.groups) == 1:
            self.branches = nn.ModuleDict()
            self.trunk = Perceptron((groups[self.groups[0]], *hidden, outputs), generator)
        else:
            self.branches = nn.ModuleDict(
                {name: Perceptron((size, *hidden), generator, tanh_last=True) for name, size in groups.items()}
            )
            self.trunk = Perceptron((hidden[-1] * len(groups), hidden[-1], outputs), generator)

    def forward(self, observation: Mapping[str, Tensor]) -> Tensor:
        """(…, outputs)."""
        if not self.branches:
            return self.trunk(observation[self.groups[0]])
        return self.trunk(torch.cat([self.branches[name](observation[name]) for name in self.groups], dim=-1))

    def _branch(self, name: str) -> Perceptron:
        return cast(Perceptron, self.branches[name])

    @torch.no_grad()
    def run(self, observation: Mapping[str, Tensor]) -> tuple[Tensor, Any]:
        """Outputs (N, outputs) for observations (N, …), and what `gradients` needs of the way there."""
        if not self.branches:
            values = self.trunk.values(observation[self.groups[0]])
            return values[-1], (values, {})
        branches = {name: self._branch(name).values(observation[name]) for name in self.groups}
        values = self.trunk.values(torch.cat([branch[-1] for branch in branches.values()], dim=-1))
        return values[-1], (values, branches)

    @torch.no_grad()
    def gradients(self, way: Any, slope: Tensor) -> list[Tensor]:
        """Gradients of a scalar in the parameters' order, from its slope (N, outputs) in what `run` gave."""
        values, branches = way
        if not branches:
            return self.trunk.gradients(values, slope)
        trunk, slopes = self.trunk.gradients_and_slope(values, slope)
        parts = slopes.split([branch[-1].shape[-1] for branch in branches.values()], dim=-1)
        found = [
            self._branch(name).gradients(branch, part)
            for (name, branch), part in zip(branches.items(), parts, strict=True)
        ]
        return [*(gradient for branch in found for gradient in branch), *trunk]
