"""The measure of speed: a whole training, with the bare engine, a World and an environment repeating each rollout."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from statistics import median
from typing import Any

import torch

from embodied.bench.replay import BareReplay, EnvReplay, Recorder, WorldReplay
from embodied.envs import make
from embodied.learning.ppo import PPOConfig
from embodied.learning.trainer import Trainer


@dataclass(frozen=True)
class Rates:
    """Seconds per rollout of each layer, one entry per rollout, all from one training."""

    steps: int
    """Environment steps of one rollout."""
    bare: list[float]
    world: list[float]
    environment: list[float]
    training: list[float]

    def figures(self) -> dict[str, Any]:
        """Rates, and each layer's speed as a part of bare: over the whole training, and the median of rollouts."""
        layers = {"world": self.world, "environment": self.environment, "training": self.training}
        rates = {"bare": self.bare, **layers}
        return {
            "environment_steps": self.steps * len(self.bare),
            "steps_per_second": {name: self.steps * len(times) / sum(times) for name, times in rates.items()},
            "ratio_to_bare": {name: sum(self.bare) / sum(times) for name, times in layers.items()},
            "median_ratio_to_bare": {
                name: median(b / t for b, t in zip(self.bare, times, strict=True)) for name, times in layers.items()
            },
        }


def bench_training(
    task: str,
    body: str,
    steps: int,
    worlds: int,
    threads: int,
    config: PPOConfig,
    seed: int,
    advance: Callable[[int, float | None], None],
) -> Rates:
    """Trains, and after every rollout lets each layer repeat it, in an order that turns round."""
    torch.set_num_threads(1)
    env = make(task, body, worlds, threads=threads)
    recorder = Recorder(env)
    trainer = Trainer(recorder, config, steps, seed, threads=env.world.threads)
    twin = make(task, body, worlds, threads=threads)
    replays = {
        "bare": BareReplay(env.env.scene.model, worlds, env.world.threads, env.decimation),
        "world": WorldReplay(env),
        "environment": EnvReplay(twin),
    }
    times: dict[str, list[float]] = {"training": [], **{name: [] for name in replays}}
    names = list(replays)
    while not trainer.finished:
        began = time.perf_counter()
        metrics = trainer.iterate()
        times["training"].append(time.perf_counter() - began - recorder.seconds)
        tape = recorder.rewind()
        shift = trainer.iteration % len(names)
        for name in names[shift:] + names[:shift]:
            times[name].append(replays[name].run(tape))
        advance(trainer.steps, metrics.get("episode/return"))
    env.close()
    twin.close()
    return Rates(trainer.samples, **times)
