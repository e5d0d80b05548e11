"""The batched doors through the libraries they lead to: Stable-Baselines3 and rsl_rl themselves."""

import gymnasium
import numpy as np
import pytest
import torch
from rsl_rl.runners import OnPolicyRunner
from stable_baselines3 import PPO
from stable_baselines3.common.callbacks import BaseCallback
from stable_baselines3.common.vec_env import VecMonitor, VecNormalize

from embodied.envs.doors.rsl_rl import RslRlEnv
from embodied.envs.doors.stable_baselines3 import StableBaselines3Env
from tests.envs.short import actions_for, plain, put, short


def test_an_ended_episode_tells_stable_baselines_its_last_observation_and_why():
    door, twin = StableBaselines3Env(short(steps=8)), plain()
    door.seed(5)
    first = door.reset()
    twin.generator.manual_seed(5)
    np.testing.assert_array_equal(first, twin.reset(torch.ones(3, dtype=torch.bool))["proprio"])
    total = np.zeros(3)
    for step, actions in enumerate(actions_for(twin, 8), 1):
        if step == 8:
            put(door.env.env, 2, y=80.0)
            put(twin, 2, y=80.0)
        observation, reward, done, infos = door.step(actions.numpy())
        unreset = twin.advance(actions)
        total += reward
        np.testing.assert_allclose(reward, unreset.terms.sum(0), rtol=1e-6, atol=1e-6)
        assert done.tolist() == [step == 8] * 3
        assert len(infos) == 3
        assert all(("terminal_observation" in info) == (step == 8) for info in infos)
    for i, info in enumerate(infos):
        np.testing.assert_array_equal(info["terminal_observation"], unreset.observation["proprio"][i])
        assert info["TimeLimit.truncated"] == (i != 2)
        assert info["episode"]["l"] == 8
        assert info["episode"]["r"] == pytest.approx(total[i], rel=1e-5)
    np.testing.assert_array_equal(observation, twin.reset(torch.ones(3, dtype=torch.bool))["proprio"])
    assert observation.dtype == np.float32


def test_what_a_client_writes_into_an_info_is_gone_at_the_next_step():
    door = StableBaselines3Env(short(num_worlds=2))
    door.reset()
    _, _, _, infos = door.step(np.zeros((2, 12), np.float32))
    infos[0]["note"] = "mine"
    _, _, _, infos = door.step(np.zeros((2, 12), np.float32))
    assert infos == [{}, {}]


class Watch(BaseCallback):
    """Notes what Stable-Baselines3 saw of ended episodes."""

    def __init__(self):
        super().__init__()
        self.lengths, self.cut = [], []

    def _on_step(self):
        for done, info in zip(self.locals["dones"], self.locals["infos"], strict=True):
            if done:
                self.lengths.append(info["episode"]["l"])
                self.cut.append(info["TimeLimit.truncated"])
        return True


def test_stable_baselines_ppo_learns_through_its_door():
    door = StableBaselines3Env(short(num_worlds=4, steps=30))
    model = PPO("MlpPolicy", door, n_steps=32, batch_size=64, n_epochs=2, seed=0, device="cpu")
    before = {name: value.clone() for name, value in model.policy.state_dict().items()}
    watch = Watch()
    model.learn(384, callback=watch)
    assert model.num_timesteps == 384
    assert any(not torch.equal(value, before[name]) for name, value in model.policy.state_dict().items())
    assert all(torch.isfinite(value).all() for value in model.policy.state_dict().values())
    assert True in watch.cut
    assert max(watch.lengths) == 30
    assert all(length == 30 for length, cut in zip(watch.lengths, watch.cut, strict=True) if cut)
    assert len(model.ep_info_buffer) == len(watch.lengths)
    action, _ = model.predict(door.reset(), deterministic=True)
    assert action.shape == (4, 12)


def test_stable_baselines_own_wrappers_go_around_the_door():
    door = VecNormalize(VecMonitor(StableBaselines3Env(short(num_worlds=2, steps=5))))
    door.reset()
    for _ in range(7):
        observation, _, done, infos = door.step(np.zeros((2, 12), np.float32))
        assert all(info.get("episode") is None for info, ended in zip(infos, done, strict=True) if not ended)
    assert np.abs(observation).max() <= 10


def test_the_stable_baselines_door_knows_which_attributes_there_are():
    door = StableBaselines3Env(short(num_worlds=2))
    assert door.get_attr("control_dt") == [pytest.approx(0.02)] * 2
    assert door.get_attr("num_worlds", indices=[1]) == [2]
    assert door.has_attr("episode_steps")
    assert not door.has_attr("no_such_attribute")
    assert door.env_is_wrapped(gymnasium.Wrapper) == [False, False]
    with pytest.raises(NotImplementedError):
        door.set_attr("control_dt", 1.0)
    with pytest.raises(NotImplementedError):
        door.env_method("reset")


def runner_config():
    return {
        "num_steps_per_env": 16,
        "obs_groups": {"actor": ["proprio"], "critic": ["proprio"]},
        "algorithm": {"class_name": "PPO"},
        "actor": {
            "class_name": "MLPModel",
            "hidden_dims": [32],
            "distribution_cfg": {"class_name": "GaussianDistribution"},
        },
        "critic": {"class_name": "MLPModel", "hidden_dims": [32]},
    }


def test_rsl_rl_s_runner_learns_through_its_door():
    torch.manual_seed(0)  # rsl_rl draws from the global generator
    door = RslRlEnv(short(num_worlds=4, steps=20))
    runner = OnPolicyRunner(door, runner_config(), log_dir=None, device="cpu")
    before = [parameter.clone() for parameter in runner.alg.actor.parameters()]
    runner.learn(2)
    assert runner.current_learning_iteration == 1
    after = list(runner.alg.actor.parameters())
    assert any(not torch.equal(old, new) for old, new in zip(before, after, strict=True))
    assert all(torch.isfinite(parameter).all() for parameter in after)


def test_a_policy_trained_by_rsl_rl_plays_on_in_the_same_environment():
    torch.manual_seed(0)
    door = RslRlEnv(short(num_worlds=4, steps=20))
    runner = OnPolicyRunner(door, runner_config(), log_dir=None, device="cpu")
    runner.learn(1)
    policy = runner.get_inference_policy(device="cpu")
    observation, _ = door.reset()
    with torch.no_grad():
        for _ in range(3):
            observation, *_ = door.step(policy(observation))
    assert torch.isfinite(observation["proprio"]).all()


def test_rsl_rl_is_told_which_episodes_ran_out_of_time():
    door, env = RslRlEnv(short(steps=6)), short(steps=6)
    observation = door.get_observations()
    assert observation.batch_size == torch.Size([3])
    assert torch.equal(observation["proprio"], env.reset()[0]["proprio"])
    door.env.reset(seed=1)
    env.reset(seed=1)
    assert (door.num_envs, door.num_actions, door.max_episode_length) == (3, 12, 6)
    for step, actions in enumerate(actions_for(env, 6), 1):
        if step == 6:
            put(door.env.env, 0, y=80.0)
            put(env.env, 0, y=80.0)
        seen, reward, done, extras = door.step(actions)
        expected = env.step(actions)
        assert torch.equal(seen["proprio"], expected[0]["proprio"])
        assert torch.equal(reward, expected[1])
        assert torch.equal(done.bool(), expected[2] | expected[3])
        assert torch.equal(extras["time_outs"], expected[3])
        assert door.episode_length_buf.tolist() == ([step] * 3 if step < 6 else [0] * 3)
    assert done.tolist() == [1, 1, 1]
    assert extras["time_outs"].tolist() == [False, True, True]
    assert torch.equal(door.get_observations()["proprio"], seen["proprio"])
