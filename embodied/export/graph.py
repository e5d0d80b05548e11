"""Graph: networks written out as ONNX, operation by operation.

The perceptrons of this field are a dozen operations. Written directly, the graph has our names, holds nothing else, and
is the same to the byte whenever it is written; a tracing exporter promises none of that.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, cast

import numpy as np
import onnx
import torch
from onnx import TensorProto, helper, numpy_helper
from torch import Tensor, nn

from embodied.networks import RunningNormaliser
from embodied.networks.group_network import GroupNetwork
from embodied.networks.perceptron import Perceptron

OPSET, IR_VERSION = 17, 8
"""Read by onnxruntime from 1.13 on, from 2022: computers on robots are seldom of this year."""
BATCH = "batch"
"""Name of the dimension whose size is free."""


class Graph:
    """A graph that grows. Values go by their names; shapes are (batch, n)."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._nodes: list[onnx.NodeProto] = []
        self._constants: dict[str, onnx.TensorProto] = {}
        self._inputs: list[onnx.ValueInfoProto] = []
        self._outputs: list[onnx.ValueInfoProto] = []

    def input(self, name: str, size: int) -> str:
        """A named input, (batch, size)."""
        self._inputs.append(helper.make_tensor_value_info(name, TensorProto.FLOAT, [BATCH, size]))
        return name

    def output(self, name: str, value: str, size: int) -> None:
        """Names a value, (batch, size), as an output."""
        self._nodes.append(helper.make_node("Identity", [value], [name], name))
        self._outputs.append(helper.make_tensor_value_info(name, TensorProto.FLOAT, [BATCH, size]))

    def constant(self, name: str, value: Tensor | float) -> str:
        """Numbers, as float32."""
        array = value.detach().cpu().numpy() if isinstance(value, Tensor) else np.asarray(value)
        self._constants[name] = numpy_helper.from_array(np.ascontiguousarray(array, dtype=np.float32), name)
        return name

    def call(self, operation: str, inputs: Iterable[str], name: str, **attributes: Any) -> str:
        """One operation on values; its result goes by ``name``."""
        self._nodes.append(helper.make_node(operation, list(inputs), [name], name, **attributes))
        return name

    def clip(self, value: str, limit: float, name: str) -> str:
        """Cut to ± a limit."""
        low, high = self.constant(f"{name}/low", -limit), self.constant(f"{name}/high", limit)
        return self.call("Clip", [value, low, high], name)

    def normalise(self, value: str, normaliser: RunningNormaliser, name: str) -> str:
        """As `RunningNormaliser.forward`, with its statistics as they are now."""
        scale = torch.rsqrt(normaliser.variance + normaliser.epsilon)
        scaled = self.call("Mul", [value, self.constant(f"{name}/scale", scale)], f"{name}/scaled")
        offset = self.constant(f"{name}/offset", -normaliser.mean * scale)
        return self.clip(self.call("Add", [scaled, offset], f"{name}/centred"), normaliser.clip, name)

    def linear(self, value: str, layer: nn.Linear, name: str) -> str:
        """As `nn.Linear`."""
        weight, bias = self.constant(f"{name}/weight", layer.weight), self.constant(f"{name}/bias", layer.bias)
        return self.call("Gemm", [value, weight, bias], name, transB=1)

    def layers(self, value: str, layers: Iterable[nn.Module], activation: str, name: str, last: bool = True) -> str:
        """Linear layers, an activation (``Tanh``, ``Relu``) after each, after the last one only if so said."""
        found = cast("list[nn.Linear]", list(layers))
        for number, layer in enumerate(found, start=1):
            value = self.linear(value, layer, f"{name}/{number}")
            if last or number < len(found):
                value = self.call(activation, [value], f"{value}/{activation.lower()}")
        return value

    def perceptron(self, value: str, network: Perceptron, name: str) -> str:
        """As `Perceptron`."""
        return self.layers(value, network.layers, "Tanh", name, network.tanh_last)

    def group_network(self, values: Sequence[str], network: GroupNetwork, name: str) -> str:
        """As `GroupNetwork`, from the values of its groups in their order."""
        if not network.branches:
            return self.perceptron(values[0], network.trunk, f"{name}/trunk")
        branches = [
            self.perceptron(value, cast(Perceptron, network.branches[group]), f"{name}/{group}")
            for group, value in zip(network.groups, values, strict=True)
        ]
        joined = self.call("Concat", branches, f"{name}/joined", axis=-1)
        return self.perceptron(joined, network.trunk, f"{name}/trunk")

    def to_bytes(self, about: str) -> bytes:
        """The finished model, checked; ``about`` is what it says of itself."""
        graph = helper.make_graph(
            self._nodes, self._name, self._inputs, self._outputs, list(self._constants.values()), doc_string=about
        )
        model = helper.make_model(
            graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR_VERSION, producer_name="embodied"
        )
        onnx.checker.check_model(model, full_check=True)
        return model.SerializeToString(deterministic=True)
