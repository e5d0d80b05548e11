"""Whether memory grows: what a training holds in memory at intervals, and the slope of it."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from embodied.bench.setting import Measure, OnTask
from embodied.bench.trainers import begin_training
from embodied.evolution.workers import resident_memory
from embodied.learning.ppo import PPOConfig
from embodied.runs.errors import UserError
from embodied.runs.progress import Progress

SETTLING = 0.2
"""Part of the training, at its beginning, that the slope leaves out: buffers and caches still fill."""


@dataclass(frozen=True)
class MemoryHeld(OnTask):
    """What a training holds in memory at intervals."""

    steps: int = 10_000_000
    """Environment steps of the training."""
    looks: int = 50
    """How often memory is looked at."""
    ppo: PPOConfig = field(default_factory=PPOConfig)
    """Hyperparameters."""


def bench_memory(config: MemoryHeld, progress: Progress) -> dict[str, Any]:
    """Steps and resident memory at each look, MiB; and the slope once it has settled, KiB per million steps.

    Raises:
        UserError: this system does not say how much memory a process holds.
    """
    if not resident_memory(os.getpid()):
        raise UserError("what a process holds in memory is read from /proc, which this system has not")
    trainer = begin_training(
        config.task, config.body, config.worlds, config.ppo, config.cores, config.steps, config.seed
    )
    progress.say(f"Training for {trainer.iterations * trainer.samples:,} steps, {config.looks} looks at its memory:")
    progress.begin(0, "training", trainer.iterations * trainer.samples)
    steps, held = [0], [_held()]
    while not trainer.finished:
        metrics = trainer.iterate()
        progress.advance(0, trainer.steps, metrics.get("episode/return"))
        if trainer.finished or trainer.iteration * config.looks >= len(steps) * trainer.iterations:
            steps.append(trainer.steps)
            held.append(_held())
    progress.end(0, f"{trainer.steps:,} steps made")
    trainer.env.close()
    return {"steps": steps, "resident_mib": held, "slope_kib_per_million_steps": slope(steps, held)}


def slope(steps: list[int], held: list[float]) -> float | None:
    """Least squares over the looks after settling, KiB per million steps; None where there are too few."""
    settled = [(s, h) for s, h in zip(steps, held, strict=True) if s >= SETTLING * steps[-1]]
    if len(settled) < 3:
        return None
    at, mib = np.array(settled).T
    return float(np.polyfit(at / 1e6, mib * 1024, 1)[0])


def memory_rows(figures: dict[str, Any]) -> list[tuple[str, ...]]:
    """As a table."""
    rows: list[tuple[str, ...]] = [("steps", "resident memory, MiB")]
    rows += [(f"{s:,}", f"{h:,.1f}") for s, h in zip(figures["steps"], figures["resident_mib"], strict=True)]
    grown = figures["slope_kib_per_million_steps"]
    return [*rows, ("slope", "-" if grown is None else f"{grown:,.1f} KiB per million steps")]


def _held() -> float:
    return resident_memory(os.getpid()) / 2**20


BENCH = Measure(MemoryHeld, bench_memory, memory_rows)
