"""Lifetimes side by side, one core each, against as many bare engines side by side in the same processes.

Every process trains some rollouts and then lets the bare engine repeat them, again and again; all processes enter a
phase together. The rate of a phase is what all did in it, over the time that the slowest took.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from statistics import median
from typing import Any

from embodied.bench.replay import BareReplay, Recorder, Tape
from embodied.bench.setting import Bench, Measure
from embodied.bench.together import Meeting, side_by_side
from embodied.envs import make
from embodied.evolution.configuration import EvolveConfig
from embodied.learning.ppo import PPOConfig
from embodied.learning.trainer import Trainer
from embodied.runs.progress import Progress

LIFE = EvolveConfig()
"""A lifetime as evolutions have it by default."""
TRAINING, BARE = "training", "bare"


@dataclass(frozen=True)
class Lifetimes(Bench):
    """Lifetimes side by side, one thread each, against bare engines side by side."""

    task: str = LIFE.task
    """Registered name."""
    body: str = "ant"
    """Name, genome file or robot's file."""
    worlds: int = LIFE.worlds
    """Of one lifetime."""
    workers: int = 2
    """Lifetimes at a time: processes of one thread each."""
    rounds: int = 30
    """Each a phase of training and one of the bare engine."""
    rollouts: int = 4
    """Of a phase."""
    seed: int = 0
    """Of the first lifetime; the others have the next ones."""
    ppo: PPOConfig = field(default_factory=lambda: LIFE.ppo)
    """Hyperparameters."""


def bench_lifetimes(config: Lifetimes, progress: Progress) -> dict[str, Any]:
    """Sums of rates, and their ratio to bare: over all rounds, the median of rounds, and of each process by itself."""
    progress.say(
        f"{config.workers} lifetimes of {config.body} on {config.task} side by side, {config.worlds} worlds on one "
        f"thread each, {config.rounds} rounds of {config.rollouts} rollouts, and {config.workers} bare engines in turn."
    )
    told = side_by_side(live_in_phases, config, config.workers)
    steps = config.workers * config.rollouts * config.worlds * config.ppo.rollout_steps
    slowest = {p: [max(each) for each in zip(*(one[p] for one in told), strict=True)] for p in (TRAINING, BARE)}
    return {
        "workers": config.workers,
        "environment_steps": steps * config.rounds,
        "steps_per_second": {phase: steps * config.rounds / sum(times) for phase, times in slowest.items()},
        "ratio_to_bare": sum(slowest[BARE]) / sum(slowest[TRAINING]),
        "median_ratio_to_bare": median(b / t for b, t in zip(slowest[BARE], slowest[TRAINING], strict=True)),
        "each_ratio_to_bare": [sum(one[BARE]) / sum(one[TRAINING]) for one in told],
    }


def lifetimes_rows(figures: dict[str, Any]) -> list[tuple[str, ...]]:
    """As a table."""
    rates, workers = figures["steps_per_second"], figures["workers"]
    whole, middle = figures["ratio_to_bare"], figures["median_ratio_to_bare"]
    return [
        ("side by side, one thread each", "steps/s in sum", "of bare", "median round"),
        (f"{workers} bare engines", f"{rates[BARE]:,.0f}", "1.000", "1.000"),
        (f"{workers} lifetimes", f"{rates[TRAINING]:,.0f}", f"{whole:.3f}", f"{middle:.3f}"),
    ]


def live_in_phases(config: Lifetimes, number: int, meeting: Meeting) -> dict[str, list[float]]:
    """One process: seconds by phase and round."""
    env = make(config.task, config.body, config.worlds, threads=1)
    recorder = Recorder(env)
    steps = (1 + config.rounds * config.rollouts) * config.worlds * config.ppo.rollout_steps
    trainer = Trainer(recorder, config.ppo, steps, config.seed + number)
    bare = BareReplay(env.env.scene.model, config.worlds, 1, env.decimation)
    trainer.iterate()  # the first rollout only fills the normalisers
    recorder.rewind()
    seconds: dict[str, list[float]] = {TRAINING: [], BARE: []}
    for _ in range(config.rounds):
        tapes: list[Tape] = []
        spent = 0.0
        meeting.wait()
        for _ in range(config.rollouts):
            began = time.perf_counter()
            trainer.iterate()
            spent += time.perf_counter() - began - recorder.seconds
            tapes.append(recorder.rewind())
        seconds[TRAINING].append(spent)
        meeting.wait()
        seconds[BARE].append(sum(bare.run(tape) for tape in tapes))
    env.close()
    return seconds


BENCH = Measure(Lifetimes, bench_lifetimes, lifetimes_rows, brief=Lifetimes(rounds=6))
