"""The doors that lead to learners on a GPU, over an environment on Warp's CPU device."""

from contextlib import nullcontext

import numpy as np
import pytest
import torch

pytest.importorskip("mujoco_warp", reason="needs the extra gpu")

from rsl_rl.runners import OnPolicyRunner

from embodied.envs.doors.rsl_rl import LOOK_EVERY, RslRlEnv
from embodied.envs.doors.stable_baselines3 import StableBaselines3Env
from embodied.testing.device_rules import DeviceRules
from tests.envs.on_device import autoreset
from tests.envs.test_doors import runner_config

STEPS = 10


@pytest.fixture(scope="module")
def env():
    made = autoreset(steps=STEPS)
    yield made
    made.close()


def test_rsl_rl_s_runner_learns_through_its_door(env):
    torch.manual_seed(0)  # rsl_rl draws from the global generator
    door = RslRlEnv(env)
    runner = OnPolicyRunner(door, runner_config(), log_dir=None, device="cpu")
    before = [parameter.clone() for parameter in runner.alg.actor.parameters()]
    runner.learn(2, init_at_random_ep_len=True)
    after = list(runner.alg.actor.parameters())
    assert any(not torch.equal(old, new) for old, new in zip(before, after, strict=True))
    assert all(torch.isfinite(parameter).all() for parameter in after)


def test_the_rsl_rl_door_looks_at_ended_episodes_now_and_then_and_misses_none(env, monkeypatch):
    step, infos = env.step, []

    def noted(actions):
        result = step(actions)
        infos.append(result[-1])
        return result

    monkeypatch.setattr(env, "step", noted)
    door = RslRlEnv(env)
    env.episode_length.copy_(torch.tensor([0, 3, 7]))
    logs = []
    for number in range(1, 2 * LOOK_EVERY + 1):
        with DeviceRules("cpu") if number % LOOK_EVERY else nullcontext():
            *_, extras = door.step(torch.full((3, 12), 0.1))
        assert ("log" in extras) == (number % LOOK_EVERY == 0)
        logs += [extras["log"]] if "log" in extras else []
    for log, since in zip(logs, (0, LOOK_EVERY), strict=True):
        ended = [info["episode"] for info in infos[since : since + LOOK_EVERY]]
        for name in ("forward", "control_cost"):
            values = torch.cat([episode["terms"][name] for episode in ended])
            assert len(values) > 5
            assert float(log[f"Terms/{name}"]) == pytest.approx(float(values.mean()), abs=1e-5)
        distances = torch.cat([episode["metrics"]["distance"] for episode in ended])
        assert float(log["Metrics/distance"]) == pytest.approx(float(distances.mean()), abs=1e-5)


def test_stable_baselines_s_door_gives_arrays_of_the_host(env):
    door = StableBaselines3Env(env)
    observation = door.reset()
    for step in range(1, STEPS + 1):
        observation, rewards, dones, infos = door.step(np.full((3, 12), 0.2, np.float32))
        assert isinstance(observation, np.ndarray)
        assert rewards.shape == dones.shape == (3,)
        assert dones.all() == (step == STEPS)
    assert all(info["TimeLimit.truncated"] and info["episode"]["l"] == STEPS for info in infos)
    assert not np.array_equal(infos[0]["terminal_observation"], observation[0])
