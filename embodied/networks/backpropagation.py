"""Perceptrons run forward and backward in numpy, for learners that know what they differentiate by.

At the sizes of this field's policies a perceptron is a dozen operations of some microseconds each. Autograd spends as
much on recording and replaying them as they take, and torch several times numpy's price on calling each. Here every
result has its place in memory that is kept. For float32 parameters on a CPU.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import cast

import numpy as np
from torch import nn

from embodied.networks.group_network import GroupNetwork
from embodied.networks.perceptron import Perceptron

Array = np.ndarray


class PerceptronPasses:
    """One perceptron's passes: `backward` belongs to the `forward` before it."""

    def __init__(self, perceptron: Perceptron, gradients: Iterator[Array]) -> None:
        """Takes the parameters as they are in memory now: they may change their values, not their place.

        Args:
            perceptron: whose passes these are.
            gradients: where `backward` puts the parameters' gradients, in their order and of their shapes.
        """
        layers = cast(list[nn.Linear], list(perceptron.layers))
        self._weights = [layer.weight.detach().numpy() for layer in layers]
        self._biases = [layer.bias.detach().numpy() for layer in layers]
        self._gradients = [(next(gradients), next(gradients)) for _ in layers]
        """Of each layer's weights and biases."""
        self._bent = [*[True] * (len(layers) - 1), perceptron.tanh_last]
        """Whether tanh follows a layer."""
        self._values: list[Array] = []
        self._slopes: list[Array] = []
        self._room: list[Array] = []
        self._ones = np.ones(0, dtype=np.float32)

    def forward(self, inputs: Array) -> Array:
        """Outputs (N, outputs) for inputs (N, features); they last until the next call."""
        if len(inputs) != len(self._ones):
            self._make_room(len(inputs))
        self._values[0] = inputs
        for number, (weight, bias, bent) in enumerate(zip(self._weights, self._biases, self._bent, strict=True)):
            outputs = self._values[number + 1]
            np.matmul(self._values[number], weight.T, out=outputs)
            outputs += bias
            if bent:
                np.tanh(outputs, out=outputs)
        return self._values[-1]

    def backward(self, slope: Array, to_inputs: bool = False) -> Array | None:
        """Writes the gradients of a scalar from its slope (N, outputs) in what `forward` gave.

        Args:
            slope: (N, outputs); used up.
            to_inputs: whether the slope in the inputs is wanted.

        Returns:
            That slope, (N, features), which lasts until the next call, or None.
        """
        for number in range(len(self._weights) - 1, -1, -1):
            if self._bent[number]:
                # tanh' = 1 - tanh²
                room, outputs = self._room[number], self._values[number + 1]
                np.multiply(outputs, outputs, out=room)
                np.subtract(1.0, room, out=room)
                slope *= room
            of_weight, of_bias = self._gradients[number]
            np.matmul(slope.T, self._values[number], out=of_weight)
            np.matmul(self._ones, slope, out=of_bias)  # a fourth of the time of a sum over rows
            if number or to_inputs:
                slope = np.matmul(slope, self._weights[number], out=self._slopes[number])
        return slope if to_inputs else None

    def _make_room(self, samples: int) -> None:
        sizes = [self._weights[0].shape[1], *(len(weight) for weight in self._weights)]
        self._values, self._slopes, self._room = (
            [np.empty((samples, size), dtype=np.float32) for size in each] for each in (sizes, sizes[:-1], sizes[1:])
        )
        self._ones = np.ones(samples, dtype=np.float32)


class GroupPasses:
    """The passes of a `GroupNetwork`."""

    def __init__(self, network: GroupNetwork, gradients: Iterator[Array]) -> None:
        """See `PerceptronPasses`."""
        self.groups = network.groups
        self._branches = [
            PerceptronPasses(cast(Perceptron, network.branches[name]), gradients)
            for name in self.groups
            if network.branches
        ]
        self._trunk = PerceptronPasses(network.trunk, gradients)

    def forward(self, observation: Mapping[str, Array]) -> Array:
        """Outputs (N, outputs) for observations (N, …) by group; they last until the next call."""
        seen = [observation[name] for name in self.groups]
        if not self._branches:
            return self._trunk.forward(seen[0])
        features = [branch.forward(group) for branch, group in zip(self._branches, seen, strict=True)]
        return self._trunk.forward(np.concatenate(features, axis=1))

    def backward(self, slope: Array) -> None:
        """Writes the gradients of a scalar from its slope (N, outputs), which is used up."""
        slopes = self._trunk.backward(slope, to_inputs=bool(self._branches))
        if slopes is not None:
            for branch, part in zip(self._branches, np.split(slopes, len(self._branches), axis=1), strict=True):
                branch.backward(part)
