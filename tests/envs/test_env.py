"""Env: what one control step leads to, and that a world in trouble stays alone with it."""

import numpy as np
import pytest
import torch

import embodied
from embodied.runs.errors import UserError
from embodied.senses import ObservationSpec
from morphologies import find_body, to_json
from tests.envs.short import actions_for, plain, put


def test_an_env_never_resets_by_itself():
    env = plain(num_worlds=2, steps=3)
    put(env, 0, y=80.0)
    for count, actions in enumerate(actions_for(env, 6), 1):
        now = env.advance(actions)
        assert now.terminated.tolist() == [True, False]
        np.testing.assert_allclose(env.world.field("time").flatten(), [0.02 * count] * 2)


def test_a_masked_reset_begins_only_where_the_mask_holds():
    env = plain()
    for actions in actions_for(env, 10):
        before = env.advance(actions).observation["proprio"]
    states = env.world.state()
    mask = torch.tensor([True, False, True])
    observation = env.reset(mask)["proprio"]
    assert torch.equal(env.world.state()[~mask], states[~mask])
    assert torch.equal(observation[~mask], before[~mask])
    assert env.world.field("time").flatten()[mask].eq(0).all()
    assert not torch.equal(observation[0], observation[2])


@pytest.mark.parametrize("value", [float("nan"), float("inf"), 1e12])
@pytest.mark.parametrize("field", ["qpos", "qvel"])
def test_a_world_whose_physics_failed_ends_with_its_last_healthy_observation_and_no_reward(field, value):
    env, twin = plain(), plain()
    actions = actions_for(env, 12)
    for step in range(5):
        last = env.advance(actions[step])
        twin.advance(actions[step])
    env.world.field(field)[1, 8] = value
    now, beside = env.advance(actions[5]), twin.advance(actions[5])
    assert now.unhealthy.tolist() == [False, True, False]
    assert now.terminated.tolist() == [False, True, False]
    assert now.terms[:, 1].tolist() == [0.0, 0.0]
    assert torch.equal(now.observation["proprio"][1], last.observation["proprio"][1])
    others = [0, 2]
    assert torch.equal(now.observation["proprio"][others], beside.observation["proprio"][others])
    assert torch.equal(now.terms[:, others], beside.terms[:, others])
    env.reset(torch.tensor([False, True, False]))
    for step in range(6, 12):
        now, beside = env.advance(actions[step]), twin.advance(actions[step])
        assert not now.unhealthy.any()
        assert torch.isfinite(now.observation["proprio"]).all()
        assert torch.equal(now.observation["proprio"][others], beside.observation["proprio"][others])


def test_an_action_that_is_no_number_ends_its_world_alone():
    env, twin = plain(), plain()
    actions = actions_for(env, 8)
    spoiled = actions.clone()
    spoiled[3, 2, 5] = float("nan")
    for step in range(8):
        now, beside = env.advance(spoiled[step]), twin.advance(actions[step])
        assert now.unhealthy.tolist() == [False, False, step == 3]
        assert torch.isfinite(now.terms).all()
        assert torch.isfinite(now.observation["proprio"]).all()
        if step == 3:
            assert now.terms[:, 2].tolist() == [0.0, 0.0]
            env.reset(torch.tensor([False, False, True]))
        assert torch.equal(now.observation["proprio"][:2], beside.observation["proprio"][:2])


def test_a_world_that_leaves_its_observation_space_is_unhealthy_too():
    env = plain()
    env.world.field("qvel")[2, 0] = 500.0  # m/s; finite, and nothing the engine minds
    now = env.advance(torch.zeros(3, 12))
    assert now.unhealthy.tolist() == [False, False, True]
    assert now.terms[:, 2].tolist() == [0.0, 0.0]
    assert env.spec.space.contains({"proprio": now.observation["proprio"][2].numpy()})
    assert env.world.warnings == {}


def test_a_world_unhealthy_twice_keeps_the_last_healthy_observation():
    env = plain()
    last = env.advance(torch.zeros(3, 12)).observation["proprio"][0]
    for _ in range(2):
        env.world.field("qpos")[0, 0] = float("nan")
        now = env.advance(torch.zeros(3, 12))
        assert torch.equal(now.observation["proprio"][0], last)


@pytest.mark.parametrize("shape", [(3, 1), (1, 12), (12,), (3, 11)])
def test_actions_of_another_shape_are_refused(shape):
    env = plain()
    with pytest.raises(ValueError, match="12"):
        env.advance(torch.zeros(*shape))


def test_a_masked_reset_gives_the_others_their_last_observation_also_after_a_restore():
    env, other = plain(), plain(seed=1)
    for actions in actions_for(env, 25):
        last = env.advance(actions).observation["proprio"]
    other.load_state_dict(env.state_dict())
    mask = torch.tensor([True, False, False])
    for each in (env, other):
        assert torch.equal(each.reset(mask)["proprio"][1:], last[1:])


def test_a_masked_reset_leaves_an_unhealthy_world_its_last_healthy_observation():
    env = plain()
    last = env.advance(torch.zeros(3, 12)).observation["proprio"]
    env.world.field("qvel")[2, 0] = 500.0
    assert env.advance(torch.zeros(3, 12)).unhealthy.tolist() == [False, False, True]
    assert torch.equal(env.reset(torch.tensor([True, False, False]))["proprio"][2], last[2])


def test_env_goes_on_from_its_state_bit_for_bit_in_a_new_env():
    env, other = plain(seed=1), plain(seed=2)
    actions = actions_for(env, 30)
    for step in range(10):
        now = env.advance(actions[step])
    state = {name: value.clone() for name, value in env.state_dict().items()}
    observation = other.load_state_dict(state)
    assert torch.equal(observation["proprio"], now.observation["proprio"])
    for step in range(10, 30):
        one, two = env.advance(actions[step]), other.advance(actions[step])
        assert torch.equal(one.observation["proprio"], two.observation["proprio"])
        assert torch.equal(one.terms, two.terms)
        if one.terminated.any():
            one, two = env.reset(one.terminated), other.reset(two.terminated)
            assert torch.equal(one["proprio"], two["proprio"])


def test_a_state_already_taken_does_not_follow_later_steps():
    env = plain()
    env.advance(torch.zeros(3, 12))
    state = env.state_dict()
    kept = {name: value.clone() for name, value in state.items()}
    for actions in actions_for(env, 3):
        env.advance(actions)
    env.reset(torch.ones(3, dtype=torch.bool))
    assert state.keys() == kept.keys()
    assert all(torch.equal(state[name], kept[name]) for name in kept)


def test_make_takes_names_files_genomes_and_bodies(tmp_path):
    ant = find_body("ant")
    file = tmp_path / "mine.json"
    file.write_text(to_json(ant.genome))
    ends = []
    for body in (None, "ant", file, str(file), ant.genome, ant):
        env = embodied.make("flat", body, num_worlds=2, seed=4)
        assert isinstance(env.observation_spec, ObservationSpec)
        env.reset()
        ends.append(env.step(torch.full((2, 12), 0.5))[0]["proprio"])
    assert all(torch.equal(ends[0], end) for end in ends)


@pytest.mark.parametrize("count", [0, -1])
def test_make_refuses_an_environment_without_worlds(count):
    with pytest.raises(ValueError, match=str(count)):
        embodied.make("flat", num_worlds=count)


@pytest.mark.parametrize("device", ["gpu", "warp:0"])
def test_make_refuses_a_device_without_a_world_by_name(device):
    with pytest.raises(UserError, match=device):
        embodied.make("flat", device=device)
