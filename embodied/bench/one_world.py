"""The one-world Gymnasium door against a plain environment of the flat task, written on MuJoCo and numpy alone."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

import gymnasium
import mujoco
import numpy as np
import torch

from embodied.bench.setting import Bench, Measure
from embodied.bench.turns import compared, in_turn, rows_of
from embodied.envs.doors.gymnasium import GymnasiumEnv
from embodied.runs.progress import Progress
from embodied.tasks import find_task
from morphologies import find_body

DOOR, PLAIN = "Gymnasium's door", "plain numpy"
LARGEST = 1e6
"""Of an observation, in any unit."""


class PlainFlat(gymnasium.Env[dict[str, np.ndarray], np.ndarray]):
    """The flat task as one would write it for one world by hand: same scene, observation, reward, end and reset.

    It shares nothing with the task but the compiled model, so it is also an independent check of it. What it lacks is
    the care for worlds whose physics fails.
    """

    def __init__(self, body: str = "ant") -> None:
        """The scene of the flat task with a body, which must have motors and a free root."""
        robot = find_body(body)
        self._model = find_task("flat").scene({"robot": robot}).model
        self._data = mujoco.MjData(self._model)
        self._fall_height = 0.5 * (robot.spawn_height - robot.clearance)
        sensors = [self._model.sensor(i) for i in range(self._model.nsensor)]

        def readings(*names: str) -> list[int]:
            return [int(sensor.adr[0]) + i for sensor in sensors if sensor.name in names for i in range(sensor.dim[0])]

        imu = readings("robot/accelerometer", "robot/gyro", "robot/velocimeter")
        touch = readings(*(sensor.name for sensor in sensors if "/touch/" in sensor.name))
        ends = np.array(readings(*(sensor.name for sensor in sensors if "/limb/end/" in sensor.name)), dtype=int)
        self._sensed = np.array([*imu, *touch, *ends.reshape(-1, 3)[:, :2].ravel()])
        size = self._model.nq - 7 + self._model.nv + len(self._sensed)
        box = gymnasium.spaces.Box(-LARGEST, LARGEST, (size,), np.float32)
        self.observation_space = gymnasium.spaces.Dict({"proprio": box})  # type: ignore[assignment]
        self.action_space = gymnasium.spaces.Box(-1.0, 1.0, (self._model.nu,), np.float32)
        self._steps = 0

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
        """Begins an episode with ±0.005 of noise on every position and velocity."""
        super().reset(seed=seed)
        qpos = self._model.qpos0 + self.np_random.uniform(-5e-3, 5e-3, self._model.nq)
        return self.begin(qpos, self.np_random.uniform(-5e-3, 5e-3, self._model.nv)), {}

    def begin(self, qpos: np.ndarray, qvel: np.ndarray) -> dict[str, np.ndarray]:
        """Begins an episode in a given state."""
        mujoco.mj_resetData(self._model, self._data)
        self._data.qpos[:] = qpos
        self._data.qvel[:] = qvel
        mujoco.mj_forward(self._model, self._data)
        self._steps = 0
        return self._observation()

    def step(self, action: np.ndarray) -> tuple[dict[str, np.ndarray], float, bool, bool, dict[str, Any]]:
        """Four physics steps of 5 ms, after which positions and velocities of all parts are current."""
        model, data = self._model, self._data
        before = data.qpos[0]
        data.ctrl[:] = action
        mujoco.mj_step2(model, data)
        mujoco.mj_step(model, data, 3)
        mujoco.mj_step1(model, data)
        self._steps += 1
        x, y, z = data.qpos[:3]
        forward = (x - before) / 0.02
        control_cost = -1e-3 * float(np.square(action).sum())
        terminated = bool(z <= self._fall_height or x >= 146.0 or abs(y) >= 74.0)
        truncated = self._steps >= 1000 and not terminated
        terms = {"forward": forward, "control_cost": control_cost}
        return self._observation(), float(forward + control_cost), terminated, truncated, {"terms": terms}

    def _observation(self) -> dict[str, np.ndarray]:
        data = self._data
        return {"proprio": np.concatenate((data.qpos[7:], data.qvel, data.sensordata[self._sensed]), dtype=np.float32)}


@dataclass(frozen=True)
class OneWorld(Bench):
    """The one-world Gymnasium door on the flat task, against a plain environment on MuJoCo and numpy alone."""

    body: str = "ant"
    """A name."""
    steps: int = 5_000
    """Of each run."""
    runs: int = 9
    """Of each environment, in turn."""
    seed: int = 0
    """Of the first episode and of the actions."""


def bench_one_world(config: OneWorld, progress: Progress) -> dict[str, Any]:
    """Steps a second of both under the same random actions, resets included: medians and the median ratio."""
    progress.say(
        f"The one-world door and a plain numpy environment, {config.body} on flat, {config.runs} runs of "
        f"{config.steps:,} steps."
    )
    torch.set_num_threads(1)
    door, plain = GymnasiumEnv("flat", config.body), PlainFlat(config.body)
    shape = (config.steps, len(door.actuator_names))
    actions = np.random.default_rng(config.seed).uniform(-1.0, 1.0, shape).astype(np.float32)
    for env in (door, plain):
        env.reset(seed=config.seed)
        _rate(env, actions[: config.steps // 10])
    rates = in_turn({DOOR: lambda: _rate(door, actions), PLAIN: lambda: _rate(plain, actions)}, config.runs)
    door.close()
    return compared(rates, DOOR)


def one_world_rows(figures: dict[str, Any]) -> list[tuple[str, ...]]:
    """As a table."""
    return [("one world", "steps/s", "door's part of it"), *rows_of(figures, DOOR)]


def _rate(env: gymnasium.Env, actions: np.ndarray) -> float:
    began = time.perf_counter()
    for action in actions:
        _, _, terminated, truncated, _ = env.step(action)
        if terminated or truncated:
            env.reset()
    return len(actions) / (time.perf_counter() - began)


BENCH = Measure(OneWorld, bench_one_world, one_world_rows, brief=OneWorld(steps=2_000, runs=5))
