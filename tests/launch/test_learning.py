"""The statistics that launch/learning.py judges by."""

import importlib.util
from pathlib import Path
from types import ModuleType

import gymnasium
import numpy as np
import pytest
import torch
from scipy.stats import bootstrap, trim_mean

SCRIPT = Path(__file__).parents[2] / "launch" / "learning.py"


@pytest.fixture(scope="module")
def learning() -> ModuleType:
    spec = importlib.util.spec_from_file_location("launch_learning", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_interquartile_mean_of_five_counts_the_outer_two_not_and_their_neighbours_by_three_quarters(learning):
    # Of five, one and a quarter are left out at each end.
    values = np.array([1000.0, 3.0, -500.0, 4.0, 8.0])
    assert learning.interquartile_mean(values) == pytest.approx((0.75 * 3 + 4 + 0.75 * 8) / 2.5)


@pytest.mark.parametrize("count", [4, 8, 20])
def test_interquartile_mean_is_the_trimmed_mean_where_quarters_are_whole(learning, count):
    values = np.random.default_rng(count).normal(size=(3, count))
    assert learning.interquartile_mean(values) == pytest.approx(trim_mean(values, 0.25, axis=1))


@pytest.mark.parametrize("count", [1, 2, 3, 7])
def test_interquartile_mean_of_equal_values_is_that_value(learning, count):
    assert learning.interquartile_mean(np.full(count, 2.5)) == pytest.approx(2.5)


def test_interval_is_the_percentile_bootstrap_of_the_interquartile_mean(learning):
    values = np.random.default_rng(1).normal(100.0, 20.0, size=12)
    expected = bootstrap(
        (values,),
        lambda draws, axis: trim_mean(draws, 0.25, axis=axis),
        n_resamples=10_000,
        method="percentile",
        rng=np.random.default_rng(2),
    ).confidence_interval
    width = expected.high - expected.low
    assert learning.interval(values) == pytest.approx((expected.low, expected.high), abs=0.05 * width)


def test_interval_of_equal_values_is_a_point(learning):
    assert learning.interval(np.full(5, 7.0)) == pytest.approx((7.0, 7.0))


def test_ours_may_be_below_theirs_by_half_of_their_interval_and_no_more(learning):
    theirs = np.array([900.0, 1000.0, 1100.0, 1200.0, 950.0])
    low, high = learning.interval(theirs)
    limit = learning.interquartile_mean(theirs) - (high - low) / 2
    assert learning.on_par(np.full(5, limit + 1.0), theirs)
    assert not learning.on_par(np.full(5, limit - 1.0), theirs)
    assert learning.on_par(theirs + 500.0, theirs)


def test_curve_is_the_mean_return_of_the_episodes_that_ended_in_each_part(learning):
    training = {"steps": 100, "episodes": [[10, 1.0], [20, 3.0], [26, 5.0], [80, 7.0], [101, 9.0]]}
    np.testing.assert_allclose(learning.curve(training, 4), [2.0, 5.0, np.nan, 8.0])


def test_final_returns_are_those_of_whole_episodes_with_clipped_actions(learning):
    # Every episode of HalfCheetah lasts 1,000 steps; beyond the bounds an action does and costs what its bound does.
    def beyond(rows):
        return np.full((len(rows), 6), 3.0)

    def bound(rows):
        return np.ones((len(rows), 6))

    found = learning.final_returns("HalfCheetah-v5", beyond, episodes=2)
    assert found == learning.final_returns("HalfCheetah-v5", bound, episodes=2)
    env = gymnasium.make("HalfCheetah-v5")
    env.reset(seed=learning.EVALUATION_SEED + 1)
    assert found[1] == pytest.approx(sum(float(env.step(np.ones(6))[1]) for _ in range(1000)))
    env.close()


def test_an_environment_that_notes_its_episodes_tells_their_ends_and_returns(learning):
    env = learning.NotingEnv("gymnasium:HalfCheetah-v5", 2)
    env.reset(0)
    total = sum(env.step(torch.zeros(2, 6))[1] for _ in range(1000))
    assert [at for at, _ in env.episodes] == [2000, 2000]
    assert [each for _, each in env.episodes] == pytest.approx(total.tolist(), rel=1e-4)
    env.close()
