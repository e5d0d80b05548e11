"""Multilayer perceptrons with tanh."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import torch
from torch import Tensor, nn


def linear(inputs: int, outputs: int, generator: torch.Generator) -> nn.Linear:
    """A layer with orthogonal weights of gain 1 and zero bias. DERL."""
    # By way of the meta device: torch's own initialisation would draw from the global generator.
    layer = nn.Linear(inputs, outputs, device="meta").to_empty(device="cpu")
    nn.init.orthogonal_(layer.weight, generator=generator)
    nn.init.zeros_(layer.bias)
    return layer


class Perceptron(nn.Module):
    """Linear layers with tanh between them, and after the last one too where that is asked for."""

    def __init__(self, sizes: Sequence[int], generator: torch.Generator, tanh_last: bool = False) -> None:
        """Draws the weights.

        Args:
            sizes: of the inputs, each layer's outputs, the last being the result.
            generator: of the initial weights.
            tanh_last: whether tanh follows the last layer.
        """
        super().__init__()
        self.layers = nn.ModuleList(linear(inputs, outputs, generator) for inputs, outputs in pairwise(sizes))
        self.tanh_last = tanh_last

    def forward(self, inputs: Tensor) -> Tensor:
        """(…, outputs)."""
        if inputs.device.type == "cpu" and not torch.is_grad_enabled():
            return torch.from_numpy(self._act(inputs.numpy()))
        for number, layer in enumerate(self.layers, start=1):
            inputs = layer(inputs)
            if number < len(self.layers) or self.tanh_last:
                inputs = torch.tanh(inputs)
        return inputs

    def _act(self, values: np.ndarray) -> np.ndarray:
        """On so few numbers numpy's operations cost a third of torch's, and its tanh a tenth."""
        bare = None if self.tanh_last else self.layers[-1]
        for layer in self.layers:
            values = values @ layer.weight.numpy().T  # type: ignore[operator]
            values += layer.bias.numpy()  # type: ignore[operator]
            if layer is not bare:
                np.tanh(values, out=values)
        return values
