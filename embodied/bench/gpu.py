"""On a GPU: the bare captured mujoco_warp step, our environment, our PPO, and rsl_rl's on our environment.

After each rollout of a training the bare engine and an environment repeat it: from the same states, with the same
actions. The bare engine leaves resets out, and on a GPU sums are added up in any order, so what they simulate is alike,
not equal.
"""

from __future__ import annotations

import contextlib
import io
import time
from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from statistics import median
from typing import Any

import torch
from torch import Tensor

from embodied.bench.learners import rsl_rl_runner
from embodied.bench.setting import Bench, Measure
from embodied.bench.trainers import GPU_EPOCHS, GPU_MINIBATCHES, GPU_STEPS, begin_training, usual_ppo
from embodied.envs import make
from embodied.envs.device_vector import DeviceVectorEnv
from embodied.physics.devices import check_device
from embodied.physics.gpu_limits import refuse_missing
from embodied.runs.errors import UserError
from embodied.runs.progress import Progress

BARE, ENVIRONMENT, PPO, RSL_RL = "bare mujoco_warp", "environment", "PPO", "rsl_rl"
WARM_UP = 3
"""Rollouts before anything counts: kernels are loaded and graphs recorded in them."""


@dataclass(frozen=True)
class OnGpu(Bench):
    """On a GPU: the bare captured mujoco_warp step, our environment and PPO, and rsl_rl."""

    task: str = "flat"
    """Registered name."""
    body: str = "ant"
    """Name, genome file or robot's file."""
    worlds: int = 4096
    """Worlds stepped together."""
    device: str = "cuda"
    """Where; warp-cpu tries the same without a GPU, with 16 worlds or so."""
    rollouts: int = 20
    """Of the training, each repeated by the others; and of rsl_rl's."""
    seed: int = 0
    """Of the training."""


class DeviceRecorder:
    """An environment on a device that writes down the actions it gets, without waiting for the device."""

    def __init__(self, env: DeviceVectorEnv) -> None:
        self._env = env
        self.rewind()

    def __getattr__(self, name: str) -> Any:
        """Everything else as the environment's."""
        return getattr(self._env, name)

    def step(self, actions: Tensor) -> Any:
        """As the environment's."""
        self.actions.append(actions.clone())
        return self._env.step(actions)

    def rewind(self) -> None:
        """Begins anew from here."""
        self.actions: list[Tensor] = []
        self.before = self._env.state_dict()


def bench_gpu(config: OnGpu, progress: Progress) -> dict[str, Any]:
    """Rates, ratios to bare, and how many times as fast as rsl_rl our PPO is: medians over rollouts.

    Raises:
        UserError: there is no such device here, or rsl_rl is missing.
    """
    refuse_missing(check_device(config.device))
    if not find_spec("rsl_rl"):
        raise UserError("rsl_rl is missing; pip install 'embodied[bench]' brings it")
    from embodied.bench.bare_warp import BareWarp

    progress.say(
        f"{config.body} on {config.task} in {config.worlds:,} worlds on {config.device}: {config.rollouts} rollouts of "
        f"{GPU_STEPS} steps, {GPU_EPOCHS} passes in {GPU_MINIBATCHES} minibatches."
    )
    ppo = usual_ppo(config.worlds, config.device)
    total = (WARM_UP + config.rollouts) * config.worlds * ppo.rollout_steps
    trainer = begin_training(config.task, config.body, config.worlds, ppo, 1, total, config.seed, config.device)
    env: DeviceVectorEnv = trainer.env  # type: ignore[assignment]
    trainer.env = recorder = DeviceRecorder(env)  # type: ignore[assignment]
    twin: DeviceVectorEnv = make(config.task, config.body, config.worlds, config.device)  # type: ignore[assignment]
    bare = BareWarp(twin)
    rival = make(config.task, config.body, config.worlds, config.device)
    runner = rsl_rl_runner(rival, ppo)
    device = env.device
    seconds: dict[str, list[float]] = {name: [] for name in (BARE, ENVIRONMENT, PPO, RSL_RL)}
    while not trainer.finished:
        recorder.rewind()
        seconds[PPO].append(_timed(device, trainer.iterate))
        twin.load_state_dict(recorder.before)
        bare.place(twin)
        seconds[BARE].append(_timed(device, lambda: _play(bare.step, recorder.actions)))
        seconds[ENVIRONMENT].append(_timed(device, lambda: _play(twin.step, recorder.actions)))
        with contextlib.redirect_stdout(io.StringIO()):
            seconds[RSL_RL].append(_timed(device, lambda: runner.learn(1)))
    counted = {name: values[WARM_UP:] for name, values in seconds.items()}
    for each in (env, twin, rival):
        each.close()
    steps = config.worlds * ppo.rollout_steps
    return {
        "device": torch.cuda.get_device_name(device) if device.type == "cuda" else config.device,
        "worlds": config.worlds,
        "steps_per_second": {name: steps / median(values) for name, values in counted.items()},
        "ratio_to_bare": {name: _ratio(counted[BARE], counted[name]) for name in (ENVIRONMENT, PPO, RSL_RL)},
        "ours_times_as_fast": {RSL_RL: _ratio(counted[RSL_RL], counted[PPO])},
    }


def gpu_rows(figures: dict[str, Any]) -> list[tuple[str, ...]]:
    """As a table."""
    ratios, times = figures["ratio_to_bare"], figures["ours_times_as_fast"]
    rows = [(f"{figures['worlds']:,} worlds on {figures['device']}", "steps/s", "of bare", "ours times as fast")]
    rows += [
        (name, f"{rate:,.0f}", f"{ratios.get(name, 1.0):.3f}", f"{times[name]:.2f}" if name in times else "")
        for name, rate in figures["steps_per_second"].items()
    ]
    return rows


def _timed(device: torch.device, work: Callable[[], Any]) -> float:
    """Seconds until the device has done it."""
    _wait(device)
    began = time.perf_counter()
    work()
    _wait(device)
    return time.perf_counter() - began


def _wait(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def _play(step: Callable[[Tensor], Any], actions: list[Tensor]) -> None:
    for each in actions:
        step(each)


def _ratio(times: list[float], others: list[float]) -> float:
    return median(a / b for a, b in zip(times, others, strict=True))


BENCH = Measure(OnGpu, bench_gpu, gpu_rows, brief=OnGpu(rollouts=10))
