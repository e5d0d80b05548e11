"""Stacked networks against their single counterparts and autograd."""

import numpy as np
import pytest
import torch

from embodied.learning.stacked.policy import StackedPolicy
from embodied.networks import ActorCritic, PolicyShape

ONE = PolicyShape({"proprio": 5}, 3, (8, 6))
THREE = PolicyShape({"proprio": 5, "goal": 2, "privileged": 4}, 3, (8, 6), actor_groups=("proprio", "goal"))


def members_of(shape, count=3):
    members = [ActorCritic(shape, torch.Generator().manual_seed(seed)) for seed in range(count)]
    for number, member in enumerate(members):
        member.update_normalisers(observation_of(shape, 50, number, spread=3.0))
    return members


def observation_of(shape, samples, seed, spread=1.0):
    generator = torch.Generator().manual_seed(100 + seed)
    return {n: spread * torch.randn(samples, size, generator=generator) + seed for n, size in shape.groups.items()}


def stacked(observations):
    return {name: torch.stack([one[name] for one in observations]) for name in observations[0]}


@pytest.mark.parametrize("shape", [ONE, THREE], ids=["one group", "three groups"])
def test_every_member_computes_what_it_does_alone(shape):
    members = members_of(shape)
    policy = StackedPolicy(members, torch.device("cpu"))
    seen = [observation_of(shape, 7, number) for number in range(3)]
    means = policy.means(stacked(seen))
    normalised = {name: policy.normalisers[name](group) for name, group in stacked(seen).items()}
    values = policy.values(normalised)
    for number, member in enumerate(members):
        with torch.no_grad():
            np.testing.assert_allclose(means[number], member(seen[number])[0].mean, atol=1e-6)
            np.testing.assert_allclose(values[number], member.value(member.normalise(seen[number])), atol=1e-6)


@pytest.mark.parametrize("shape", [ONE, THREE], ids=["one group", "three groups"])
@pytest.mark.parametrize("head", ["actor", "critic"])
def test_gradients_are_autograd_s_of_each_member_alone(shape, head):
    members = members_of(shape)
    network = getattr(StackedPolicy(members, torch.device("cpu")), head)
    seen = [observation_of(shape, 7, number) for number in range(3)]
    outputs, way = network.run(stacked(seen))
    slope = torch.randn(outputs.shape, generator=torch.Generator().manual_seed(1))
    found = network.gradients(way, slope.clone())
    for number, member in enumerate(members):
        module = getattr(member, head)
        (module(seen[number]) * slope[number]).sum().backward()
        parameters = list(module.parameters())
        assert len(found) == len(parameters)
        for gradient, parameter in zip(found, parameters, strict=True):
            np.testing.assert_allclose(gradient[number], parameter.grad, atol=1e-5)


@pytest.mark.parametrize("shape", [ONE, THREE], ids=["one group", "three groups"])
def test_members_come_out_as_they_went_in(shape):
    members = members_of(shape)
    policy = StackedPolicy(members, torch.device("cpu"))
    for number, member in enumerate(members):
        out = policy.member(number).state_dict()
        assert out.keys() == member.state_dict().keys()
        assert all(torch.equal(value, out[name]) for name, value in member.state_dict().items())


def test_a_member_that_came_out_no_longer_follows_the_stack():
    policy = StackedPolicy(members_of(ONE), torch.device("cpu"))
    member = policy.member(1)
    before = member.log_std.detach().clone()
    policy.flat += 1.0
    assert torch.equal(member.log_std.detach(), before)


def test_policies_of_different_shapes_are_refused():
    with pytest.raises(ValueError, match="one shape"):
        StackedPolicy([*members_of(ONE, 1), *members_of(THREE, 1)], torch.device("cpu"))


def test_a_member_of_another_shape_is_refused():
    policy = StackedPolicy(members_of(ONE), torch.device("cpu"))
    with pytest.raises(ValueError, match="expected"):
        policy.load_member(0, ActorCritic(PolicyShape({"proprio": 6}, 3, (8, 6)), torch.Generator()).state_dict())
