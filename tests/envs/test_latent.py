"""LatentEnv over a task that counts: what is held, averaged, cut off and frozen, to the step."""

import gymnasium
import numpy as np
import pytest
import torch

from embodied.envs.latent import LatentEnv
from embodied.runs.errors import UserError
from tests.envs.counting import counting


class Repeat:
    """A prior whose action is a number of the latent in all joints; it counts its decisions in its memory."""

    def __init__(self, env, size=2, dt=None):
        self.latent_space = gymnasium.spaces.Box(-1.0, 1.0, (size,), np.float32)
        self.action_space = env.action_space
        self.control_dt = env.control_dt if dt is None else dt
        self.observation_spec = {"count": env.observation_spec.groups["count"]}
        self.seen, self.latents = [], []

    def project(self, latent):
        return latent.clamp(-1.0, 1.0)

    def decode(self, obs, latent, memory=()):
        self.seen.append(obs["count"][:, 0].clone())
        self.latents.append(latent.clone())
        (decided,) = memory
        return latent[:, :1].expand(-1, *self.action_space.shape).contiguous(), (decided + 1,)

    def initial_memory(self, num_worlds):
        return (torch.zeros(num_worlds),)

    def clear(self, memory, mask):
        return (memory[0].masked_fill(mask, 0.0),)


def latents(env, value=0.1):
    return torch.full((env.num_worlds, *env.action_space.shape), value)


def commanded(hold=4, reward="mean", **kind):
    inner = counting(**kind)
    env = LatentEnv(inner, Repeat(inner), hold, reward)
    env.reset(seed=1)
    return env


def test_a_latent_is_held_and_decided_upon_with_what_is_seen_in_between():
    env = commanded(hold=4)
    observation, reward, terminated, truncated, info = env.step(latents(env, 5.0))
    assert [seen.tolist() for seen in env.prior.seen] == [[k] * 3 for k in range(4)]
    assert all(torch.equal(latent, torch.ones(3, 2)) for latent in env.prior.latents)  # projected
    assert observation["count"][:, 0].tolist() == [4, 4, 4]
    assert info["terms"]["one"].tolist() == [1, 1, 1]
    assert info["terms"]["count"].tolist() == [2.5] * 3  # the mean of 1 to 4
    assert reward.tolist() == [3.5] * 3
    assert not (terminated | truncated).any()
    assert len(info["episode"]["world"]) == 0
    assert len(info["episode"]["return"]) == 0
    assert info["final_obs"] is observation
    assert env.control_dt == pytest.approx(4 * env.env.control_dt)


def test_rewards_may_be_summed():
    env = commanded(hold=4, reward="sum")
    info = env.step(latents(env))[4]
    assert info["terms"]["count"].tolist() == [10] * 3


@pytest.mark.parametrize("reward", ["mean", "sum"])
def test_a_world_that_ends_within_a_hold_is_frozen_until_the_hold_is_over(reward):
    env = commanded(hold=4, reward=reward, ends=(6, 1000, 1000))
    env.step(latents(env))
    observation, total, terminated, truncated, info = env.step(latents(env))
    assert terminated.tolist() == [True, False, False]
    assert not truncated.any()
    assert info["final_obs"]["count"][:, 0].tolist() == [6, 8, 8]
    assert observation["count"][:, 0].tolist() == [0, 8, 8]  # not 2: its new episode has not begun to run
    assert env.env.episode_length.tolist() == [0, 8, 8]
    steps = [2, 4, 4]
    counted = [5 + 6, 5 + 6 + 7 + 8, 5 + 6 + 7 + 8]
    share = [1 / n if reward == "mean" else 1 for n in steps]
    assert info["terms"]["one"].tolist() == [n * s for n, s in zip(steps, share, strict=True)]
    assert info["terms"]["count"].tolist() == [c * s for c, s in zip(counted, share, strict=True)]
    assert torch.allclose(total, sum(info["terms"].values()).float())
    episode = info["episode"]
    assert episode["world"].tolist() == [0]
    assert episode["length"].tolist() == [6]
    assert episode["return"].tolist() == [6 + 21]  # in the wrapped environment's own reward, whatever is averaged
    assert episode["terms"]["count"].tolist() == [21]
    assert episode["metrics"]["reached"].tolist() == [6]
    observation = env.step(latents(env))[0]
    assert observation["count"][:, 0].tolist() == [4, 12, 12]


def test_a_world_that_would_end_again_while_frozen_does_not():
    env = commanded(hold=10, ends=(3, 1000, 1000))
    first, _, terminated, _, info = env.step(latents(env))
    assert terminated.tolist() == [True, False, False]
    assert info["episode"]["world"].tolist() == [0]
    assert first["count"][:, 0].tolist() == [0, 10, 10]
    again = env.step(latents(env))
    assert again[4]["final_obs"]["count"][:, 0].tolist() == [3, 20, 20]
    assert again[4]["episode"]["length"].tolist() == [3]


def test_what_a_frozen_world_goes_on_from_is_the_start_it_was_given():
    env = commanded(hold=5, ends=(2, 1000, 1000))
    seen, wrapped = [], env.env.step

    def step(actions):
        out = wrapped(actions)
        seen.append((out[0], env.world.state().clone()))
        return out

    env.env.step = step
    observation = env.step(latents(env))[0]
    start, state = seen[1]
    assert torch.equal(env.world.state()[0], state[0])
    for name, group in observation.items():
        assert torch.equal(group[0], start[name][0]), name
        assert torch.equal(group[1:], seen[-1][0][name][1:]), name
    assert float(env.env.env.task.memory["drawn"][0]) == pytest.approx(float(start["drawn"][0]), rel=1e-6)


def test_worlds_beside_a_frozen_one_do_what_they_would_without_it():
    plain, env = counting(), commanded(hold=4, ends=(3, 1000, 1000))
    plain.reset(seed=1)
    for _ in range(3):
        observation = env.step(latents(env))[0]
        for _ in range(4):
            expected = plain.step(torch.full((3, *plain.action_space.shape), 0.1))[0]
        for name, group in observation.items():
            assert torch.equal(group[1:], expected[name][1:]), name


def test_time_limits_are_those_of_the_wrapped_environment():
    env = commanded(hold=4, limit=10)
    for _ in range(2):
        assert not env.step(latents(env))[3].any()
    observation, _, terminated, truncated, info = env.step(latents(env))
    assert truncated.all()
    assert not terminated.any()
    assert info["final_obs"]["count"][:, 0].tolist() == [10, 10, 10]
    assert observation["count"][:, 0].tolist() == [0, 0, 0]
    assert info["episode"]["length"].tolist() == [10, 10, 10]
    assert info["terms"]["one"].tolist() == [1, 1, 1]  # of the two steps that were made
    assert len(env.prior.seen) == 10  # once all have ended nobody is left to decide for


def test_memory_of_the_prior_begins_anew_with_an_episode():
    env = commanded(hold=4, ends=(6, 1000, 1000))
    env.step(latents(env))
    env.step(latents(env))
    assert env.state_dict()["memory/0"].tolist() == [0, 8, 8]


def test_priors_may_be_stacked():
    inner = counting(limit=1000, ends=(5, 1000, 1000))
    middle = LatentEnv(inner, Repeat(inner), 2)
    outer = LatentEnv(middle, Repeat(middle, size=3), 3, "sum")
    outer.reset(seed=1)
    observation, _, terminated, _, info = outer.step(latents(outer))
    assert outer.control_dt == pytest.approx(6 * inner.control_dt)
    assert terminated.tolist() == [True, False, False]
    assert info["final_obs"]["count"][:, 0].tolist() == [5, 6, 6]
    assert observation["count"][:, 0].tolist() == [0, 6, 6]
    assert info["terms"]["one"].tolist() == [3, 3, 3]  # three means of the inner one
    assert info["episode"]["length"].tolist() == [5]
    assert outer.step(latents(outer))[0]["count"][:, 0].tolist() == [0, 12, 12]  # after 5 of 6 it is frozen once more


def test_a_stored_environment_goes_on_as_it_would_have():
    one, two = (commanded(hold=4, limit=30, ends=(6, 1000, 9), seed=seed) for seed in (0, 5))
    for number in range(3):
        one.step(latents(one, 0.1 * number))
    two.load_state_dict(one.state_dict())
    for number in range(8):
        here, there = (env.step(latents(env, -0.1 * number)) for env in (one, two))
        for name, group in here[0].items():
            assert torch.equal(group, there[0][name]), name
        assert all(torch.equal(a, b) for a, b in zip(here[1:4], there[1:4], strict=True))


def test_what_does_not_fit_is_refused_with_the_reason():
    env = counting()
    with pytest.raises(UserError, match="hold must be a whole number"):
        LatentEnv(env, Repeat(env), 0)
    with pytest.raises(UserError, match=r"decides every 0\.5 s"):
        LatentEnv(env, Repeat(env, dt=0.5), 2)
    prior = Repeat(env)
    prior.observation_spec = {"proprio": env.observation_spec.groups["count"] * 2}
    with pytest.raises(UserError, match="the prior reads a group proprio of 2 numbers"):
        LatentEnv(env, prior, 2)
    prior = Repeat(env)
    prior.observation_spec = {"count": env.observation_spec.groups["drawn"]}
    with pytest.raises(UserError, match="the prior reads count as"):
        LatentEnv(env, prior, 2)
    prior = Repeat(env)
    prior.action_space = gymnasium.spaces.Box(-1, 1, (3,))
    with pytest.raises(UserError, match="gives 3 actions"):
        LatentEnv(env, prior, 2)
    with pytest.raises(UserError, match="style can be rewarded where"):
        LatentEnv(env, Repeat(env), 2, style=True)
    ready = LatentEnv(env, Repeat(env), 2)
    with pytest.raises(RuntimeError, match="reset the environment"):
        ready.step(torch.zeros(3, 2))
    ready.reset(seed=0)
    with pytest.raises(ValueError, match=r"latents have shape \(3, 7\); expected \(3, 2\)"):
        ready.step(torch.zeros(3, 7))
