"""The plain environment is an independent writing of the flat task: it and the door must play the same game."""

import numpy as np
import pytest

from embodied.bench.one_world import DOOR, PLAIN, OneWorld, PlainFlat, bench_one_world
from embodied.envs.doors.gymnasium import GymnasiumEnv
from tests.bench.silence import Silent


def start_both(door, plain, seed):
    """Begins an episode of the door and puts the plain environment into the same state."""
    observation, _ = door.reset(seed=seed)
    world = door._env.world
    qpos, qvel = (world.field(name)[0].numpy().copy() for name in ("qpos", "qvel"))
    return observation, plain.begin(qpos, qvel)


@pytest.mark.parametrize("body", ["ant", "tripod"])
def test_the_door_and_the_plain_environment_agree_step_for_step(body):
    door, plain = GymnasiumEnv("flat", body), PlainFlat(body)
    rng = np.random.default_rng(0)
    ends = 0
    for seed in range(6):
        ours, theirs = start_both(door, plain, seed)
        np.testing.assert_allclose(ours["proprio"], theirs["proprio"], rtol=1e-6, atol=1e-6)
        for _ in range(150):
            action = rng.uniform(-1.0, 1.0, door.action_space.shape).astype(np.float32)
            ours, reward, *ended, info = door.step(action)
            theirs, expected, *as_expected, facts = plain.step(action)
            np.testing.assert_allclose(ours["proprio"], theirs["proprio"], rtol=1e-6, atol=1e-6)
            assert reward == pytest.approx(expected, rel=1e-6, abs=1e-9)
            assert info["terms"] == pytest.approx(facts["terms"], rel=1e-6, abs=1e-9)
            assert ended == as_expected
            if any(ended):
                ends += 1
                break
    assert ends >= 3
    door.close()


def test_they_agree_on_where_the_arena_and_the_time_end():
    door, plain = GymnasiumEnv("flat"), PlainFlat()
    still = np.zeros(door.action_space.shape, np.float32)
    start_both(door, plain, 0)
    door._env.world.field("qpos")[0, 1] = plain._data.qpos[1] = 73.9999
    door._env.world.field("qvel")[0, 1] = plain._data.qvel[1] = 0.5
    assert door.step(still)[2] is plain.step(still)[2] is True
    start_both(door, plain, 0)
    door._steps = plain._steps = 998
    for expected in (False, True):
        assert door.step(still)[3] is plain.step(still)[3] is expected
    door.close()


def test_starts_of_both_are_spread_alike():
    door, plain = GymnasiumEnv("flat"), PlainFlat()
    ours = np.array([door.reset(seed=seed)[0]["proprio"][:12] for seed in range(200)])
    theirs = np.array([plain.reset(seed=seed)[0]["proprio"][:12] for seed in range(200)])
    for starts in (ours, theirs):
        assert np.abs(starts).max() <= 5e-3
        assert starts.std() == pytest.approx(5e-3 / np.sqrt(3), rel=0.05)
    door.close()


def test_the_bench_gives_a_rate_for_each_and_their_ratio():
    figures = bench_one_world(OneWorld(steps=40, runs=3), Silent())
    assert set(figures["steps_per_second"]) == {DOOR, PLAIN}
    assert all(rate > 0 for rate in figures["steps_per_second"].values())
    assert figures["ours_times_as_fast"][PLAIN] > 0
