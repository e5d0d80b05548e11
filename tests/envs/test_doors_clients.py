"""Stable-Baselines3's PPO and rsl_rl's runner train bodies through their doors, on every task."""

import csv
import math

import pytest
import torch
from rsl_rl.runners import OnPolicyRunner
from stable_baselines3 import PPO
from stable_baselines3.common.logger import configure
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

import embodied
from embodied.envs import AutoresetEnv, Env
from embodied.envs.doors.rsl_rl import RslRlEnv
from embodied.envs.doors.stable_baselines3 import StableBaselines3Env
from embodied.senses import Term
from embodied.tasks import task_names
from morphologies import find_body
from tests.envs.short import ShortFlat


class Position:
    """Where the body is: what a simulation knows and a robot does not."""

    terms = (Term("position", 3, "m", 1e4, "world"),)

    def __init__(self, robot):
        self._robot = robot

    def read(self):
        return self._robot.root_pos


class Grouped(ShortFlat):
    """Flat with a second group, and a metric."""

    def senses(self):
        return {**super().senses(), "privileged": (Position(self.robot),)}

    def metrics(self):
        return {"x": self.head[:, 0]}


def grouped(num_worlds=8, steps=40):
    return AutoresetEnv(Env(Grouped(steps), {"robot": find_body("ant")}, num_worlds, seed=0, threads=1))


def last_row(folder):
    with open(folder / "progress.csv") as file:
        return list(csv.DictReader(file))[-1]


def learn_with_stable_baselines(env, folder, steps):
    door = StableBaselines3Env(env)
    policy = "MlpPolicy" if len(env.observation_space.spaces) == 1 else "MultiInputPolicy"
    model = PPO(
        policy, door, n_steps=32, batch_size=64, n_epochs=1, seed=0, device="cpu", policy_kwargs={"net_arch": [32]}
    )
    model.set_logger(configure(str(folder), ["csv"]))
    model.learn(steps)
    model.logger.close()
    assert model.num_timesteps == steps
    assert all(torch.isfinite(value).all() for value in model.policy.state_dict().values())
    return model, door


@pytest.mark.parametrize("task", task_names())
def test_stable_baselines_trains_on_every_task(task, tmp_path):
    model, door = learn_with_stable_baselines(embodied.make(task, num_worlds=4, threads=1), tmp_path, 256)
    assert math.isfinite(float(last_row(tmp_path)["train/loss"]))
    assert model.predict(door.reset(), deterministic=True)[0].shape == (4, *door.action_space.shape)
    door.close()


def test_stable_baselines_trains_a_body_on_several_groups_and_records_returns(tmp_path):
    model, door = learn_with_stable_baselines(grouped(), tmp_path, 4096)
    assert door.observation_space.spaces.keys() == {"proprio", "privileged"}
    row = last_row(tmp_path)
    assert math.isfinite(float(row["train/loss"]))
    assert math.isfinite(float(row["rollout/ep_rew_mean"]))
    assert 1 < float(row["rollout/ep_len_mean"]) <= 40
    assert len(model.ep_info_buffer) >= 80
    door.close()


def test_stable_baselines_trains_on_an_environment_from_elsewhere(tmp_path):
    _, door = learn_with_stable_baselines(embodied.make("gymnasium:Pendulum-v1", num_worlds=8), tmp_path, 2048)
    assert float(last_row(tmp_path)["rollout/ep_len_mean"]) == 200
    door.close()


def learn_with_rsl_rl(env, actor, critic, iterations, steps=16, folder=None):
    torch.manual_seed(0)  # rsl_rl draws from the global generator
    door = RslRlEnv(env)
    model = {"class_name": "MLPModel", "hidden_dims": [32]}
    config = {
        "num_steps_per_env": steps,
        "obs_groups": {"actor": actor, "critic": critic},
        "algorithm": {"class_name": "PPO", "num_learning_epochs": 1},
        "actor": {**model, "distribution_cfg": {"class_name": "GaussianDistribution"}},
        "critic": {**model},
        "save_interval": 100,
    }
    runner = OnPolicyRunner(door, config, log_dir=folder and str(folder), device="cpu")
    update, losses = runner.alg.update, []
    runner.alg.update = lambda: losses.append(update()) or losses[-1]
    runner.learn(iterations)
    assert len(losses) == iterations
    assert all(math.isfinite(value) for loss in losses for value in loss.values())
    assert all(torch.isfinite(parameter).all() for parameter in runner.alg.actor.parameters())
    return runner, door


@pytest.mark.parametrize("task", task_names())
def test_rsl_rl_trains_on_every_task(task):
    env = embodied.make(task, num_worlds=4, threads=1)
    groups = list(env.observation_space.spaces)
    _, door = learn_with_rsl_rl(env, groups, groups, 2)
    assert door.get_observations().keys() == set(groups)
    env.close()


def test_rsl_rl_trains_with_a_critic_that_knows_more_and_records_returns(tmp_path):
    runner, door = learn_with_rsl_rl(grouped(), ["proprio"], ["proprio", "privileged"], 16, 32, tmp_path)
    runner.logger.writer.close()
    inputs = [model.mlp[0].in_features for model in (runner.alg.actor, runner.alg.critic)]
    assert inputs[1] == inputs[0] + 3 == door.env.observation_space["proprio"].shape[0] + 3
    returns = list(runner.logger.rewbuffer)
    assert len(returns) >= 80
    assert all(map(math.isfinite, returns))
    assert max(runner.logger.lenbuffer) <= 40
    events = EventAccumulator(str(tmp_path)).Reload()
    for name in ("Train/mean_reward", "Terms/forward", "Metrics/x"):
        assert all(math.isfinite(event.value) for event in events.Scalars(name))


def test_rsl_rl_is_told_the_terms_and_metrics_of_episodes_that_ended():
    door, twin = RslRlEnv(grouped(3, 4)), grouped(3, 4)
    door.env.reset(seed=1)
    twin.reset(seed=1)
    for step in range(1, 5):
        *_, extras = door.step(torch.zeros(3, 12))
        *_, info = twin.step(torch.zeros(3, 12))
        assert ("log" in extras) == (step == 4)
    episode = info["episode"]
    assert extras["log"].keys() == {"Terms/forward", "Terms/control_cost", "Metrics/x"}
    torch.testing.assert_close(extras["log"]["Terms/forward"], episode["terms"]["forward"].mean().float())
    torch.testing.assert_close(extras["log"]["Metrics/x"], episode["metrics"]["x"].mean().float())
