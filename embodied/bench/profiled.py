"""A training that a profiler watches: ``python -m embodied.bench.profiled TASK BODY WORLDS THREADS DEVICE SECONDS``."""

from __future__ import annotations

import json
import sys
import time

from embodied.bench.trainers import begin_training, usual_ppo
from embodied.learning.stacked.trainer import StackedTrainer
from embodied.learning.trainer import Trainer

WARM_UP = 3
"""Rollouts before it counts."""


def training(task: str, body: str, worlds: int, threads: int, device: str) -> Trainer | StackedTrainer:
    """A training under way, without an end."""
    trainer = begin_training(task, body, worlds, usual_ppo(worlds, device), threads, device=device)
    for _ in range(WARM_UP):
        trainer.iterate()
    return trainer


def watched(trainer: Trainer | StackedTrainer, seconds: float) -> dict[str, float]:
    """Trains for so long; the profile holds what happened in here. Gives control steps and seconds."""
    first, began = trainer.steps, time.perf_counter()
    while (spent := time.perf_counter() - began) < seconds:
        trainer.iterate()
    return {"steps": trainer.steps - first, "seconds": spent}


if __name__ == "__main__":
    task, body, worlds, threads, device, seconds = sys.argv[1:]
    print(json.dumps(watched(training(task, body, int(worlds), int(threads), device), float(seconds))))
