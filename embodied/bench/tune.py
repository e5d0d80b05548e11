"""How many worlds and threads, and of an evolution workers, are fastest on this machine for a task and a body."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from statistics import median
from typing import Any

import torch

from embodied.bench.setting import Bench, Measure
from embodied.bench.together import Meeting, side_by_side
from embodied.bench.trainers import BATCH, begin_training, usual_ppo
from embodied.bench.turns import in_turn
from embodied.physics.cpu import usable_cores
from embodied.physics.devices import is_gpu_world
from embodied.runs.progress import Progress

CPU_WORLDS = (32, 64, 128, 256, 512)
LIFETIME_WORLDS = (32, 64, 128)
GPU_WORLDS = (1024, 2048, 4096, 8192, 16384)
AS_GOOD = 0.97
"""What is no slower than this part of the fastest counts as as fast."""
TRAIN, EVOLVE = "train", "evolve"


@dataclass(frozen=True)
class Tune(Bench):
    """Try numbers of worlds, threads and workers briefly, and say which flags to pass."""

    task: str = "flat"
    """Registered name."""
    body: str = "ant"
    """Name, genome file or robot's file."""
    samples: int = BATCH
    """Of a rollout on the CPU, whatever the number of worlds: the batch that is learned from stays the same."""
    worlds: tuple[int, ...] = ()
    """Numbers of worlds to try; by default 32 to 512, for lifetimes to 128, and on a GPU 1,024 to 16,384."""
    seconds: float = 1.5
    """That each is tried at a time."""
    rounds: int = 3
    """How often each is tried, in turn."""
    cores: int | None = None
    """That may be used; all usable ones by default."""
    device: str = "cpu"
    """Where a training's worlds are simulated; lifetimes are tried on the CPU alone."""


@dataclass(frozen=True)
class Choice:
    """What could be passed to a command."""

    command: str
    worlds: int
    cores: int
    """Threads of a training, workers of an evolution."""
    rate: float = 0.0
    """Environment steps a second; of an evolution, of all workers."""

    @property
    def name(self) -> str:
        """In a table."""
        kind = "thread" if self.command == TRAIN else "worker"
        return f"{self.worlds} worlds, {self.cores} {kind}{'s' if self.cores > 1 else ''}"


def bench_tune(config: Tune, progress: Progress) -> dict[str, Any]:
    """Rates of PPO for each choice, and the choice."""
    torch.set_num_threads(1)
    cores = config.cores or usable_cores()
    tried = {TRAIN: _trainings(config, cores, progress)}
    if not is_gpu_world(config.device):
        tried[EVOLVE] = _lifetimes(config, cores, progress)
    chosen = {command: best(choices) for command, choices in tried.items()}
    return {
        **{command: {choice.name: choice.rate for choice in choices} for command, choices in tried.items()},
        "chosen": {command: choice.name for command, choice in chosen.items()},
        "commands": [_command(config, choice) for choice in chosen.values()],
    }


def tune_rows(figures: dict[str, Any]) -> list[tuple[str, ...]]:
    """As a table."""
    rows: list[tuple[str, ...]] = []
    for command, name in figures["chosen"].items():
        rates = figures[command]
        fastest = max(rates.values())
        rows.append((command, "steps/s", "of the fastest", ""))
        for each, rate in rates.items():
            rows.append((each, f"{rate:,.0f}", f"{rate / fastest:.2f}", "chosen" if each == name else ""))
        rows.append(("", "", "", ""))
    return rows[:-1]


def best(choices: Sequence[Choice]) -> Choice:
    """Of what is about as fast as the fastest, what takes the fewest cores, and then the fewest worlds."""
    enough = AS_GOOD * max(choice.rate for choice in choices)
    return min((c for c in choices if c.rate >= enough), key=lambda choice: (choice.cores, choice.worlds))


def live_for_a_while(config: Tune, number: int, meeting: Meeting) -> dict[int, list[float]]:
    """One process of several: rates by number of worlds."""
    trials = {worlds: _Trial(config, worlds, 1, number) for worlds in _worlds(LIFETIME_WORLDS, config)}
    rates: dict[int, list[float]] = {worlds: [] for worlds in trials}
    for _ in range(config.rounds):
        for worlds, trial in trials.items():
            meeting.wait()
            rates[worlds].append(trial.rate())
    return rates


class _Trial:
    """A training under way that is gone on with for a while, now and again."""

    def __init__(self, config: Tune, worlds: int, threads: int, seed: int = 0) -> None:
        ppo = usual_ppo(worlds, config.device)
        if not is_gpu_world(config.device):
            ppo = replace(ppo, rollout_steps=max(1, config.samples // worlds))
        self._seconds = config.seconds
        self._trainer = begin_training(config.task, config.body, worlds, ppo, threads, seed=seed, device=config.device)
        self._trainer.iterate()

    def rate(self) -> float:
        """Environment steps a second."""
        began, first = time.perf_counter(), self._trainer.steps
        while (spent := time.perf_counter() - began) < self._seconds or self._trainer.steps == first:
            self._trainer.iterate()
        return (self._trainer.steps - first) / spent

    def close(self) -> None:
        self._trainer.env.close()


def _trainings(config: Tune, cores: int, progress: Progress) -> list[Choice]:
    on_gpu = is_gpu_world(config.device)
    threads = [1] if on_gpu else [*(2**i for i in range(cores.bit_length()) if 2**i < cores), cores]
    progress.say(f"PPO of {config.body} on {config.task} on {config.device}, threads up to {threads[-1]}:")
    worlds = _worlds(GPU_WORLDS if on_gpu else CPU_WORLDS, config)
    choices = [Choice(TRAIN, number, count) for count in threads for number in worlds]
    trials = {choice.name: _Trial(config, choice.worlds, choice.cores) for choice in choices}
    rates = in_turn({name: trial.rate for name, trial in trials.items()}, config.rounds, progress.say)
    for trial in trials.values():
        trial.close()
    return [replace(choice, rate=median(rates[choice.name])) for choice in choices]


def _lifetimes(config: Tune, cores: int, progress: Progress) -> list[Choice]:
    choices = []
    for workers in sorted({max(1, cores // 2), cores}):
        progress.say(f"Lifetimes side by side, one thread each: {workers}.")
        told = side_by_side(live_for_a_while, config, workers)
        choices += [Choice(EVOLVE, w, workers, sum(median(each[w]) for each in told)) for w in told[0]]
    return choices


def _worlds(usual: tuple[int, ...], config: Tune) -> tuple[int, ...]:
    return config.worlds or usual


def _command(config: Tune, choice: Choice) -> str:
    flags = f"--task {config.task}"
    if choice.command == TRAIN:
        flags += f" --body {config.body}"
        if is_gpu_world(config.device):
            ppo = usual_ppo(choice.worlds, config.device)
            flags += f" --device {config.device} --worlds {choice.worlds} --ppo.rollout-steps {ppo.rollout_steps}"
            return f"embodied train {flags} --ppo.minibatch {ppo.minibatch} --ppo.epochs {ppo.epochs}"
    cores = "threads" if choice.command == TRAIN else "workers"
    steps = max(1, config.samples // choice.worlds)
    flags += f" --worlds {choice.worlds} --{cores} {choice.cores} --ppo.rollout-steps {steps}"
    return f"embodied {choice.command} {flags}"


BENCH = Measure(Tune, bench_tune, tune_rows)
