"""Training: killed at any iteration and taken up again, and learning where the best is known."""

import random

import gymnasium
import numpy as np
import pytest
import torch

from embodied.learning.ppo import PPOConfig
from embodied.learning.trainer import Trainer
from embodied.runs.checkpoint import latest_checkpoint, save_checkpoint
from tests.envs.short import short

CONFIG = PPOConfig(rollout_steps=16, minibatch=32, epochs=2)
ITERATIONS = 6


def trainer(seed=0, steps=ITERATIONS * 16 * 4, env_seed=0, threads=1):
    return Trainer(short(4, 25, body="biped", seed=env_seed, threads=threads), CONFIG, steps, seed)


def same(one, other):
    (tensors, facts), (others, other_facts) = one, other
    assert facts == other_facts
    assert tensors.keys() == others.keys()
    for name in tensors:
        assert torch.equal(tensors[name], others[name]), name


@pytest.fixture(scope="module")
def uninterrupted():
    whole = trainer()
    states, metrics = [whole.state()], []
    while not whole.finished:
        metrics.append(whole.iterate())
        states.append(whole.state())
    return states, metrics


@pytest.mark.parametrize("killed_at", range(ITERATIONS + 1))
def test_training_killed_at_any_iteration_goes_on_bit_for_bit(uninterrupted, killed_at, tmp_path):
    states, metrics = uninterrupted
    tensors, facts = states[killed_at]
    save_checkpoint(tmp_path, facts["steps"], tensors, facts)
    # A new process: other environment seeds and threads must not matter, nor what the new trainer drew at its start.
    again = trainer(seed=77, env_seed=5, threads=2)
    again.load_state(*latest_checkpoint(tmp_path))
    same(again.state(), states[killed_at])
    rest = []
    while not again.finished:
        rest.append(again.iterate())
    assert rest == metrics[killed_at:]
    same(again.state(), states[-1])


def test_training_is_killed_and_resumed_twice(uninterrupted):
    states, _ = uninterrupted
    for start, end in ((0, 2), (2, 3), (3, 6)):
        part = trainer(seed=start)
        part.load_state(*states[start])
        for _ in range(end - start):
            part.iterate()
        same(part.state(), states[end])


def test_training_repeats_from_its_seed_and_draws_from_nothing_global(uninterrupted):
    states, metrics = uninterrupted
    torch.manual_seed(99)
    np.random.seed(99)  # noqa: NPY002 - the global generator is what must not matter
    random.seed(99)
    before = torch.get_rng_state(), np.random.get_state()[1].copy(), random.getstate()  # noqa: NPY002
    again = trainer()
    same(again.state(), states[0])
    assert [again.iterate() for _ in range(3)] == metrics[:3]
    assert torch.equal(torch.get_rng_state(), before[0])
    np.testing.assert_array_equal(np.random.get_state()[1], before[1])  # noqa: NPY002
    assert random.getstate() == before[2]
    other = trainer(seed=1)
    assert not torch.equal(
        other.state()[0]["policy/actor.trunk.layers.0.weight"], states[0][0]["policy/actor.trunk.layers.0.weight"]
    )


def test_counts_are_those_of_the_rollouts(uninterrupted):
    states, metrics = uninterrupted
    assert [facts["steps"] for _, facts in states] == [i * 64 for i in range(ITERATIONS + 1)]
    assert len(metrics) == ITERATIONS
    assert metrics[-1]["episodes"] > 0
    assert [m["episodes"] for m in metrics] == sorted(m["episodes"] for m in metrics)
    assert metrics[-1]["unhealthy_episodes"] == 0
    rates = [m["learning_rate"] for m in metrics[1:]]
    np.testing.assert_allclose(rates, [3e-4 * (1 - i / ITERATIONS) for i in range(1, ITERATIONS)])
    assert "learning_rate" not in metrics[0]  # the first rollout only fills the normalisers
    assert 0 < metrics[-1]["episode/length"] <= 25
    terms = metrics[-1]["episode/forward"] + metrics[-1]["episode/control_cost"]
    assert metrics[-1]["episode/return"] == pytest.approx(terms)


@pytest.mark.parametrize(("steps", "iterations"), [(1, 1), (64, 1), (65, 2), (0, 0)])
def test_steps_are_rounded_up_to_whole_rollouts(steps, iterations):
    training = trainer(steps=steps)
    assert training.iterations == iterations
    assert training.finished == (iterations == 0)


class Pointing:
    """A VectorEnv of one-step episodes: the reward is largest, 0, where the action is half the observation."""

    num_worlds, control_dt, episode_steps, device = 64, 1.0, None, torch.device("cpu")
    episode_length = torch.zeros(64, dtype=torch.int64)
    observation_space = gymnasium.spaces.Dict({"aim": gymnasium.spaces.Box(-1, 1, (2,))})
    action_space = gymnasium.spaces.Box(-1, 1, (2,))

    def __init__(self):
        self.generator = torch.Generator()
        self.observation = {}

    def _draw(self):
        self.observation = {"aim": torch.rand(64, 2, generator=self.generator) * 2 - 1}
        return self.observation

    def reset(self, seed=None):
        if seed is not None:
            self.generator.manual_seed(seed)
        return self._draw(), {}

    def step(self, actions):
        reward = -(actions - self.observation["aim"] / 2).square().sum(dim=1)
        ended, last = torch.ones(64, dtype=torch.bool), self.observation
        episode = {"world": torch.arange(64), "return": reward, "length": torch.ones(64, dtype=torch.int64)}
        episode |= {"terms": {"miss": reward}, "metrics": {}}
        info = {"final_obs": last, "terms": {"miss": reward}, "unhealthy": ~ended, "episode": episode}
        return self._draw(), reward, ended, ~ended, info

    def state_dict(self):
        return {"generator": self.generator.get_state(), **self.observation}

    def load_state_dict(self, state):
        self.generator.set_state(state["generator"])
        self.observation = {"aim": state["aim"]}
        return self.observation

    def close(self):
        pass


def test_training_finds_what_is_best_in_an_environment_of_somebody_else():
    config = PPOConfig(rollout_steps=8, minibatch=128, epochs=4, learning_rate=3e-3, entropy_coefficient=0.0)
    training = Trainer(Pointing(), config, steps=60 * 512, seed=0)
    first = training.iterate()
    while not training.finished:
        last = training.iterate()
    assert last["episode/return"] > first["episode/return"] / 10
    aim = torch.rand(500, 2, generator=torch.Generator().manual_seed(9)) * 2 - 1
    with torch.no_grad():
        mean = training.policy({"aim": aim})[0].mean
    assert float((mean - aim / 2).square().mean().sqrt()) < 0.1
