"""Multilayer perceptrons, and the encoder that gives every observation group one of its own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor, nn


class _Tanh(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, inputs: Tensor) -> Tensor:
        outputs = torch.sigmoid(inputs * 2).mul_(2).sub_(1)
        ctx.save_for_backward(outputs)
        return outputs

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Tensor:
        return torch.ops.aten.tanh_backward(gradients[0], *ctx.saved_tensors)


class Tanh(nn.Module):
    """The hyperbolic tangent as 2 σ(2x) - 1: within 2e-7 of ``torch.tanh``, at a fifth of its price on a CPU."""

    def forward(self, inputs: Tensor) -> Tensor:
        """Element by element."""
        return _Tanh.apply(inputs) if inputs.requires_grad else torch.sigmoid(inputs * 2).mul_(2).sub_(1)


def linear(inputs: int, outputs: int, generator: torch.Generator) -> nn.Linear:
    """A layer with orthogonal weights of gain 1 and zero bias. DERL."""
    # By way of the meta device: torch's own initialisation would draw from the global generator.
    layer = nn.Linear(inputs, outputs, device="meta").to_empty(device="cpu")
    nn.init.orthogonal_(layer.weight, generator=generator)
    nn.init.zeros_(layer.bias)
    return layer


def mlp(sizes: Sequence[int], generator: torch.Generator) -> nn.Sequential:
    """Layers through the given sizes, tanh after each."""
    layers = [module for inputs, outputs in pairwise(sizes) for module in (linear(inputs, outputs, generator), Tanh())]
    return nn.Sequential(*layers)


class GroupEncoder(nn.Module):
    """Observation groups to features. DERL: one group goes through one MLP; of several, each goes through its own,
    and one more layer joins what comes out.
    """

    def __init__(self, groups: Mapping[str, int], hidden: Sequence[int], generator: torch.Generator) -> None:
        """Makes the MLPs.

        Args:
            groups: sizes by name, in the order in which features are joined.
            hidden: layer sizes of each MLP; the last is the number of features.
            generator: draws the initial weights.
        """
        super().__init__()
        self.branches = nn.ModuleDict({name: mlp((size, *hidden), generator) for name, size in groups.items()})
        self.join = mlp((hidden[-1] * len(groups), hidden[-1]), generator) if len(groups) > 1 else None

    def forward(self, observation: Mapping[str, Tensor]) -> Tensor:
        """(…, features)."""
        features = [branch(observation[name]) for name, branch in self.branches.items()]
        return features[0] if self.join is None else self.join(torch.cat(features, dim=-1))
