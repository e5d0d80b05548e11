"""Adam over one flat tensor against torch.optim.Adam."""

import pytest
import torch
from torch import nn

from embodied.learning.adam import FlatAdam


def network():
    torch_generator = torch.Generator().manual_seed(0)
    layers = nn.Sequential(nn.Linear(5, 7), nn.Tanh(), nn.Linear(7, 2))
    with torch.no_grad():
        for parameter in layers.parameters():
            parameter.copy_(torch.randn(parameter.shape, generator=torch_generator) * 0.5)
    return layers


def batches(count, size):
    generator = torch.Generator().manual_seed(1)
    return [torch.randn(9, 5, generator=generator) * size for _ in range(count)]


def descend(adam, loss, learning_rate, max_norm):
    for place, gradient in zip(adam.gradients, torch.autograd.grad(loss, adam.parameters), strict=True):
        place[...] = gradient
    adam.step(learning_rate, max_norm)


@pytest.mark.parametrize("size", [0.1, 1.0, 30.0])
@pytest.mark.parametrize("max_norm", [0.5, 1e9])
def test_steps_are_those_of_torch_after_clipping_the_norm(size, max_norm):
    ours, theirs = network(), network()
    adam = FlatAdam(list(ours.parameters()), epsilon=1e-5)
    other = torch.optim.Adam(theirs.parameters(), eps=1e-5)
    clipped = 0
    for count, inputs in enumerate(batches(40, size)):
        rate = 1e-2 * (1 - count / 40)
        descend(adam, ours(inputs).square().mean(), rate, max_norm)
        other.param_groups[0]["lr"] = rate
        other.zero_grad()
        theirs(inputs).square().mean().backward()
        clipped += bool(nn.utils.clip_grad_norm_(theirs.parameters(), max_norm) > max_norm)
        other.step()
    for one, two in zip(ours.parameters(), theirs.parameters(), strict=True):
        torch.testing.assert_close(one, two, rtol=2e-4, atol=2e-6)
    if size == 30.0:
        assert bool(clipped) == (max_norm == 0.5)


def test_parameters_stay_those_of_their_modules():
    net = network()
    before = [parameter.clone() for parameter in net.parameters()]
    adam = FlatAdam(list(net.parameters()))
    assert all(torch.equal(a, b) for a, b in zip(net.parameters(), before, strict=True))
    descend(adam, net(batches(1, 1.0)[0]).square().mean(), 1e-2, 1.0)
    assert torch.equal(torch.cat([p.detach().flatten() for p in net.parameters()]), adam.flat)
    # Weights that are loaded arrive in the flat tensor, and the next step starts from them.
    net.load_state_dict(network().state_dict())
    assert torch.equal(torch.cat([p.detach().flatten() for p in network().parameters()]), adam.flat)


def test_a_restored_optimiser_goes_on_bit_for_bit():
    net = network()
    adam = FlatAdam(list(net.parameters()))
    data = batches(10, 1.0)
    for inputs in data[:5]:
        descend(adam, net(inputs).square().mean(), 1e-2, 0.5)
    other = network()
    restored = FlatAdam(list(other.parameters()))
    other.load_state_dict(net.state_dict())
    state = adam.state_dict()
    for inputs in data[5:]:
        descend(adam, net(inputs).square().mean(), 1e-2, 0.5)
    restored.load_state_dict(state)
    for inputs in data[5:]:
        descend(restored, other(inputs).square().mean(), 1e-2, 0.5)
    assert torch.equal(adam.flat, restored.flat)
