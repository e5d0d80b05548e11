"""Advantages and reward scaling against their definitions, written out world by world."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from embodied.learning.returns import RewardScaler, generalised_advantages


def advantages_by_definition(rewards, values, terminated, truncated, final_values, gamma, lambda_):
    """The sum over l of (gamma lambda)^l delta[t + l], up to the end of the episode or of the rollout."""
    steps, worlds = rewards.shape
    result = np.zeros((steps, worlds))
    for world in range(worlds):
        for start in range(steps):
            weight = 1.0
            for t in range(start, steps):
                if terminated[t, world]:
                    following = 0.0
                elif truncated[t, world]:
                    following = final_values[t, world]
                else:
                    following = values[t + 1, world]
                result[start, world] += weight * (rewards[t, world] + gamma * following - values[t, world])
                if terminated[t, world] or truncated[t, world]:
                    break
                weight *= gamma * lambda_
    return result


def rollout(seed, steps=11, worlds=4, ends=0.2):
    rng = np.random.default_rng(seed)
    terminated = rng.random((steps, worlds)) < ends
    truncated = (rng.random((steps, worlds)) < ends) & ~terminated
    final = np.where(truncated, rng.normal(size=(steps, worlds)), 0.0)
    return rng.normal(size=(steps, worlds)), rng.normal(size=(steps + 1, worlds)), terminated, truncated, final


def ours(rewards, values, terminated, truncated, final, gamma, lambda_):
    arrays = (rewards, values, terminated, truncated, final)
    return generalised_advantages(*map(torch.from_numpy, arrays), gamma, lambda_)


@given(
    st.integers(0, 2**32 - 1),
    st.integers(1, 14),
    st.sampled_from([0.0, 0.1, 0.5, 1.0]),
    st.floats(0, 1),
    st.floats(0, 1),
)
@settings(deadline=None, max_examples=60)
def test_advantages_are_their_definition(seed, steps, ends, gamma, lambda_):
    data = rollout(seed, steps, 3, ends)
    np.testing.assert_allclose(
        ours(*data, gamma, lambda_), advantages_by_definition(*data, gamma, lambda_), rtol=1e-9, atol=1e-9
    )


def test_a_truncated_episode_is_worth_its_last_observation_and_a_terminated_one_nothing():
    rewards, values = np.ones((1, 3)), np.array([[0.5] * 3, [100.0] * 3])
    terminated = np.array([[True, False, False]])
    truncated = np.array([[False, True, False]])
    final = np.array([[7.0, 7.0, 7.0]])
    np.testing.assert_allclose(
        ours(rewards, values, terminated, truncated, final, 0.9, 0.95),
        [[1 - 0.5, 1 + 0.9 * 7 - 0.5, 1 + 0.9 * 100 - 0.5]],
    )


def test_with_a_trace_of_one_advantages_are_discounted_returns_less_values():
    rewards, values, *_ = rollout(0)
    none = np.zeros_like(rewards, dtype=bool)
    returns = np.zeros_like(rewards)
    for t in range(11):
        returns[t] = sum(0.9 ** (k - t) * rewards[k] for k in range(t, 11)) + 0.9 ** (11 - t) * values[11]
    np.testing.assert_allclose(
        ours(rewards, values, none, none, np.zeros_like(rewards), 0.9, 1.0), returns - values[:-1]
    )


@pytest.mark.parametrize("split", [(12,), (4, 8), (1, 1, 10), (5, 4, 3)])
def test_rewards_are_divided_by_the_spread_of_the_discounted_return(split):
    rng = np.random.default_rng(0)
    rewards = rng.normal(3, 5, (12, 4)).astype(np.float32)
    ended = rng.random((12, 4)) < 0.2
    # Step by step and world by world, as DERL's wrapper does it.
    seen = []
    running = np.zeros(4)
    for t in range(12):
        for w in range(4):
            running[w] = 0.9 * running[w] + rewards[t, w]
            seen.append(running[w])
            if ended[t, w]:
                running[w] = 0.0
    scaler, carried = RewardScaler(0.9), torch.zeros(4)
    for part in np.split(np.arange(12), np.cumsum(split)[:-1]):
        scaler.observe(torch.from_numpy(rewards[part]), torch.from_numpy(ended[part]), carried)
    np.testing.assert_allclose(carried, running, rtol=1e-4, atol=1e-5)
    assert float(scaler.count) == 48
    expected = np.clip(rewards / np.sqrt(np.var(seen) + 1e-8), -10, 10)
    np.testing.assert_allclose(scaler(torch.from_numpy(rewards)), expected, rtol=1e-5)


def test_scaled_rewards_are_clipped_and_their_sign_is_kept():
    scaler = RewardScaler(0.99)
    rewards = torch.tensor([[0.5], [-0.25], [1e6]])
    assert scaler(rewards).flatten().tolist() == [0.5, -0.25, 10.0]
    scaler.observe(
        torch.randn(200, 3, generator=torch.Generator().manual_seed(0)), torch.zeros(200, 3) > 0, torch.zeros(3)
    )
    scaled = scaler(rewards).flatten()
    assert (scaled.sign() == rewards.flatten().sign()).all()
    assert float(scaled[0] / scaled[1]) == pytest.approx(-2.0)
    assert torch.equal(rewards, torch.tensor([[0.5], [-0.25], [1e6]]))
