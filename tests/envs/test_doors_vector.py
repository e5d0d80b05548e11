"""The batched Gymnasium door, against Gymnasium's own vector environments and the one-world door."""

import warnings

import gymnasium
import numpy as np
import pytest
import torch
from gymnasium.utils.env_checker import data_equivalence
from gymnasium.vector import AutoresetMode, SyncVectorEnv
from gymnasium.wrappers.vector import ClipReward, DictInfoToList, RecordEpisodeStatistics

import embodied  # noqa: F401 - registers the ids
from embodied.envs.doors.gymnasium import GymnasiumEnv
from embodied.envs.doors.gymnasium_vector import GymnasiumVectorEnv
from embodied.gymnasium_ids import gymnasium_id
from embodied.tasks import task_names
from tests.envs.short import ShortFlat, put


def actions(env, steps, seed=0):
    env.action_space.seed(seed)
    return [env.action_space.sample() for _ in range(steps)]


@pytest.mark.parametrize("task", task_names())
def test_every_task_keeps_what_a_vector_environment_promises(task):
    """What Gymnasium's checker asks of one world, asked of all at once."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        env = gymnasium.make_vec(gymnasium_id(task), num_envs=3, vectorization_mode="vector_entry_point")
        assert isinstance(env.unwrapped, GymnasiumVectorEnv)
        assert env.metadata["autoreset_mode"] is AutoresetMode.SAME_STEP
        assert env.spec.id == gymnasium_id(task)
        assert env.num_envs == 3
        twin = gymnasium.make_vec(env.spec)
    single = gymnasium.make(gymnasium_id(task))
    assert env.single_observation_space == single.observation_space
    assert env.single_action_space == single.action_space
    assert env.observation_space == gymnasium.vector.utils.batch_space(single.observation_space, 3)
    assert env.action_space == gymnasium.vector.utils.batch_space(single.action_space, 3)
    first, again = env.reset(seed=5, options={}), twin.reset(seed=5)
    assert data_equivalence(first, again, exact=True)
    assert first[0] in env.observation_space
    assert all(group.dtype == np.float32 for group in first[0].values())
    kept = []
    for action in actions(env, 30):
        one, two = env.step(action), twin.step(action)
        assert data_equivalence(one[:4], two[:4], exact=True)
        observation, reward, terminated, truncated, info = one
        assert observation in env.observation_space
        assert reward.dtype == np.float64
        assert terminated.dtype == truncated.dtype == np.bool_
        assert reward.shape == terminated.shape == truncated.shape == (3,)
        assert all(mask.shape == (3,) for name, mask in info.items() if name.startswith("_"))
        kept.append((observation, {name: group.copy() for name, group in observation.items()}))
    for given, copy in kept:
        assert data_equivalence(given, copy, exact=True), "a later step changed an earlier observation"
    assert not data_equivalence(env.reset()[0], first[0]), "without a seed, episodes differ"
    env.close()
    env.close()
    twin.close()
    single.close()


def test_one_world_is_the_one_world_door_bit_for_bit_over_many_episodes():
    env = GymnasiumVectorEnv(ShortFlat(9))
    door = GymnasiumEnv(ShortFlat(9))
    first, theirs = env.reset(seed=3)[0], door.reset(seed=3)[0]
    ends = 0
    for action in actions(env, 60):
        np.testing.assert_array_equal(first["proprio"][0], theirs["proprio"])
        first, reward, terminated, truncated, info = env.step(action)
        theirs, *expected, facts = door.step(action[0])
        assert (reward[0], terminated[0], truncated[0]) == tuple(expected)
        if expected[1] or expected[2]:
            ends += 1
            np.testing.assert_array_equal(info["final_obs"][0]["proprio"], theirs["proprio"])
            assert {name: term[0] for name, term in info["final_info"]["terms"].items() if name[0] != "_"} == facts[
                "terms"
            ]
            theirs, _ = door.reset()
        else:
            assert {name: term[0] for name, term in info["terms"].items() if name[0] != "_"} == facts["terms"]
    assert ends >= 6


def test_each_of_many_worlds_goes_on_from_its_start_as_the_one_world_door_would():
    env, door = GymnasiumVectorEnv("flat", num_envs=4), GymnasiumEnv("flat")
    first, _ = env.reset(seed=1)
    states = env.env.world.state()
    taken = actions(env, 12)
    played = [env.step(action) for action in taken]
    for world in range(4):
        door.reset(seed=0)
        door._env.world.set_state(states[world : world + 1])
        door._env.task.begin(torch.ones(1, dtype=torch.bool))
        np.testing.assert_array_equal(door._env.spec.read()["proprio"][0, :30], first["proprio"][world, :30])
        for action, (observation, reward, terminated, truncated, _) in zip(taken, played, strict=True):
            if terminated[world]:
                break
            theirs, *expected, _ = door.step(action[world])
            np.testing.assert_array_equal(observation["proprio"][world], theirs["proprio"])
            assert (reward[world], terminated[world], truncated[world]) == tuple(expected)


class Metric(ShortFlat):
    def metrics(self):
        return {"x": self.head[:, 0]}


def test_infos_have_the_form_of_gymnasium_s_own_vector_environment():
    """The same actions from the same starts; Gymnasium collects what the one-world doors say."""
    ours = GymnasiumVectorEnv(Metric(6), num_envs=3)
    theirs = SyncVectorEnv([lambda: GymnasiumEnv(Metric(6))] * 3, autoreset_mode=AutoresetMode.SAME_STEP)
    ours.reset(seed=0)
    theirs.reset(seed=0)
    for world, door in enumerate(theirs.envs):
        door._env.world.set_state(ours.env.world.state()[world : world + 1])
        door._env.task.begin(torch.ones(1, dtype=torch.bool))
    put(ours.env, 1, y=73.9)
    put(theirs.envs[1]._env, 0, y=73.9)
    seen = []
    for action in actions(ours, 6):
        action[1] = 0.0
        if len(seen) == 3:
            put(ours.env, 1, y=80.0)
            put(theirs.envs[1]._env, 0, y=80.0)
        one, two = ours.step(action), theirs.step(action)
        info = one[4]
        if "final_info" in info:
            episode = info["final_info"].pop("episode")
            ended = info["final_info"].pop("_episode")
            np.testing.assert_array_equal(episode["l"][ended], len(seen) + 1)
            assert (episode["t"][ended] > 0).all()
            assert (episode["r"][~ended] == 0).all()
            seen.append(ended.tolist())
        else:
            seen.append(None)
        assert data_equivalence(one[1:4], two[1:4], exact=True)
        assert data_equivalence(info, two[4], exact=True), (info, two[4])
        if seen[-1]:
            break
    assert seen == [None, None, None, [False, True, False]]


def test_gymnasium_s_wrappers_go_around_it():
    env = RecordEpisodeStatistics(GymnasiumVectorEnv(ShortFlat(5), num_envs=3))
    env.reset(seed=0)
    total = np.zeros(3)
    for action in actions(env, 5):
        _, reward, terminated, truncated, info = env.step(action)
        total += reward
    assert truncated.all()
    assert not terminated.any()
    np.testing.assert_allclose(info["episode"]["r"], total)
    assert info["episode"]["l"].tolist() == [5, 5, 5]
    np.testing.assert_allclose(info["final_info"]["episode"]["r"], info["episode"]["r"])
    assert list(env.length_queue) == [5, 5, 5]
    env = DictInfoToList(ClipReward(GymnasiumVectorEnv(ShortFlat(5), num_envs=2), -0.1, 0.1))
    env.reset(seed=0)
    for action in actions(env, 5):
        _, reward, *_, infos = env.step(action)
    assert np.abs(reward).max() <= 0.1
    assert [info["final_obs"]["proprio"].shape for info in infos] == [(64,)] * 2
    assert infos[0].keys() == {"final_obs", "final_info"}


def test_its_time_limit_can_be_chosen():
    assert gymnasium.make_vec("embodied/Flat-v0", num_envs=2).env.episode_steps == 1000
    env = gymnasium.make_vec("embodied/Flat-v0", num_envs=2, max_episode_steps=3)
    env.reset(seed=0)
    cut = [env.step(action)[3].tolist() for action in actions(env, 6)]
    assert cut == [[False, False], [False, False], [True, True]] * 2
    endless = GymnasiumVectorEnv(ShortFlat(2), max_episode_steps=-1)
    endless.reset(seed=0)
    assert not any(endless.step(np.zeros((1, 12)))[3][0] for _ in range(5))
    with pytest.raises(ValueError, match="max_episode_steps"):
        GymnasiumVectorEnv("flat", max_episode_steps=0)


def test_bodies_other_modes_and_what_is_refused():
    env = gymnasium.make_vec("embodied/Flat-v0", num_envs=2, body="tripod")
    assert env.single_action_space.shape == (9,)
    assert env.render() is None
    with pytest.raises(TypeError, match="one seed"):
        env.reset(seed=[1, 2])
    with pytest.raises(ValueError, match="reset_mask"):
        env.reset(options={"reset_mask": np.array([True, False])})
    with pytest.raises(ValueError, match="rgb_array"):
        GymnasiumVectorEnv("flat", render_mode="ansi")
    looped = gymnasium.make_vec("embodied/Flat-v0", num_envs=2, vectorization_mode="sync")
    looped.reset(seed=1)
    for action in actions(looped, 3):
        observation, *_ = looped.step(action)
    assert observation["proprio"].shape == (2, 64)
    looped.close()
