import numpy as np
import pytest

from embodied.bench.gymnasium_ant import gymnasium_ant
from embodied.bench.vector_envs import OURS, VectorEnvs, bench_vector_envs
from tests.bench.silence import Silent


def test_all_step_gymnasium_s_ant():
    pytest.importorskip("envpool", reason="EnvPool comes with the extra bench")
    figures = bench_vector_envs(VectorEnvs(threads=1, worlds=(4,), steps=16, runs=1), Silent())
    with_forces, without = figures.values()
    assert set(with_forces["ours_times_as_fast"]) == {
        *("bare mujoco.batch", "EnvPool", "Gymnasium sync, 16 worlds", "Gymnasium async, 16 worlds")
    }
    assert set(without["steps_per_second"]) == {"bare mujoco.batch", OURS, "EnvPool"}
    assert all(rate > 0 for each in figures.values() for rate in each["steps_per_second"].values())


@pytest.mark.parametrize(("name", "contact_forces"), [("Ant-v5", True), ("Ant-v4", False)])
def test_envpool_shows_and_rewards_what_ours_does(name, contact_forces):
    """Its engine is another version: the rewards are worked out from what it shows, as ours are."""
    envpool = pytest.importorskip("envpool", reason="EnvPool comes with the extra bench")
    theirs, ours = envpool.make_gymnasium(name, num_envs=4, seed=0), gymnasium_ant(4, 0, 1, contact_forces)
    assert theirs.observation_space.shape == ours.observation_space["proprio"].shape
    assert theirs.action_space.shape == ours.action_space.shape
    theirs.reset()
    rng = np.random.default_rng(0)
    for _ in range(40):
        actions = rng.uniform(-1.0, 1.0, (4, 8))
        seen, reward, terminated, _, info = theirs.step(actions)
        if not info["elapsed_step"].all() or terminated.any():
            continue
        cost = 0.5 * np.square(actions).sum(axis=1)
        contact = 5e-4 * np.square(seen[:, 27:]).sum(axis=1)
        expected = info["x_velocity"] + 1.0 - cost - contact
        np.testing.assert_allclose(reward, expected, rtol=1e-5, atol=1e-5)
    theirs.close()
    ours.close()
