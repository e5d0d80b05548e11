"""The one-world door through Gymnasium itself."""

import os
import subprocess
import sys
import warnings

import gymnasium
import numpy as np
import pytest
import torch
from gymnasium.utils.env_checker import check_env

from embodied import gymnasium_ids, register_task
from embodied.envs import Env
from embodied.envs.doors.gymnasium import GymnasiumEnv
from embodied.envs.doors.unit_actions import UnitActions
from embodied.envs.make import bodies_of
from embodied.gymnasium_ids import gymnasium_id
from embodied.tasks import find_task, registry, task_names
from tests.envs.short import ShortFlat, actions_for, plain

CHECK = """
import sys, warnings
import gymnasium
from gymnasium.utils.env_checker import check_env
from embodied.graphics import NoGraphics, refuse_no_screen
try:
    refuse_no_screen()
except NoGraphics as error:
    sys.exit(f"no graphics: {error}")
import embodied
warnings.simplefilter("error")
for name in sys.argv[1:]:
    env = gymnasium.make(name, render_mode="rgb_array")
    check_env(env.unwrapped)
    env.close()
"""


@pytest.mark.parametrize("task", task_names())
def test_gymnasium_s_own_checks_pass_without_a_warning(task):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        env = gymnasium.make(gymnasium_id(task))
        check_env(env.unwrapped, skip_render_check=True)
        env.reset(seed=0)
        for _ in range(20):  # the checker that `make` puts around it looks at the first step of each kind
            _, _, terminated, truncated, _ = env.step(env.action_space.sample())
            if terminated or truncated:
                env.reset()
        env.close()


def test_so_do_those_of_its_pictures():
    environment = {**os.environ, "MUJOCO_GL": "egl"}
    ids = [gymnasium_id(task) for task in ("flat", "push_box_incline")]
    done = subprocess.run([sys.executable, "-c", CHECK, *ids], capture_output=True, text=True, env=environment)
    if "no graphics" in done.stderr or "libEGL" in done.stderr or "eglQueryString" in done.stderr:
        pytest.skip("no off-screen OpenGL on this machine")
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("task", "expected"),
    [
        ("flat", "embodied/Flat-v0"),
        ("push_box_incline", "embodied/PushBoxIncline-v0"),
        ("my-own task2", "embodied/MyOwnTask2-v0"),
    ],
)
def test_ids_take_the_ecosystem_s_form(task, expected):
    assert gymnasium_id(task) == expected


def test_every_task_has_an_id_that_tells_its_time_limit():
    for task in task_names():
        assert gymnasium.spec(gymnasium_id(task)).max_episode_steps == find_task(task).episode_steps
    assert set(task_names()) <= set(gymnasium_ids.TASKS)


def limits(env):
    found = 0
    while isinstance(env, gymnasium.Wrapper):
        found += isinstance(env, gymnasium.wrappers.TimeLimit)
        env = env.env
    return found


def length(env):
    env.reset(seed=0)
    for step in range(1, 2000):
        *_, terminated, truncated, _ = env.step(np.zeros(env.action_space.shape, np.float32))
        assert not terminated
        if truncated:
            return step
    return None


@pytest.fixture
def brief():
    names = set()

    def register(name, make):
        names.add(name)
        register_task(name, make)
        return gymnasium_id(name)

    yield register
    for name in names:
        registry._registered.pop(name)
        gymnasium.registry.pop(gymnasium_id(name))


class Brief(ShortFlat):
    episode_steps = 7

    def __init__(self):
        super().__init__(7)

    def metrics(self):
        return {"place": self.head[:, 0]}


def test_a_task_that_someone_registers_gets_an_id_and_its_time_is_limited_once(brief):
    name = brief("brief_one", Brief)
    env = gymnasium.make(name)
    assert env.spec.max_episode_steps == 7
    assert limits(env) == 1
    assert length(env) == 7
    assert length(gymnasium.make(name, max_episode_steps=3)) == 3
    assert length(gymnasium.make(name, max_episode_steps=12)) == 12


def test_a_task_from_a_function_limits_its_own_time(brief):
    env = gymnasium.make(brief("brief_two", lambda: Brief()))
    assert limits(env) == 0
    assert length(env) == 7


def test_registering_a_name_again_replaces_what_the_id_stands_for(brief):
    brief("brief_three", lambda: ShortFlat(3))
    assert length(gymnasium.make(brief("brief_three", Brief))) == 7


def test_an_episode_s_end_tells_the_task_s_metrics():
    env = GymnasiumEnv(Brief())
    env.reset(seed=0)
    infos = [env.step(np.zeros(12, np.float32))[4] for _ in range(7)]
    assert all("metrics" not in info for info in infos[:6])
    assert infos[6]["metrics"] == {"place": float(env._env.world.field("qpos")[0, 0])}


def test_an_environment_takes_a_body_by_name():
    env = gymnasium.make("embodied/Flat-v0", body="tripod")
    env.reset(seed=0)
    observation, *_ = env.step(env.action_space.sample())
    assert env.observation_space.contains(observation)


def test_seeds_repeat_and_without_one_environments_differ():
    def first(seed=None):
        env = GymnasiumEnv("flat")
        return env.reset(seed=seed, options={"nothing": 1})[0]["proprio"]

    assert np.array_equal(first(3), first(3))
    assert not np.array_equal(first(3), first(4))
    assert not np.array_equal(first(), first())


def test_the_door_plays_what_the_env_plays():
    door, env = GymnasiumEnv(ShortFlat(30), "ant"), plain(num_worlds=1)
    first, _ = door.reset(seed=3)
    env.generator.manual_seed(3)
    np.testing.assert_array_equal(first["proprio"], env.reset(torch.ones(1, dtype=torch.bool))["proprio"][0])
    for step, actions in enumerate(actions_for(env, 30), 1):
        observation, reward, terminated, truncated, info = door.step(actions[0].numpy())
        now = env.advance(actions)
        np.testing.assert_array_equal(observation["proprio"], now.observation["proprio"][0])
        assert reward == pytest.approx(float(now.terms.sum()))
        assert info["terms"] == dict(zip(env.term_names, now.terms[:, 0].tolist(), strict=True))
        assert terminated == bool(now.terminated)
        assert truncated == (step == 30 and not terminated)
        assert isinstance(reward, float)
        assert type(terminated) is type(truncated) is type(info["unhealthy"]) is bool
        if terminated:
            break


def test_what_a_client_writes_into_an_observation_stays_its_own():
    one, two = GymnasiumEnv("flat"), GymnasiumEnv("flat")
    one.reset(seed=0)[0]["proprio"][:] = np.nan
    two.reset(seed=0)
    action = np.full(12, 0.5, np.float32)
    one.step(action)[0]["proprio"][:] = np.nan
    two.step(action)
    np.testing.assert_array_equal(one.step(action)[0]["proprio"], two.step(action)[0]["proprio"])


def test_a_world_whose_physics_fails_ends_its_episode():
    env = GymnasiumEnv("flat")
    before, _ = env.reset(seed=0)
    env._env.world.field("qvel")[0, 0] = np.inf
    observation, reward, terminated, truncated, info = env.step(np.zeros(12, np.float32))
    assert (reward, terminated, truncated, info["unhealthy"]) == (0.0, True, False, True)
    np.testing.assert_array_equal(observation["proprio"], before["proprio"])


def test_one_stands_for_the_farther_end_of_a_range_and_nothing_for_nothing():
    box = gymnasium.spaces.Box
    unit = UnitActions(box(np.float32([-3.0, -0.5, 0.0]), np.float32([1.0, 2.0, 4.0])))
    assert unit.space == box(-1.0, 1.0, (3,), np.float32)
    np.testing.assert_array_equal(unit(np.array([[1.0, -1.0, 0.5], [0.0, 0.0, 0.0]])), [[3.0, -2.0, 2.0], [0.0] * 3])
    for space in (box(-1.0, 1.0, (2,)), box(-0.4, 0.4, (2,)), box(0.0, 1.0, (2,)), box(-np.inf, np.inf, (2,))):
        same = UnitActions(space)
        assert same.space is space
        np.testing.assert_array_equal(same(np.array([0.25, 7.0])), np.float32([0.25, 7.0]))


def test_actions_of_position_actuators_reach_the_task_in_its_own_unit():
    door = GymnasiumEnv("velocity")
    own = door._env.action_space
    farther = np.maximum(-own.low, own.high)
    task = find_task("velocity")
    twin = Env(task, bodies_of(task, None), num_worlds=1)
    first = door.reset(seed=2)[0]
    twin.generator.manual_seed(2)
    for name, group in twin.reset(torch.ones(1, dtype=torch.bool)).items():
        np.testing.assert_array_equal(first[name], group[0])
    action = np.linspace(-1.0, 1.0, len(farther), dtype=np.float32)
    observation, *_ = door.step(action)
    now = twin.advance(torch.from_numpy(action * farther)[None])
    for name, group in now.observation.items():
        np.testing.assert_array_equal(observation[name], group[0])


@pytest.mark.parametrize("shape", [(1,), (11,), (1, 12), (2, 12)])
def test_the_door_refuses_actions_of_another_shape(shape):
    door = GymnasiumEnv("flat")
    door.reset(seed=0)
    with pytest.raises(ValueError, match="12"):
        door.step(np.zeros(shape, np.float32))


def test_a_render_mode_that_there_is_not_is_refused():
    with pytest.raises(ValueError, match="rgb_array"):
        GymnasiumEnv("flat", render_mode="ansi")
