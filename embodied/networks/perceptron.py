"""Multilayer perceptrons with tanh, and their gradients written out.

At the sizes of this field's policies a perceptron is a dozen operations of some microseconds each, and autograd spends
as much on recording and replaying them as they take. Learners that know what they differentiate by ask for
`Perceptron.gradients`; everything else may use autograd as ever.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional


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
        if not torch.is_grad_enabled():
            return self._run(inputs)[-1]
        for number, layer in enumerate(self.layers, start=1):
            inputs = layer(inputs)
            if number < len(self.layers) or self.tanh_last:
                inputs = torch.tanh(inputs)
        return inputs

    @torch.no_grad()
    def values(self, inputs: Tensor) -> list[Tensor]:
        """The inputs (…, features) and every layer's outputs, (…, n) each: what `gradients` goes by."""
        return self._run(inputs)

    def _run(self, inputs: Tensor) -> list[Tensor]:
        values = [inputs]
        bare = None if self.tanh_last else self.layers[-1]
        for layer in self.layers:
            outputs = functional.linear(values[-1], layer.weight, layer.bias)  # type: ignore[arg-type]
            if layer is not bare:
                _tanh_(outputs)
            values.append(outputs)
        return values

    @torch.no_grad()
    def gradients(self, values: Sequence[Tensor], slope: Tensor) -> list[Tensor]:
        """Gradients of a scalar in the parameters' order, from its slope (N, outputs) in the last of the values."""
        return self._back(values, slope)[0]

    @torch.no_grad()
    def gradients_and_slope(self, values: Sequence[Tensor], slope: Tensor) -> tuple[list[Tensor], Tensor]:
        """As `gradients`, and the scalar's slope in the inputs, (N, features)."""
        found, slope = self._back(values, slope)
        return found, slope @ self.layers[0].weight  # type: ignore[operator]

    def _back(self, values: Sequence[Tensor], slope: Tensor) -> tuple[list[Tensor], Tensor]:
        """The gradients, and the slope in what the first layer gives before its tanh."""
        found: list[Tensor] = []
        for number in range(len(self.layers), 0, -1):
            if number < len(self.layers) or self.tanh_last:
                slope = torch.ops.aten.tanh_backward(slope, values[number])
            found += [slope.sum(dim=0), slope.t() @ values[number - 1]]
            if number > 1:
                slope = slope @ self.layers[number - 1].weight  # type: ignore[operator]
        return found[::-1], slope


def _tanh_(values: Tensor) -> None:
    """tanh in place. On a CPU numpy's takes a tenth of the time of torch's."""
    if values.device.type == "cpu":
        array = values.numpy()
        np.tanh(array, out=array)
    else:
        values.tanh_()
