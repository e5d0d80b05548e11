"""Stacked training: killed at any iteration and taken up again, and what it can be asked for."""

import math

import numpy as np
import pytest
import torch

from embodied.learning.ppo import PPOConfig
from embodied.learning.stacked import StackedTrainer
from embodied.networks import PolicyConfig
from embodied.runs.checkpoint import latest_checkpoint, save_checkpoint
from embodied.runs.seeds import generator_seed, stream
from tests.envs.short import short
from tests.learning.stacked.drift import Drift

CONFIG = PPOConfig(rollout_steps=12, minibatch=20, epochs=2, learning_rate=3e-3, kl_stop=0.02)
SMALL = PolicyConfig(hidden=(16, 12))
ITERATIONS = 5


def drifting(members, seed=0, env_seed=0):
    env = Drift(4 * members, env_seed)
    return StackedTrainer(env, CONFIG, ITERATIONS * 48, [seed + m for m in range(members)], SMALL)


def walking(members, seed=0, env_seed=0):
    env = short(2 * members, 25, body="biped", seed=env_seed)
    return StackedTrainer(env, CONFIG, ITERATIONS * 24, [seed + m for m in range(members)], SMALL)


def same(one, other):
    (tensors, facts), (others, other_facts) = one, other
    assert facts == other_facts
    assert tensors.keys() == others.keys()
    for name in tensors:
        assert torch.equal(tensors[name], others[name]), name


def ended(facts):
    return sum(own["episodes"] for own in facts.get("members", [facts]))


@pytest.mark.parametrize("members", [1, 3])
@pytest.mark.parametrize("make", [drifting, walking])
def test_training_killed_at_any_iteration_goes_on_bit_for_bit(make, members, tmp_path):
    whole = make(members)
    states, metrics = [whole.state()], []
    while not whole.finished:
        metrics.append(whole.iterate())
        states.append(whole.state())
    for killed_at in range(ITERATIONS + 1):
        tensors, facts = states[killed_at]
        save_checkpoint(tmp_path / str(killed_at), facts["steps"], tensors, facts)
        # A new process: neither its environment's seed nor what it drew at its start may matter.
        again = make(members, seed=77, env_seed=5)
        again.load_state(*latest_checkpoint(tmp_path / str(killed_at)))
        same(again.state(), states[killed_at])
        assert sum(own["episodes"] for own in again.member_metrics) == ended(facts)
        rest = []
        while not again.finished:
            rest.append(again.iterate())
        assert rest == metrics[killed_at:]
        same(again.state(), states[-1])


def test_training_repeats_from_its_seeds_and_draws_from_nothing_global():
    torch.manual_seed(0)
    one = drifting(2)
    one.iterate()
    one.iterate()
    torch.manual_seed(99)
    before = torch.get_rng_state()
    again = drifting(2, env_seed=3)
    again.iterate()
    again.iterate()
    same(one.state(), again.state())
    assert torch.equal(torch.get_rng_state(), before)
    assert not torch.equal(drifting(2, seed=1).policies.flat, drifting(2).policies.flat)


def test_members_with_the_same_seed_are_told_apart_by_their_worlds_alone():
    trainer = StackedTrainer(Drift(8), CONFIG, ITERATIONS * 48, [4, 4], SMALL)
    assert torch.equal(trainer.policies.flat[0], trainer.policies.flat[1])
    trainer.iterate()
    assert torch.equal(trainer.experience.noise[0], trainer.experience.noise[1])
    trainer.iterate()
    assert not torch.equal(trainer.policies.flat[0], trainer.policies.flat[1])


def test_steps_are_counted_for_each_member_and_rounded_up_to_rollouts():
    trainer = StackedTrainer(Drift(12), CONFIG, 100, [0, 1, 2], SMALL)
    assert (trainer.samples, trainer.iterations) == (48, 3)
    trainer.iterate()
    assert (trainer.steps, trainer.finished) == (48, False)
    trainer.iterate()
    trainer.iterate()
    assert (trainer.steps, trainer.finished) == (144, True)


def test_worlds_that_cannot_be_shared_out_evenly_are_refused():
    for members in (0, 3):
        with pytest.raises(ValueError, match="8 worlds cannot be shared out evenly"):
            StackedTrainer(Drift(8), CONFIG, 100, range(members))


def test_a_state_of_another_number_of_members_is_refused():
    with pytest.raises(ValueError, match="3 members"):
        drifting(2).load_state(*drifting(3).state())


def test_the_environment_begins_with_the_first_member_s_seed():
    twin = Drift(8)
    observation, _ = twin.reset(generator_seed(stream(7, 2)))
    trainer = StackedTrainer(Drift(8), CONFIG, 100, [7, 1], SMALL)
    trainer.iterate()
    for name, group in observation.items():
        assert torch.equal(trainer.experience.observation[name][0], group)


def test_counters_of_the_environment_are_reported_and_judged():
    class Counting(Drift):
        judged = None

        @property
        def counters(self):
            return {"dropped": self.episode_length.sum()}

        def judge(self, counts):
            self.judged = counts

    env = Counting(8)
    trainer = StackedTrainer(env, CONFIG, 100, [0, 1], SMALL)
    metrics = trainer.iterate()
    assert env.judged == {"dropped": float(env.episode_length.sum())}
    assert metrics["env/dropped"] == env.judged["dropped"]


def test_metrics_are_means_over_the_members_and_each_one_s_are_kept():
    trainer = drifting(3)
    trainer.iterate()
    metrics = trainer.iterate()
    for name in ("episode/return", "kl", "value_loss", "explained_variance", "episodes"):
        each = [own[name] for own in trainer.member_metrics]
        assert metrics[name] == pytest.approx(np.mean(each))
        assert all(math.isfinite(value) for value in each)
    assert len({own["kl"] for own in trainer.member_metrics}) == 3


def test_every_member_learns_what_is_best_in_worlds_of_its_own():
    """The best action pushes towards the goal; after training each member's policy gets closer than before."""
    config = PPOConfig(rollout_steps=16, minibatch=128, epochs=4, learning_rate=3e-3, entropy_coefficient=0.0)
    trainer = StackedTrainer(Drift(64, limit=20, edge=4.0), config, 40 * 16 * 32, [0, 1], SMALL)
    trainer.iterate()
    first = [own["episode/near"] for own in trainer.member_metrics]
    while not trainer.finished:
        trainer.iterate()
    last = [own["episode/near"] for own in trainer.member_metrics]
    assert all(after > before + 2.0 for before, after in zip(first, last, strict=True)), (first, last)
