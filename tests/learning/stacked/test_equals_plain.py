"""The learner with a members axis against the plain one, training by training."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from embodied.learning.ppo import PPOConfig
from embodied.learning.stacked import StackedTrainer
from embodied.learning.trainer import ENVIRONMENT, Trainer
from embodied.networks import PolicyConfig
from embodied.runs.seeds import generator_seed, stream
from tests.envs.short import short
from tests.learning.stacked.drift import Beside, Drift, ListedDrift

CONFIG = PPOConfig(rollout_steps=12, minibatch=20, epochs=3, learning_rate=3e-3, kl_stop=0.02)
"""48 samples a rollout in 4 worlds: minibatches of 20, 20 and 8. Learning so fast that the KL stops updates."""
ROLLOUTS = 8
SMALL = PolicyConfig(hidden=(16, 12))


def beside(envs, seeds):
    """The environments of plain trainers with these seeds as one."""
    return Beside(envs, [generator_seed(stream(seed, ENVIRONMENT)) for seed in seeds])


def compare(plain, stacked, member, tolerance=1e-5):
    """Every tensor of the learner; statistics relative to their size."""
    wanted, given = plain.state()[0], stacked.state()[0]
    below = f"member/{member}/" if stacked.policies.members > 1 else ""
    for name, value in wanted.items():
        if name.startswith(("policy/", "ppo/", "learner/")):
            np.testing.assert_allclose(given[below + name], value, rtol=tolerance, atol=tolerance, err_msg=name)


def same_metrics(wanted, given, tolerance=1e-4):
    assert given.keys() == wanted.keys()
    for name, value in wanted.items():
        assert given[name] == pytest.approx(value, rel=tolerance, abs=tolerance), name


def train_both(plain, stacked):
    """Iterates both side by side and compares them each time; gives the updates of each rollout."""
    updates = []
    while not stacked.finished:
        wanted = [one.iterate() for one in plain]
        stacked.iterate()
        for member, one in enumerate(plain):
            compare(one, stacked, member)
            same_metrics(wanted[member], stacked.member_metrics[member])
        updates.append([metrics.get("updates") for metrics in stacked.member_metrics])
    assert all(one.finished for one in plain)
    return np.array(updates[1:])


@pytest.mark.parametrize("lists", [True, False])
def test_one_member_gives_the_numbers_of_the_plain_learner(lists):
    plain = Trainer(ListedDrift(4), CONFIG, ROLLOUTS * 48, 3, SMALL)
    stacked = StackedTrainer((ListedDrift if lists else Drift)(4), CONFIG, ROLLOUTS * 48, [3], SMALL)
    updates = train_both([plain], stacked)
    assert (updates < 9).any()  # the KL stopped some
    assert (updates == 9).any()  # and not all
    assert plain.experience.truncated.any()
    assert plain.experience.terminated.any()


@pytest.mark.parametrize(
    "changes",
    [{"kl_target": 0.005}, {"final_learning_rate": 2e-3, "value_clip": float("inf")}],
    ids=lambda changes: next(iter(changes)),
)
def test_with_every_option_too(changes):
    config = replace(CONFIG, **changes)
    plain = Trainer(ListedDrift(4), config, ROLLOUTS * 48, 3, SMALL)
    stacked = StackedTrainer(Drift(4), config, ROLLOUTS * 48, [3], SMALL)
    train_both([plain], stacked)


def test_one_member_gives_the_numbers_of_the_plain_learner_on_a_walking_body():
    """Physics carry differences of rounding on, so fewer rollouts are compared than could be without them."""
    config = PPOConfig(rollout_steps=16, minibatch=24, epochs=3, kl_stop=0.002)
    plain = Trainer(short(4, 25, body="biped"), config, 5 * 64, 0)
    stacked = StackedTrainer(short(4, 25, body="biped"), config, 5 * 64, [0])
    stopped = False
    while not stacked.finished:
        wanted, given = plain.iterate(), stacked.iterate()
        assert given.keys() == wanted.keys()
        assert given["episodes"] == wanted["episodes"]
        assert given.get("updates") == wanted.get("updates")
        stopped |= wanted.get("updates", 9) < 9
        tensors, others = plain.state()[0], stacked.state()[0]
        assert tensors.keys() == others.keys()
        for name, value in tensors.items():
            if name.startswith(("policy/actor", "policy/critic", "policy/log_std")):
                np.testing.assert_allclose(others[name], value, atol=1e-5, err_msg=name)
    assert stopped
    assert plain.experience.truncated.any() or plain.experience.terminated.any()


def test_three_members_give_the_numbers_of_three_plain_trainings():
    seeds = (3, 11, 6)
    plain = [Trainer(ListedDrift(4), CONFIG, ROLLOUTS * 48, seed, SMALL) for seed in seeds]
    env = beside([ListedDrift(4) for _ in seeds], seeds)
    stacked = StackedTrainer(env, CONFIG, ROLLOUTS * 48, seeds, SMALL)
    assert set(stacked.policies.critic.groups) - set(stacked.policies.actor.groups) == {"privileged"}
    updates = train_both(plain, stacked)
    stopped = updates < 9
    assert (stopped.any(axis=1) & ~stopped.all(axis=1)).any()  # a member stopped in a rollout in which another went on
    assert all(one.experience.truncated.any() for one in plain)
    assert any(one.experience.terminated.any() for one in plain)
    np.testing.assert_array_equal(stacked.experience.truncated, torch.cat([e.experience.truncated for e in plain], 1))


def test_two_walking_bodies_of_one_kind_learn_as_each_does_alone():
    config = PPOConfig(rollout_steps=16, minibatch=32, epochs=2)
    seeds = (0, 5)
    plain = [Trainer(short(2, 25, body="biped"), config, 3 * 32, seed) for seed in seeds]
    env = beside([short(2, 25, body="biped") for _ in seeds], seeds)
    stacked = StackedTrainer(env, config, 3 * 32, seeds)
    while not stacked.finished:
        metrics = [one.iterate() for one in plain]
        stacked.iterate()
        for member, one in enumerate(plain):
            for name, value in one.policy.state_dict().items():
                if "normalisers" not in name:
                    found = stacked.member(member).state_dict()[name]
                    np.testing.assert_allclose(found, value, atol=1e-5, err_msg=name)
            same_metrics(metrics[member], stacked.member_metrics[member], 1e-3)


@pytest.mark.parametrize("direction", ["plain to stacked", "stacked to plain"])
def test_a_training_of_one_member_can_be_taken_up_by_either_learner(direction):
    plain = Trainer(ListedDrift(4), CONFIG, ROLLOUTS * 48, 3, SMALL)
    stacked = StackedTrainer(Drift(4), CONFIG, ROLLOUTS * 48, [3], SMALL)
    one, other = (plain, stacked) if direction == "plain to stacked" else (stacked, plain)
    for _ in range(4):
        one.iterate()
    other.load_state(*one.state())
    wanted, given = one.state(), other.state()
    assert given[1] == wanted[1]
    assert given[0].keys() == wanted[0].keys()
    for name, value in wanted[0].items():
        assert torch.equal(given[0][name], value), name
    train_both([plain], stacked)
