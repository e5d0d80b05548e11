"""The measure of speed: a whole training, with the bare engine, a World and an environment repeating each rollout."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from statistics import median
from typing import Any

import torch

from embodied.bench.replay import BareReplay, EnvReplay, Recorder, WorldReplay
from embodied.bench.setting import Measure, OnTask
from embodied.envs import make
from embodied.learning.ppo import PPOConfig
from embodied.learning.trainer import Trainer
from embodied.runs.progress import Progress


@dataclass(frozen=True)
class Training(OnTask):
    """A whole training; after each rollout the bare engine, a World and an environment repeat it."""

    steps: int = 2_000_000
    """Environment steps of the training."""
    ppo: PPOConfig = field(default_factory=PPOConfig)
    """Hyperparameters."""


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


def bench_training(config: Training, progress: Progress) -> dict[str, Any]:
    """Trains, and after every rollout lets each layer repeat it, in an order that turns round."""
    progress.say(
        f"Training {config.body} on {config.task} for {config.steps:,} steps in {config.worlds} worlds "
        f"{config.on_threads}; the bare engine, a World and an environment repeat every rollout."
    )
    rates = train_and_repeat(config, progress)
    return {**rates.figures(), "threads": config.cores, "worlds": config.worlds}


def train_and_repeat(config: Training, progress: Progress) -> Rates:
    """The seconds of every rollout."""
    torch.set_num_threads(1)
    threads = min(config.cores, config.worlds)
    env, twin = (make(config.task, config.body, config.worlds, threads=threads) for _ in range(2))
    recorder = Recorder(env)
    trainer = Trainer(recorder, config.ppo, config.steps, config.seed, threads=threads)
    recorder.rewind()
    replays = {
        "bare": BareReplay(env.env.scene.model, config.worlds, threads, env.decimation),
        "world": WorldReplay(env),
        "environment": EnvReplay(twin),
    }
    times: dict[str, list[float]] = {"training": [], **{name: [] for name in replays}}
    names = list(replays)
    total = trainer.iterations * trainer.samples
    progress.begin(0, "training", total)
    while not trainer.finished:
        began = time.perf_counter()
        metrics = trainer.iterate()
        times["training"].append(time.perf_counter() - began - recorder.seconds)
        tape = recorder.rewind()
        shift = trainer.iteration % len(names)
        for name in names[shift:] + names[:shift]:
            times[name].append(replays[name].run(tape))
        progress.advance(0, trainer.steps, metrics.get("episode/return"))
    progress.end(0, f"{total:,} steps measured")
    env.close()
    twin.close()
    return Rates(trainer.samples, **times)


def training_rows(figures: dict[str, Any]) -> list[tuple[str, ...]]:
    """As a table."""
    rows = [("layer", "steps/s", "of bare", "median rollout")]
    for name, rate in figures["steps_per_second"].items():
        whole, middle = (figures[key].get(name, 1.0) for key in ("ratio_to_bare", "median_ratio_to_bare"))
        rows.append((name, f"{rate:,.0f}", f"{whole:.3f}", f"{middle:.3f}"))
    return rows


BENCH = Measure(Training, bench_training, training_rows, brief=Training(steps=200_000))
