"""AutoresetEnv against a twin Env that never resets, and against sums kept by hand."""

import random

import numpy as np
import pytest
import torch

import embodied
from tests.envs.short import actions_for, plain, put, short


def play(env, actions):
    """Everything that a learner sees, step by step."""
    seen = []
    for action in actions:
        observation, reward, terminated, truncated, info = env.step(action)
        seen.append((observation["proprio"], reward, terminated, truncated, info["final_obs"]["proprio"]))
    return seen


def same(one, other):
    assert len(one) == len(other)
    assert all(
        torch.equal(a, b) for left, right in zip(one, other, strict=True) for a, b in zip(left, right, strict=True)
    )


def test_a_truncated_episode_s_last_observation_is_that_of_an_env_that_never_resets():
    env, twin = short(steps=12, seed=3), plain(seed=3)
    observation, _ = env.reset(seed=5)
    twin.generator.manual_seed(5)
    assert torch.equal(twin.reset(torch.ones(3, dtype=torch.bool))["proprio"], observation["proprio"])
    for step, actions in enumerate(actions_for(env, 12), 1):
        observation, reward, terminated, truncated, info = env.step(actions)
        unreset = twin.advance(actions)
        assert torch.equal(info["final_obs"]["proprio"], unreset.observation["proprio"])
        np.testing.assert_allclose(reward, unreset.terms.sum(0), rtol=1e-6, atol=1e-6)
        assert not terminated.any()
        assert truncated.all() == (step == 12)
        if step < 12:
            assert torch.equal(observation["proprio"], unreset.observation["proprio"])
    # The observation already belongs to the new episode: it is what the twin's own reset gives.
    assert torch.equal(twin.reset(torch.ones(3, dtype=torch.bool))["proprio"], observation["proprio"])
    assert env.world.field("time").eq(0).all()


def test_a_terminated_world_is_reset_within_the_step_and_the_others_go_on():
    env, twin = short(seed=1), plain(seed=1)
    for actions in actions_for(env, 5):
        env.step(actions)
        twin.advance(actions)
    put(env, 1, y=80.0)
    put(twin, 1, y=80.0)
    observation, _, terminated, truncated, info = env.step(torch.zeros(3, 12))
    unreset = twin.advance(torch.zeros(3, 12))
    assert terminated.tolist() == unreset.terminated.tolist() == [False, True, False]
    assert not truncated.any()
    assert not info["unhealthy"].any()
    final = info["final_obs"]["proprio"]
    assert torch.equal(final, unreset.observation["proprio"])
    others = [0, 2]
    assert torch.equal(observation["proprio"][others], final[others])
    assert not torch.equal(observation["proprio"][1], final[1])
    assert env.world.field("qpos")[1, :2].abs().max() <= 5e-3
    for actions in actions_for(env, 5, seed=1):
        observation = env.step(actions)[0]["proprio"]
        assert torch.equal(observation[others], twin.advance(actions).observation["proprio"][others])


def test_an_episode_that_ends_at_its_last_step_is_terminated_and_not_truncated():
    env = short(steps=4)
    env.reset()
    for step in range(4):
        if step == 3:
            put(env.env, 2, y=80.0)
        _, _, terminated, truncated, info = env.step(torch.zeros(3, 12))
    assert terminated.tolist() == [False, False, True]
    assert truncated.tolist() == [True, True, False]
    assert info["episode"]["length"].tolist() == [4, 4, 4]


def test_an_unhealthy_world_ends_with_its_last_healthy_observation_and_no_reward():
    env, twin = short(steps=50), short(steps=50)
    last = env.reset(seed=0)[0]["proprio"]
    twin.reset(seed=0)
    actions = actions_for(env, 20)
    for step in range(20):
        if step == 6:
            env.world.field("qvel")[0, 3] = float("nan")
        observation, reward, terminated, truncated, info = env.step(actions[step])
        beside = twin.step(actions[step])
        assert info["unhealthy"].tolist() == [step == 6, False, False]
        if step == 6:
            assert terminated.tolist() == [True, False, False]
            assert not truncated.any()
            assert reward[0] == 0
            assert all(term[0] == 0 for term in info["terms"].values())
            assert torch.equal(info["final_obs"]["proprio"][0], last[0])
            assert info["episode"]["world"].tolist() == [0]
            assert info["episode"]["length"].tolist() == [7]
            assert env.world.field("time").flatten()[0] == 0
        last = observation["proprio"]
        assert torch.isfinite(last).all()
        # Until the twin's chance is drawn for another number of worlds, the neighbours are the same bit for bit.
        assert torch.equal(last[1:], beside[0]["proprio"][1:])
        assert torch.equal(reward[1:], beside[1][1:])
    assert (env.unhealthy_worlds, twin.unhealthy_worlds) == (1, 0)
    assert env.world.warnings == {"badqvel": 1}


def test_episode_figures_are_the_sums_kept_by_hand():
    env = short(num_worlds=4, steps=25, body="biped")
    env.reset(seed=0)
    returns, lengths = np.zeros(4), np.zeros(4, dtype=int)
    terms = {"forward": np.zeros(4), "control_cost": np.zeros(4)}
    ends = {"terminated": 0, "truncated": 0}
    for actions in actions_for(env, 80):
        _, reward, terminated, truncated, info = env.step(actions)
        returns += reward.numpy()
        lengths += 1
        for name, kept in terms.items():
            kept += info["terms"][name].numpy()
        np.testing.assert_allclose(reward, sum(term for term in info["terms"].values()), rtol=1e-6, atol=1e-6)
        episode, done = info["episode"], (terminated | truncated).nonzero().flatten().numpy()
        assert not (terminated & truncated).any()
        assert episode["world"].tolist() == done.tolist()
        np.testing.assert_allclose(episode["return"], returns[done], rtol=1e-5, atol=1e-5)
        assert episode["length"].tolist() == lengths[done].tolist()
        for name, kept in terms.items():
            np.testing.assert_allclose(episode["terms"][name], kept[done], rtol=1e-9, atol=1e-9)
            kept[done] = 0
        np.testing.assert_array_equal(truncated, (lengths >= 25) & ~terminated.numpy())
        returns[done], lengths[done] = 0, 0
        ends["terminated"] += int(terminated.sum())
        ends["truncated"] += int(truncated.sum())
    assert min(ends.values()) > 0


def test_a_seed_makes_all_that_follows_repeatable_whatever_came_before():
    env = short(steps=9)
    actions = actions_for(env, 25)
    first, _ = env.reset(seed=7)
    once = play(env, actions)
    play(env, actions_for(env, 13, seed=9))
    again, _ = env.reset(seed=7)
    assert torch.equal(first["proprio"], again["proprio"])
    same(once, play(env, actions))
    other, _ = env.reset(seed=8)
    assert not torch.equal(first["proprio"], other["proprio"])
    unseeded, _ = env.reset()
    assert not torch.equal(other["proprio"], unseeded["proprio"])


@pytest.mark.parametrize("threads", [1, 2])
def test_the_seed_given_to_make_decides_as_well(threads):
    one, two, other = (embodied.make("flat", num_worlds=3, seed=seed, threads=threads) for seed in (4, 4, 5))
    actions = actions_for(one, 40)
    seen = [play(env, actions) for env in (one, two, other)]
    same(seen[0], seen[1])
    assert not torch.equal(seen[0][0][0], seen[2][0][0])


@pytest.mark.parametrize("at", [0, 1, 7, 17])
def test_an_environment_goes_on_from_its_state_bit_for_bit_mid_episode(at):
    env, other = short(steps=11, seed=1), short(steps=11, seed=2)
    actions = actions_for(env, 40)
    observation, _ = env.reset(seed=3)
    for action in actions[:at]:
        observation, *_ = env.step(action)
    restored = other.load_state_dict({name: value.clone() for name, value in env.state_dict().items()})
    assert torch.equal(restored["proprio"], observation["proprio"])
    for action in actions[at:]:
        one, two = env.step(action), other.step(action)
        assert torch.equal(one[0]["proprio"], two[0]["proprio"])
        assert all(torch.equal(a, b) for a, b in zip(one[1:4], two[1:4], strict=True))
        for figure in ("world", "return", "length"):
            assert torch.equal(one[4]["episode"][figure], two[4]["episode"][figure])
    assert torch.equal(one[4]["final_obs"]["proprio"], two[4]["final_obs"]["proprio"])


def test_a_state_from_before_the_first_step_is_restored_after_later_ones():
    env = short(steps=11)
    start, _ = env.reset(seed=3)
    state = env.state_dict()
    actions = actions_for(env, 20)
    once = play(env, actions)
    assert torch.equal(env.load_state_dict(state)["proprio"], start["proprio"])
    same(once, play(env, actions))


@pytest.mark.parametrize("shape", [(3, 11), (2, 12), (12,), (3,), (1, 12), (3, 12, 1)])
def test_actions_of_another_shape_are_refused_with_what_was_expected(shape):
    env = short()
    env.reset()
    before = env.world.state()
    with pytest.raises(ValueError, match=r"\(3, 12\)"):
        env.step(torch.zeros(*shape))
    assert torch.equal(env.world.state(), before)


def test_chance_is_the_environment_s_own_and_leaves_global_generators_alone():
    seen = []
    for global_seed in (0, 1):
        torch.manual_seed(global_seed)
        np.random.seed(global_seed)  # noqa: NPY002 - the global generator is what must not matter
        random.seed(global_seed)
        before = torch.get_rng_state(), np.random.get_state()[1].copy(), random.getstate()  # noqa: NPY002
        env = short(steps=6)
        env.reset(seed=1)
        seen.append(play(env, actions_for(env, 15)))
        assert torch.equal(torch.get_rng_state(), before[0])
        np.testing.assert_array_equal(np.random.get_state()[1], before[1])  # noqa: NPY002
        assert random.getstate() == before[2]
    same(*seen)


def test_an_environment_first_stepped_in_inference_mode_goes_on_outside_of_it():
    """rsl_rl collects in inference mode and plays outside of it."""
    env, twin = short(steps=6), short(steps=6)
    actions = actions_for(env, 20)
    for each in (env, twin):
        each.reset(seed=0)
    with torch.inference_mode():
        play(env, actions[:8])
    play(twin, actions[:8])
    same(play(env, actions[8:]), play(twin, actions[8:]))
    env.reset(seed=0)


def test_what_learners_need_to_know_is_there():
    env = embodied.make("flat", "crab", num_worlds=2)
    assert env.num_worlds == 2
    assert (env.control_dt, env.decimation, env.episode_steps) == (pytest.approx(0.02), 4, 1000)
    assert env.observation_space["proprio"].shape == env.observation_spec.space["proprio"].shape
    np.testing.assert_array_equal(env.action_space.high, np.ones(env.action_space.shape))
    observation, info = env.reset()
    assert observation.keys() == {"proprio"}
    assert info == {}
    _, reward, terminated, truncated, _ = env.step(torch.zeros(2, *env.action_space.shape))
    assert reward.dtype == torch.float32
    assert terminated.dtype == truncated.dtype == torch.bool
    env.close()
