"""Starts drawn ahead: each used once, none lost by a checkpoint, the same chance as drawing them on the spot."""

import numpy as np
import pytest
import torch
from scipy import stats

from embodied.envs import AutoresetEnv, Env
from embodied.envs.vector import POOL_SIZE
from morphologies import find_body
from tests.envs.short import ShortFlat, actions_for, plain, put, short


def starts_of(env, episodes):
    """(episodes · W, nq) Where episodes of one step each began."""
    seen = []
    for _ in range(episodes):
        env.step(torch.zeros(env.num_worlds, *env.action_space.shape))
        seen.append(env.world.field("qpos").clone())
    return torch.cat(seen).numpy()


def test_no_start_is_handed_out_twice_and_none_is_left_out():
    env = short(num_worlds=5, steps=1)
    env.reset(seed=0)
    seen = starts_of(env, 30)
    assert len(np.unique(seen[:, 7:], axis=0)) == 150
    twin = plain(num_worlds=5)
    twin.reset(torch.ones(5, dtype=torch.bool))
    twin.generator.manual_seed(0)
    twin.reset(torch.ones(5, dtype=torch.bool))
    everywhere = torch.ones(5, dtype=torch.bool)
    for rows in seen.reshape(30, 5, -1):
        twin.reset(everywhere)
        np.testing.assert_array_equal(rows, twin.world.field("qpos").numpy())


def test_more_worlds_may_end_at_once_than_the_pool_holds():
    num_worlds = POOL_SIZE + 9
    env = short(num_worlds=num_worlds, steps=2)
    env.reset(seed=0)
    seen = starts_of(env, 6).reshape(6, num_worlds, -1)
    assert len(np.unique(seen[[1, 3, 5]].reshape(3 * num_worlds, -1), axis=0)) == 3 * num_worlds


def test_a_world_begun_from_the_pool_is_one_that_was_reset():
    """Observation, state and what the task remembers are those of an Env reset on the spot with the same chance."""
    pooled, twin = plain(num_worlds=4), plain(num_worlds=4)
    everywhere = torch.ones(4, dtype=torch.bool)
    for env in (pooled, twin):
        env.reset(everywhere)
        for actions in actions_for(env, 10):
            env.advance(actions)
        env.generator.manual_seed(3)
    pool = pooled.start_pool(4)
    begun = pooled.begin_at(np.arange(4), pool.take(4))["proprio"]
    reset = twin.reset(everywhere)["proprio"]
    assert torch.equal(begun, reset)
    assert torch.equal(pooled.world.state(), twin.world.state())
    assert torch.equal(pooled.task.memory["previous_x"], twin.task.memory["previous_x"])
    for actions in actions_for(pooled, 10, seed=2):
        one, two = pooled.advance(actions), twin.advance(actions)
        assert torch.equal(one.observation["proprio"], two.observation["proprio"])
        assert torch.equal(one.terms, two.terms)


def test_starts_are_spread_evenly_over_the_noise():
    env = short(num_worlds=8, steps=1)
    env.reset(seed=1)
    noise = starts_of(env, 250)[:, 7:] - env.env.scene.model.qpos0[7:]
    assert np.abs(noise).max() <= 5e-3
    assert stats.kstest(noise.ravel() / 1e-2 + 0.5, "uniform").pvalue > 1e-3


@pytest.mark.parametrize("at", [1, 3, 40])
def test_a_state_in_the_midst_of_a_pool_goes_on_bit_for_bit(at):
    env, other = short(num_worlds=3, steps=7, seed=1), short(num_worlds=3, steps=7, seed=2)
    env.reset(seed=3)
    actions = actions_for(env, 90)
    for action in actions[:at]:
        env.step(action)
    starts_of(other, 5)
    other.load_state_dict(env.state_dict())
    for action in actions[at:]:
        one, two = env.step(action), other.step(action)
        assert torch.equal(one[0]["proprio"], two[0]["proprio"])
    state, restored = env.state_dict(), other.state_dict()
    assert state.keys() == restored.keys()
    assert all(torch.equal(state[name], restored[name]) for name in state)


class StartsByWorld(ShortFlat):
    """Begins ever further along x: a start depends on what went before."""

    starts_alike = False

    def start(self, scene, world, generator):
        super().start(scene, world, generator)
        self.memory["begun"] = torch.zeros(world.num_worlds, dtype=torch.float64)

    def reset(self, mask):
        super().reset(mask)
        self.memory["begun"][mask] += 1
        pose = self.robot.root_pose
        pose[:, 0] = self.memory["begun"]
        self.robot.set_root_pose(pose, mask)


def test_a_task_whose_starts_are_not_alike_resets_each_world_on_the_spot():
    env = AutoresetEnv(Env(StartsByWorld(2), {"robot": find_body("ant")}, 3))
    env.reset(seed=0)
    first = env.world.field("qpos")[0, 0].item()
    for episode in range(1, 4):
        for _ in range(2):
            env.step(torch.zeros(3, 12))
        np.testing.assert_allclose(env.world.field("qpos")[:, 0], first + episode, atol=1e-9)
    assert "pool/next" not in env.state_dict()


def test_a_world_begun_from_the_pool_is_looked_at_where_it_stands():
    env = short(num_worlds=2, steps=3)
    env.reset(seed=0)
    for _ in range(3):
        put(env, 1, x=20.0)
        env.step(torch.zeros(2, 12))
    data = env.world.data(1)
    np.testing.assert_allclose(data.xpos[1], env.world.field("qpos")[1, :3], atol=1e-12)
    assert abs(data.xpos[1, 0]) < 0.1
