"""Passes in numpy against torch's own and autograd, in double precision."""

import numpy as np
import pytest
import torch
from torch import nn

from embodied.networks.backpropagation import GroupPasses, PerceptronPasses
from embodied.networks.group_network import GroupNetwork
from embodied.networks.perceptron import Perceptron


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def places(module):
    return [np.full(parameter.shape, np.nan, dtype=np.float32) for parameter in module.parameters()]


def with_biases(module):
    for layer in module.modules():
        if isinstance(layer, nn.Linear):
            nn.init.normal_(layer.bias, generator=seeded(3))
    return module


def expected(make, inputs, slope):
    """Outputs, and gradients in parameters and inputs, of the same network in double precision."""
    twin = with_biases(make()).double()
    ins = [each.double().requires_grad_() for each in inputs.values()]
    outputs = twin(dict(zip(inputs, ins, strict=True)) if isinstance(twin, GroupNetwork) else ins[0])
    return outputs, torch.autograd.grad((outputs * slope.double()).sum(), [*twin.parameters(), *ins])


@pytest.mark.parametrize("tanh_last", [False, True])
@pytest.mark.parametrize("sizes", [(5, 3), (7, 16, 4), (62, 64, 64, 12), (9, 8, 1)])
def test_a_perceptron_is_run_and_differentiated_as_by_autograd(sizes, tanh_last):
    def make():
        return Perceptron(sizes, seeded(), tanh_last)

    perceptron = with_biases(make())
    found = places(perceptron)
    passes = PerceptronPasses(perceptron, iter(found))
    for samples in (33, 33, 7):
        inputs = torch.randn(samples, sizes[0], generator=seeded(samples))
        slope = torch.randn(samples, sizes[-1], generator=seeded(2))
        outputs, gradients = expected(make, {"": inputs}, slope)
        np.testing.assert_allclose(passes.forward(inputs.numpy()), outputs.detach(), atol=3e-6, rtol=1e-5)
        to_inputs = passes.backward(slope.numpy().copy(), to_inputs=True)
        for one, other in zip([*found, to_inputs], gradients, strict=True):
            np.testing.assert_allclose(one, other, atol=1e-4, rtol=1e-4)
        assert passes.backward(slope.numpy().copy()) is None


@pytest.mark.parametrize("groups", [{"proprio": 4}, {"proprio": 4, "goal": 2}])
def test_a_group_network_is_run_and_differentiated_as_by_autograd(groups):
    def make():
        return GroupNetwork(groups, (8, 3), 5, seeded())

    network = with_biases(make())
    found = places(network)
    passes = GroupPasses(network, iter(found))
    observation = {name: torch.randn(6, size, generator=seeded(size)) for name, size in groups.items()}
    slope = torch.randn(6, 5, generator=seeded(9))
    outputs, gradients = expected(make, observation, slope)
    ours = passes.forward({name: group.numpy() for name, group in observation.items()} | {"unread": np.zeros(3)})
    np.testing.assert_allclose(ours, outputs.detach(), atol=3e-6, rtol=1e-5)
    passes.backward(slope.numpy().copy())
    for one, other in zip(found, gradients[: len(found)], strict=True):
        np.testing.assert_allclose(one, other, atol=1e-5, rtol=1e-5)


def test_parameters_may_change_between_passes():
    perceptron = Perceptron((4, 8, 2), seeded())
    passes = PerceptronPasses(perceptron, iter(places(perceptron)))
    inputs = torch.randn(6, 4, generator=seeded(1))
    before = passes.forward(inputs.numpy()).copy()
    with torch.no_grad():
        for parameter in perceptron.parameters():
            parameter.add_(0.1)
    after = passes.forward(inputs.numpy())
    assert not np.allclose(after, before)
    np.testing.assert_allclose(after, perceptron(inputs).detach(), atol=1e-6)


def test_inputs_are_left_alone():
    perceptron = Perceptron((4, 8, 2), seeded())
    passes = PerceptronPasses(perceptron, iter(places(perceptron)))
    inputs = torch.randn(6, 4, generator=seeded(1)).numpy()
    kept = inputs.copy()
    passes.forward(inputs)
    passes.backward(np.ones((6, 2), dtype=np.float32), to_inputs=True)
    np.testing.assert_array_equal(inputs, kept)
