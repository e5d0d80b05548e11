"""Actors and critics that read different groups: what a simulation alone knows is of no use on a robot."""

import json

import numpy as np
import pytest
import torch
from gymnasium.spaces import Box, Dict

from embodied.networks import ActorCritic, PolicyConfig, PolicyShape
from embodied.runs.errors import UserError

SPACE = Dict({name: Box(-1, 1, (size,)) for name, size in {"policy": 6, "goal": 2, "privileged": 9}.items()})
ACTIONS = Box(-1, 1, (3,))


def made(**chosen):
    shape = PolicyShape.for_spaces(SPACE, ACTIONS, PolicyConfig(hidden=(8,), **chosen))
    return ActorCritic(shape, torch.Generator().manual_seed(0))


def seen(worlds=4):
    generator = torch.Generator().manual_seed(1)
    return {name: torch.randn(worlds, *space.shape, generator=generator) for name, space in SPACE.spaces.items()}


def test_the_critic_reads_all_and_the_actor_all_but_the_privileged_group_by_default():
    policy = made()
    assert policy.actor.groups == ("goal", "policy")
    assert policy.critic.groups == ("goal", "policy", "privileged")


def test_an_actor_that_is_told_to_reads_the_privileged_group():
    policy = made(actor_groups=("privileged", "policy"), critic_groups=("privileged",))
    assert policy.actor.groups == ("policy", "privileged")
    assert policy.critic.groups == ("privileged",)
    assert list(policy.normalisers) == ["policy", "privileged"]


def test_actions_do_not_depend_on_what_the_actor_does_not_read_nor_need_it():
    policy = made(actor_groups=("policy",), critic_groups=("privileged",))
    observation = seen()
    mean = policy(observation)[0].mean
    alone = {"policy": observation["policy"]}
    assert torch.equal(policy(alone)[0].mean, mean)
    assert torch.equal(policy(alone | {"privileged": torch.full((4, 9), 7.0)})[0].mean, mean)


def test_values_depend_on_the_critics_groups_alone():
    policy = made(actor_groups=("policy",), critic_groups=("privileged",))
    observation = seen()
    value = policy.value(policy.normalise(observation))
    changed = {**observation, "policy": observation["policy"] + 1.0}
    assert torch.equal(policy.value(policy.normalise(changed)), value)
    other = {**observation, "privileged": observation["privileged"] + 1.0}
    assert not torch.equal(policy.value(policy.normalise(other)), value)


def test_normalisers_learn_of_every_group_that_is_read():
    policy = made(actor_groups=("policy",), critic_groups=("privileged",))
    assert policy.unseen
    policy.update_normalisers(seen(500))
    normalised = policy.normalise(seen(500))
    assert set(normalised) == {"policy", "privileged"}
    for group in normalised.values():
        np.testing.assert_allclose(group.mean(0), 0.0, atol=1e-5)


def test_a_shape_survives_json_and_shapes_of_before_read_as_they_were():
    shape = made(actor_groups=("policy",)).shape
    assert PolicyShape.from_dict(json.loads(json.dumps(shape.as_dict()))) == shape
    before = {"groups": {"proprio": 4, "privileged": 2}, "actions": 2, "hidden": [8], "initial_log_std": 0.0}
    old = PolicyShape.from_dict(before)
    assert old.actor_sizes == old.critic_sizes == old.groups


def test_a_shape_fits_where_its_actor_finds_what_it_reads():
    shape = made(actor_groups=("policy",), critic_groups=("privileged",)).shape
    assert shape.fits(SPACE, ACTIONS)
    assert shape.fits(Dict({"policy": SPACE["policy"]}), ACTIONS)
    assert not shape.fits(Dict({"goal": SPACE["goal"]}), ACTIONS)
    assert not shape.fits(Dict({"policy": Box(-1, 1, (7,))}), ACTIONS)
    assert not shape.fits(SPACE, Box(-1, 1, (4,)))


def test_groups_that_are_not_there_are_refused_with_those_that_are():
    with pytest.raises(UserError, match=r"--policy\.critic-groups names terrain; .* goal, policy, privileged"):
        made(critic_groups=("terrain",))
