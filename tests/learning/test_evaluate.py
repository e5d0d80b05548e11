"""Evaluation against a loop by hand that knows only rewards and ends."""

import numpy as np
import pytest
import torch
from scipy.stats import bootstrap

from embodied.learning.evaluate import evaluate, interval, mean_actor, random_actor, zero_actor
from tests.envs.short import short
from tests.learning.rollouts import policy_for


def test_only_the_first_episode_of_every_world_counts():
    env, twin = (short(6, 100, body="biped") for _ in range(2))
    evaluation = evaluate(env, random_actor(env.action_space, 3), seed=5)
    actor = random_actor(twin.action_space, 3)
    observation, _ = twin.reset(seed=5)
    returns, lengths, done = np.zeros(6), np.zeros(6, dtype=int), np.zeros(6, dtype=bool)
    forward, ends = np.zeros(6), 0
    while not done.all():
        observation, reward, terminated, truncated, info = twin.step(actor(observation))
        returns += np.where(done, 0, reward)
        forward += np.where(done, 0, info["terms"]["forward"])
        lengths += ~done
        ended = (terminated | truncated).numpy()
        ends += int(ended.sum())
        done |= ended
    np.testing.assert_allclose(evaluation.returns, returns, rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(evaluation.terms["forward"], forward, rtol=1e-9)
    assert evaluation.lengths == lengths.tolist()
    assert evaluation.unhealthy == 0
    assert ends > 6  # some worlds began another episode meanwhile, which was not counted
    assert len(set(evaluation.lengths)) > 1


def test_an_evaluation_repeats_and_does_not_depend_on_what_came_before():
    env = short(3, 20, body="biped")
    policy = policy_for(env)
    once = evaluate(env, mean_actor(policy), seed=1)
    evaluate(env, random_actor(env.action_space, 0), seed=2)
    assert evaluate(env, mean_actor(policy), seed=1) == once
    assert evaluate(env, mean_actor(policy), seed=3) != once


def test_evaluation_changes_nothing_of_the_policy():
    env = short(3, 20, body="biped")
    policy = policy_for(env)
    before = {name: value.clone() for name, value in policy.state_dict().items()}
    evaluate(env, mean_actor(policy), seed=1)
    assert all(torch.equal(value, before[name]) for name, value in policy.state_dict().items())


def test_actors_do_what_they_say():
    env = short(3, 20)
    observation, _ = env.reset()
    policy = policy_for(env)
    assert torch.equal(zero_actor(env.action_space)(observation), torch.zeros(3, 12))
    assert torch.equal(mean_actor(policy)(observation), policy(observation)[0].mean)
    draws = torch.cat([random_actor(env.action_space, seed)(observation) for seed in range(200)])
    assert draws.abs().max() <= 1
    assert draws.std() == pytest.approx(1 / 3**0.5, rel=0.05)
    one, other = (random_actor(env.action_space, 4)(observation) for _ in range(2))
    assert torch.equal(one, other)


def test_unhealthy_episodes_are_counted_once():
    env = short(3, 8)
    spoiled = []

    def actor(observation):
        actions = torch.zeros(3, 12)
        if len(spoiled) in (2, 4):
            actions[1, 0] = float("nan")
        spoiled.append(1)
        return actions

    evaluation = evaluate(env, actor, seed=0)
    assert evaluation.unhealthy == 1  # the second came in an episode that is not counted
    assert evaluation.lengths == [8, 3, 8]
    assert env.unhealthy_worlds == 2


def test_the_interval_is_the_percentile_bootstrap_of_the_mean():
    values = np.random.default_rng(0).normal(3, 2, 30).tolist()
    ours = interval(values)
    theirs = bootstrap((values,), np.mean, method="percentile", rng=np.random.default_rng(1)).confidence_interval
    assert ours["mean"] == pytest.approx(np.mean(values))
    assert ours["std"] == pytest.approx(np.std(values))
    assert ours["low"] == pytest.approx(theirs.low, abs=0.03)
    assert ours["high"] == pytest.approx(theirs.high, abs=0.03)
    assert interval([2.0]) == {"mean": 2.0, "std": 0.0, "low": 2.0, "high": 2.0}


def test_a_summary_has_every_figure():
    env = short(3, 5)
    summary = evaluate(env, zero_actor(env.action_space), seed=0).summary()
    assert summary["episodes"] == 3
    assert summary["length"]["mean"] == 5
    assert summary["unhealthy"] == 0
    assert summary["return"]["low"] <= summary["return"]["mean"] <= summary["return"]["high"]
    assert summary["forward"]["mean"] + summary["control_cost"]["mean"] == pytest.approx(summary["return"]["mean"])
