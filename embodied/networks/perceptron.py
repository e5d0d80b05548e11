"""Multilayer perceptrons with tanh."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import torch
from torch import Tensor, nn


def linear(inputs: int, outputs: int, generator: torch.Generator, gain: float = 1.0) -> nn.Linear:
    """A layer with orthogonal weights of a gain, DERL's being 1, and zero bias."""
    # By way of the meta device: torch's own initialisation would draw from the global generator.
    layer = nn.Linear(inputs, outputs, device="meta").to_empty(device="cpu")
    nn.init.orthogonal_(layer.weight, gain, generator=generator)
    nn.init.zeros_(layer.bias)
    return layer


class Perceptron(nn.Module):
    """Linear layers with tanh between them, and after the last one too where that is asked for."""

    def __init__(
        self,
        sizes: Sequence[int],
        generator: torch.Generator,
        tanh_last: bool = False,
        hidden_gain: float = 1.0,
        last_gain: float | None = None,
    ) -> None:
        """Draws the weights.

        Args:
            sizes: of the inputs, each layer's outputs, the last being the result.
            generator: of the initial weights.
            tanh_last: whether tanh follows the last layer.
            hidden_gain: of all weights but the last layer's.
            last_gain: of the last layer's; by default the same.
        """
        super().__init__()
        gains = [hidden_gain] * (len(sizes) - 2) + [hidden_gain if last_gain is None else last_gain]
        self.layers = nn.ModuleList(
            linear(inputs, outputs, generator, gain)
            for (inputs, outputs), gain in zip(pairwise(sizes), gains, strict=True)
        )
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
