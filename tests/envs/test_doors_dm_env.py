"""The dm_env door through dm_env's own contract tests."""

import unittest

import dm_env
import numpy as np
import pytest
from dm_env import specs, test_utils

from embodied.envs.doors.dm_env import DmEnv
from embodied.envs.doors.gymnasium import GymnasiumEnv
from embodied.tasks import find_task, task_names
from tests.envs.short import ShortFlat, put


class TestContract(test_utils.EnvironmentTestMixin, unittest.TestCase):
    """Twenty steps of seven each: ends of episodes are met."""

    def make_object_under_test(self):
        return DmEnv(ShortFlat(7), seed=0)


@pytest.mark.parametrize("task", task_names())
def test_specs_say_what_every_task_gives(task):
    env = DmEnv(task, seed=0)
    first = env.reset()
    assert first.first()
    spec = env.observation_spec()
    assert spec.keys() == first.observation.keys()
    for name, group in first.observation.items():
        assert isinstance(spec[name], specs.BoundedArray)
        assert spec[name].name == name
        spec[name].validate(group)
    action = env.action_spec()
    assert len(action.name.split("\t")) == action.shape[0]
    rng = np.random.default_rng(0)
    for _ in range(10):
        step = env.step(rng.uniform(action.minimum, action.maximum).astype(action.dtype))
        for name, group in (step.observation or {}).items():
            spec[name].validate(group)
    assert env.control_timestep() > 0
    env.close()


def test_an_episode_that_ran_out_of_time_is_discounted_by_one_and_one_that_ended_by_nothing():
    env = DmEnv(ShortFlat(3), seed=0)
    still = np.zeros(12, np.float32)
    env.reset()
    steps = [env.step(still) for _ in range(4)]
    assert [step.step_type for step in steps] == [
        dm_env.StepType.MID,
        dm_env.StepType.MID,
        dm_env.StepType.LAST,
        dm_env.StepType.FIRST,
    ]
    assert [step.discount for step in steps] == [1.0, 1.0, 1.0, None]
    put(env._door._env, 0, y=80.0)
    ended = env.step(still)
    assert ended.last()
    assert ended.discount == 0.0
    assert env.step(still).first()


def test_it_plays_what_the_gymnasium_door_plays():
    env, door = DmEnv("flat", "tripod", seed=4), GymnasiumEnv("flat", "tripod")
    np.testing.assert_array_equal(env.reset().observation["proprio"], door.reset(seed=4)[0]["proprio"])
    for action in np.random.default_rng(0).uniform(-1, 1, (10, 9)).astype(np.float32):
        step, (observation, reward, *_) = env.step(action), door.step(action)
        np.testing.assert_array_equal(step.observation["proprio"], observation["proprio"])
        assert step.reward == reward
    fresh = env.reset().observation["proprio"]
    assert not np.array_equal(fresh, DmEnv("flat", "tripod", seed=4).reset().observation["proprio"])


def test_it_needs_no_more_than_a_task():
    assert DmEnv(find_task("flat")).reset().first()
