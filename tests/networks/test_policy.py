"""Policies: what they read, what they give, and what a call leaves alone."""

import json

import gymnasium
import numpy as np
import pytest
import torch
from gymnasium.spaces import Box, Dict, Discrete

from embodied.networks import ActorCritic, PolicyShape


def policy_for(groups, actions=3, seed=0):
    shape = PolicyShape(groups, actions, hidden=(16, 8), initial_log_std=-0.5)
    return ActorCritic(shape, torch.Generator().manual_seed(seed))


def seen(groups, worlds=5, seed=1):
    generator = torch.Generator().manual_seed(seed)
    return {name: torch.randn(worlds, size, generator=generator) * 3 for name, size in groups.items()}


GROUPS = {"proprio": 6, "goal": 2}


def test_a_policy_without_memory_takes_and_gives_none():
    policy = policy_for(GROUPS)
    observation = seen(GROUPS)
    memory = policy.initial_memory(5)
    assert memory == ()
    distribution, after = policy(observation, memory)
    assert after == ()
    assert policy.clear(after, torch.ones(5, dtype=torch.bool)) == ()
    alone, _ = policy(observation)
    assert torch.equal(distribution.mean, alone.mean)
    assert distribution.mean.shape == (5, 3)
    np.testing.assert_allclose(distribution.log_std.detach(), [-0.5] * 3)
    assert policy.value(policy.normalise(observation)).shape == (5,)


def test_a_call_leaves_the_normalisers_alone():
    policy = policy_for(GROUPS)
    policy.update_normalisers(seen(GROUPS, 50))
    before = {name: value.clone() for name, value in policy.state_dict().items()}
    policy(seen(GROUPS), ())
    assert all(torch.equal(value, before[name]) for name, value in policy.state_dict().items())


def test_each_group_is_normalised_by_its_own_statistics():
    policy = policy_for(GROUPS)
    observation = seen(GROUPS, 200)
    policy.update_normalisers(observation)
    for name, group in policy.normalise(observation).items():
        data = observation[name].double().numpy()
        np.testing.assert_allclose(group, (data - data.mean(0)) / data.std(0), atol=1e-5)


def test_groups_that_are_not_read_do_not_matter():
    policy = policy_for({"proprio": 6})
    observation = seen({"proprio": 6})
    more = {**observation, "pixels": torch.zeros(5, 3, 3)}
    assert torch.equal(policy(observation)[0].mean, policy(more)[0].mean)


def test_actor_and_critic_share_no_weights():
    policy = policy_for(GROUPS)
    normalised = policy.normalise(seen(GROUPS))
    actor = torch.autograd.grad(
        policy.distribution(normalised).mean.sum(), list(policy.parameters()), allow_unused=True
    )
    critic = torch.autograd.grad(policy.value(normalised).sum(), list(policy.parameters()), allow_unused=True)
    assert not any(a is not None and c is not None for a, c in zip(actor, critic, strict=True))


def test_a_policy_follows_from_its_seed_and_is_restored_from_its_weights_and_shape():
    one, other, third = (policy_for(GROUPS, seed=seed) for seed in (3, 3, 4))
    observation = seen(GROUPS)
    assert torch.equal(one(observation)[0].mean, other(observation)[0].mean)
    assert not torch.equal(one(observation)[0].mean, third(observation)[0].mean)
    one.update_normalisers(seen(GROUPS, 40))
    shape = PolicyShape.from_dict(json.loads(json.dumps(one.shape.as_dict())))
    assert shape == one.shape
    restored = ActorCritic(shape, torch.Generator())
    restored.load_state_dict(one.state_dict())
    assert torch.equal(one(observation)[0].mean, restored(observation)[0].mean)
    assert torch.equal(one.value(one.normalise(observation)), restored.value(restored.normalise(observation)))


def test_the_shape_for_an_environment_reads_all_of_its_groups():
    space = Dict({"proprio": Box(-1, 1, (6,)), "goal": Box(-1, 1, (2,))})
    shape = PolicyShape.for_spaces(space, Box(-1, 1, (3,)))
    assert shape.groups == {"proprio": 6, "goal": 2}
    assert shape.actions == 3
    assert shape.hidden == (64, 64)


@pytest.mark.parametrize(
    ("observation", "action", "says"),
    [
        (Dict({"proprio": Box(-1, 1, (6,))}), Discrete(3), "Discrete"),
        (Dict({"proprio": Box(-1, 1, (6,))}), Box(-1, 1, (3, 2)), "one-dimensional"),
        (Box(-1, 1, (6,)), Box(-1, 1, (3,)), "Dict"),
        (Dict({"pixels": Box(0, 1, (8, 8))}), Box(-1, 1, (3,)), "pixels"),
        (Dict({"mode": Discrete(4)}), Box(-1, 1, (3,)), "mode"),
    ],
)
def test_spaces_that_no_policy_fits_are_refused_by_name(observation, action, says):
    assert isinstance(observation, gymnasium.Space)
    with pytest.raises(TypeError, match=says):
        PolicyShape.for_spaces(observation, action)


@pytest.mark.parametrize("groups", [{"proprio": 6}, GROUPS])
def test_initial_weights_have_the_gains_that_were_asked_for(groups):
    shape = PolicyShape(groups, 3, hidden=(16, 8), hidden_gain=2.0, action_gain=0.01)
    policy = ActorCritic(shape, torch.Generator().manual_seed(0))
    for network, last in ((policy.actor, 0.01), (policy.critic, 1.0)):
        gains = [float(torch.linalg.matrix_norm(p.detach(), 2)) for p in network.parameters() if p.dim() == 2]
        np.testing.assert_allclose(gains, [2.0] * (len(gains) - 1) + [last], rtol=1e-5)
    assert PolicyShape.from_dict(json.loads(json.dumps(shape.as_dict()))) == shape
