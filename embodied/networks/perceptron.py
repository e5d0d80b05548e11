"""Multilayer perceptrons with tanh, as one operation on a CPU.

At the sizes of this field's policies a perceptron is a dozen operations of some microseconds each, and torch spends
more on dispatching and recording them than on arithmetic. Here forward and backward of all layers are one autograd
function, and tanh is numpy's, which takes a tenth of the time of torch's. Elsewhere, and in other precisions, the same
layers run as torch operations.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable


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
        self._flat_parameters: list[nn.Parameter] = list(self.parameters())

    def forward(self, inputs: Tensor) -> Tensor:
        """(…, outputs)."""
        if inputs.device.type == "cpu" and inputs.dtype == torch.float32 and not inputs.requires_grad:
            flat = inputs.reshape(-1, inputs.shape[-1])
            if torch.is_grad_enabled():
                outputs = _Fused.apply(flat, self.tanh_last, *self._flat_parameters)
            else:
                outputs = _run(flat, self.tanh_last, self._flat_parameters)[-1]
            return outputs.reshape(*inputs.shape[:-1], outputs.shape[-1])
        for number, layer in enumerate(self.layers, start=1):
            inputs = layer(inputs)
            if number < len(self.layers) or self.tanh_last:
                inputs = torch.tanh(inputs)
        return inputs


def _run(inputs: Tensor, tanh_last: bool, parameters: Sequence[Tensor]) -> list[Tensor]:
    """The inputs and every layer's outputs, (N, …) each."""
    values = [inputs]
    for number in range(0, len(parameters), 2):
        outputs = torch.addmm(parameters[number + 1], values[-1], parameters[number].t())
        if tanh_last or number + 2 < len(parameters):
            array = outputs.numpy()
            np.tanh(array, out=array)
        values.append(outputs)
    return values


class _Fused(torch.autograd.Function):
    """All layers at once. The inputs are observations, which need no gradient."""

    @staticmethod
    def forward(ctx: Any, inputs: Tensor, tanh_last: bool, *parameters: Tensor) -> Tensor:
        values = _run(inputs, tanh_last, parameters)
        ctx.values, ctx.tanh_last, ctx.parameters = values, tanh_last, parameters
        return values[-1]

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *slopes: Tensor) -> tuple[Tensor | None, ...]:  # type: ignore[override]
        slope = slopes[0].contiguous()
        gradients: list[Tensor] = []
        ones = slope.new_ones(len(slope))
        for number in range(len(ctx.values) - 1, 0, -1):
            if ctx.tanh_last or number < len(ctx.values) - 1:
                outputs = ctx.values[number].numpy()
                slope = torch.from_numpy(slope.numpy() * (1.0 - outputs * outputs))
            # A sum over samples as a product with ones is much the fastest.
            gradients += [slope.t() @ ones, slope.t() @ ctx.values[number - 1]]
            if number > 1:
                slope = slope @ ctx.parameters[2 * (number - 1)]
        return (None, None, *reversed(gradients))
