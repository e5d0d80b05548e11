"""Layers against their formulas."""

import numpy as np
import pytest
import torch
from torch import nn

from embodied.networks.mlp import GroupEncoder, Tanh, linear, mlp


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def test_tanh_is_within_its_bound_everywhere_with_and_without_gradients():
    inputs = torch.cat((torch.linspace(-12, 12, 200_001), torch.tensor([1e-6, -1e-6, 0.0, 50.0, -50.0, 1e30, -1e30])))
    exact = torch.tanh(inputs.double())
    assert (Tanh()(inputs) - exact).abs().max() <= 2e-7
    assert (Tanh()(inputs.clone().requires_grad_()).detach() - exact).abs().max() <= 2e-7
    assert Tanh()(torch.tensor([float("nan")])).isnan().all()


def test_the_gradient_of_tanh_is_torch_s():
    inputs = torch.linspace(-8, 8, 4001, requires_grad=True)
    weights = torch.linspace(1, 2, 4001)
    (ours,) = torch.autograd.grad((Tanh()(inputs) * weights).sum(), inputs)
    (exact,) = torch.autograd.grad((torch.tanh(inputs.double()) * weights).sum(), inputs)
    assert (ours - exact).abs().max() <= 2e-6


def test_tanh_leaves_its_inputs_alone():
    inputs = torch.linspace(-3, 3, 11)
    kept = inputs.clone()
    Tanh()(inputs)
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
    one, other, third = (mlp((4, 8, 3), seeded(seed)) for seed in (1, 1, 2))
    assert torch.equal(torch.get_rng_state(), before)
    assert all(torch.equal(a, b) for a, b in zip(one.parameters(), other.parameters(), strict=True))
    assert not torch.equal(one[0].weight, third[0].weight)


def test_one_group_goes_through_one_mlp():
    encoder = GroupEncoder({"proprio": 4}, (8, 3), seeded())
    observation = {"proprio": torch.randn(5, 6, 4, generator=seeded(1)), "unread": torch.zeros(5, 6, 9)}
    first, second = (m for m in encoder.modules() if isinstance(m, nn.Linear))
    expected = torch.tanh(second(torch.tanh(first(observation["proprio"]))))
    np.testing.assert_allclose(encoder(observation).detach(), expected.detach(), atol=1e-6)


def test_several_groups_go_each_through_its_own_and_one_layer_joins_them():
    encoder = GroupEncoder({"proprio": 4, "goal": 2}, (8, 3), seeded())
    observation = {"goal": torch.randn(5, 2, generator=seeded(1)), "proprio": torch.randn(5, 4, generator=seeded(2))}
    layers = [m for m in encoder.modules() if isinstance(m, nn.Linear)]
    assert [(m.in_features, m.out_features) for m in layers] == [(4, 8), (8, 3), (2, 8), (8, 3), (6, 3)]

    def through(inputs, *chosen):
        for layer in chosen:
            inputs = torch.tanh(layer(inputs))
        return inputs

    joined = torch.cat((through(observation["proprio"], *layers[:2]), through(observation["goal"], *layers[2:4])), 1)
    np.testing.assert_allclose(encoder(observation).detach(), through(joined, layers[4]).detach(), atol=1e-6)
