"""Networks of M policies as one: every layer a batched matrix product over a leading members axis, gradients included.

The counterparts of `Perceptron` and `GroupNetwork`; weights are live views (M, out, in) into somebody else's tensor.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

Layer = tuple[Tensor, Tensor]
"""Weight (M, out, in) and bias (M, out)."""


class StackedPerceptron:
    """Linear layers with tanh between them, and after the last one too where that is asked for."""

    def __init__(self, layers: Sequence[Layer], tanh_last: bool = False) -> None:
        """Keeps the layers as they are: who changes them changes what this computes."""
        self.layers = list(layers)
        self.tanh_last = tanh_last

    def values(self, inputs: Tensor) -> list[Tensor]:
        """The inputs (M, N, features) and every layer's outputs, (M, N, n) each: what `gradients` goes by."""
        values = [inputs]
        for number, (weight, bias) in enumerate(self.layers, start=1):
            outputs = torch.baddbmm(bias.unsqueeze(1), values[-1], weight.mT)
            if number < len(self.layers) or self.tanh_last:
                outputs.tanh_()
            values.append(outputs)
        return values

    def gradients(self, values: Sequence[Tensor], slope: Tensor, through: bool = False) -> tuple[list[Tensor], Tensor]:
        """Gradients of each member's own scalar.

        Args:
            values: what `values` gave.
            slope: (M, N, outputs) of the scalars in the last of the values.
            through: whether the slope in the inputs is wanted too.

        Returns:
            Gradients in the layers' order, weight before bias, and the slope in the inputs (of no use otherwise).
        """
        found: list[Tensor] = []
        for number in range(len(self.layers), 0, -1):
            if number < len(self.layers) or self.tanh_last:
                slope = torch.ops.aten.tanh_backward(slope, values[number])
            found += [slope.sum(dim=1), torch.bmm(slope.mT, values[number - 1])]
            if number > 1 or through:
                slope = torch.bmm(slope, self.layers[number - 1][0])
        return found[::-1], slope


Way = list[list[Tensor]]
"""Values of every perceptron of a network, branches first."""


class StackedGroupNetwork:
    """Observation groups to outputs; see `GroupNetwork`."""

    def __init__(self, groups: Sequence[str], parameters: Mapping[str, Tensor]) -> None:
        """Finds its layers.

        Args:
            groups: that it reads, in the order in which their features are joined.
            parameters: (M, …) each, by the names they have in a `GroupNetwork` and in its order.
        """
        self.groups = tuple(groups)
        self.trunk = StackedPerceptron(_layers(parameters, "trunk"))
        self.branches = (
            [StackedPerceptron(_layers(parameters, f"branches.{name}"), tanh_last=True) for name in self.groups]
            if len(self.groups) > 1
            else []
        )

    def run(self, observation: Mapping[str, Tensor]) -> tuple[Tensor, Way]:
        """Outputs (M, N, outputs) for observations (M, N, …), and what `gradients` needs of the way there."""
        if not self.branches:
            values = self.trunk.values(observation[self.groups[0]])
            return values[-1], [values]
        ways = [branch.values(observation[name]) for name, branch in zip(self.groups, self.branches, strict=True)]
        trunk = self.trunk.values(torch.cat([way[-1] for way in ways], dim=-1))
        return trunk[-1], [*ways, trunk]

    def gradients(self, way: Way, slope: Tensor) -> list[Tensor]:
        """Gradients in the parameters' order, from each member's slope (M, N, outputs) in what `run` gave."""
        trunk, slope = self.trunk.gradients(way[-1], slope, through=bool(self.branches))
        found: list[Tensor] = []
        for branch, values, part in zip(
            self.branches, way[:-1], slope.chunk(max(len(self.branches), 1), dim=-1), strict=False
        ):
            found += branch.gradients(values, part)[0]
        return [*found, *trunk]


def _layers(parameters: Mapping[str, Tensor], prefix: str) -> list[Layer]:
    layers: list[Layer] = []
    while (name := f"{prefix}.layers.{len(layers)}") + ".weight" in parameters:
        layers.append((parameters[f"{name}.weight"], parameters[f"{name}.bias"]))
    return layers
