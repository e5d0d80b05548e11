"""Perceptrons against plain layers and autograd in double precision."""

import numpy as np
import pytest
import torch
from torch import nn

from embodied.networks.group_network import GroupNetwork
from embodied.networks.perceptron import Perceptron, linear


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def layers_of(module):
    return [layer for layer in module.modules() if isinstance(layer, nn.Linear)]


def through(inputs, layers, tanh_last):
    """Layer by layer in double precision."""
    values = inputs.double()
    for number, layer in enumerate(layers, start=1):
        values = nn.functional.linear(values, layer.weight.double(), layer.bias.double())
        if tanh_last or number < len(layers):
            values = torch.tanh(values)
    return values


@pytest.mark.parametrize("tanh_last", [False, True])
@pytest.mark.parametrize("sizes", [(5, 3), (7, 16, 4), (62, 64, 64, 12)])
def test_outputs_and_gradients_are_those_of_the_layers(sizes, tanh_last):
    perceptron = Perceptron(sizes, seeded(), tanh_last)
    for layer in layers_of(perceptron):
        nn.init.normal_(layer.bias, generator=seeded(3))
    inputs = torch.randn(9, 11, sizes[0], generator=seeded(1))
    weights = torch.randn(9, 11, sizes[-1], generator=seeded(2))
    outputs = perceptron(inputs)
    expected = through(inputs, layers_of(perceptron), tanh_last)
    torch.testing.assert_close(outputs.double(), expected, atol=3e-6, rtol=1e-5)
    with torch.no_grad():
        torch.testing.assert_close(perceptron(inputs), outputs.detach(), atol=1e-6, rtol=1e-6)
    ours = torch.autograd.grad((outputs * weights).sum(), list(perceptron.parameters()))
    theirs = torch.autograd.grad((expected * weights).sum(), list(perceptron.parameters()))
    for one, other in zip(ours, theirs, strict=True):
        torch.testing.assert_close(one, other, atol=1e-4, rtol=1e-4)


def test_inputs_that_need_a_gradient_get_one():
    perceptron = Perceptron((4, 8, 2), seeded())
    inputs = torch.randn(6, 4, generator=seeded(1), requires_grad=True)
    (ours,) = torch.autograd.grad(perceptron(inputs).sum(), inputs)
    (theirs,) = torch.autograd.grad(through(inputs, layers_of(perceptron), False).sum(), inputs)
    torch.testing.assert_close(ours, theirs, atol=1e-5, rtol=1e-5)


def test_other_precisions_run_as_torch_operations():
    perceptron = Perceptron((4, 8, 2), seeded()).double()
    inputs = torch.randn(6, 4, generator=seeded(1), dtype=torch.float64)
    torch.testing.assert_close(perceptron(inputs), through(inputs, layers_of(perceptron), False))


def test_inputs_are_left_alone():
    inputs = torch.randn(6, 4, generator=seeded(1))
    kept = inputs.clone()
    Perceptron((4, 8, 2), seeded())(inputs)
    assert torch.equal(inputs, kept)


@pytest.mark.parametrize(("inputs", "outputs"), [(7, 7), (12, 5), (5, 12)])
def test_layers_start_orthogonal_without_bias(inputs, outputs):
    layer = linear(inputs, outputs, seeded())
    weight = layer.weight.detach().double()
    gram = weight @ weight.T if outputs <= inputs else weight.T @ weight
    np.testing.assert_allclose(gram, torch.eye(min(inputs, outputs)), atol=1e-5)
    assert not layer.bias.any()


def test_weights_follow_from_the_generator_alone():
    before = torch.get_rng_state()
    one, other, third = (list(Perceptron((4, 8, 3), seeded(seed)).parameters()) for seed in (1, 1, 2))
    assert torch.equal(torch.get_rng_state(), before)
    assert all(torch.equal(a, b) for a, b in zip(one, other, strict=True))
    assert not torch.equal(one[0], third[0])


def test_one_group_goes_through_one_perceptron():
    network = GroupNetwork({"proprio": 4}, (8, 3), 2, seeded())
    observation = {"proprio": torch.randn(5, 4, generator=seeded(1)), "unread": torch.zeros(5, 9)}
    expected = through(observation["proprio"], layers_of(network), False)
    torch.testing.assert_close(network(observation).double(), expected, atol=1e-6, rtol=1e-5)


def test_several_groups_go_each_through_their_own_and_one_layer_joins_them():
    network = GroupNetwork({"proprio": 4, "goal": 2}, (8, 3), 5, seeded())
    observation = {"goal": torch.randn(6, 2, generator=seeded(1)), "proprio": torch.randn(6, 4, generator=seeded(2))}
    layers = layers_of(network)
    assert [(m.in_features, m.out_features) for m in layers] == [(4, 8), (8, 3), (2, 8), (8, 3), (6, 3), (3, 5)]
    features = [through(observation["proprio"], layers[:2], True), through(observation["goal"], layers[2:4], True)]
    expected = through(torch.cat(features, 1).float(), layers[4:], False)
    outputs = network(observation)
    torch.testing.assert_close(outputs.double(), expected, atol=1e-6, rtol=1e-5)
    gradients = torch.autograd.grad(outputs.sum(), list(network.parameters()))
    assert all(bool(gradient.any()) for gradient in gradients)
