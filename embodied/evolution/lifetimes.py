"""A lifetime: one body learns from nothing and is then evaluated. What workers run."""

from __future__ import annotations

import math
import platform
import time
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from statistics import fmean

import torch

from embodied.envs import make
from embodied.evolution.ledger import Outcome
from embodied.learning.evaluate import evaluate, interval, mean_actor
from embodied.learning.load import POLICY, save_policy
from embodied.learning.ppo import PPOConfig
from embodied.learning.trainer import Trainer
from embodied.networks import PolicyConfig
from embodied.runs.files import write_atomically
from embodied.tasks import find_task
from morphologies import find_body, from_json

DERL_SHARE = 0.08
"""Part of the iterations, at the end, that DERL's figure is the mean over: its last 100 of 1,220."""

Report = Callable[[int, float | None], None]
"""Called with environment steps done and the mean return of recent episodes."""


@dataclass(frozen=True)
class Order:
    """All that a worker needs to know of a lifetime."""

    id: int
    genome: str
    """JSON."""
    seed: int
    """Of this lifetime's learning."""
    evaluation_seed: int
    """The same for all lifetimes of a run."""
    task: str
    steps: int
    worlds: int
    episodes: int
    """Of the evaluation."""
    ppo: PPOConfig
    policy: PolicyConfig
    folder: Path
    """The lifetime's own."""


def live(order: Order, report: Report) -> Outcome:
    """Trains the order's body and evaluates it; leaves genome and policy in the lifetime's folder."""
    wall, cpu = time.perf_counter(), time.process_time()
    order.folder.mkdir(parents=True, exist_ok=True)
    write_atomically(order.folder / "genome.json", order.genome)
    body = find_body(from_json(order.genome))
    env = make(order.task, body, order.worlds, threads=1)
    trainer = Trainer(env, order.ppo, order.steps, order.seed, order.policy)
    measure = f"episode/{find_task(order.task).fitness_term or 'return'}"
    curve = []
    while not trainer.finished:
        metrics = trainer.iterate()
        reward = metrics.get("episode/return")
        curve.append((trainer.steps, reward, metrics.get(measure), metrics.get("episode/length")))
        report(trainer.steps, reward)
    env.close()
    save_policy(trainer.policy, order.folder / POLICY)
    trial = make(order.task, body, order.episodes, threads=1)
    result = evaluate(trial, mean_actor(trainer.policy), order.evaluation_seed)
    trial.close()
    scores = result.terms.get(measure.removeprefix("episode/"), result.returns)
    spread = interval(scores)
    if not all(math.isfinite(score) for score in scores):
        raise ArithmeticError("the evaluation gave returns that are not finite")
    limit_reached = trainer.steps // order.worlds >= env.episode_steps
    return Outcome(
        fitness=spread["mean"],
        fitness_std=spread["std"],
        fitness_low=spread["low"],
        fitness_high=spread["high"],
        derl_fitness=derl_fitness([point[2] for point in curve]) if limit_reached else None,
        environment_steps=trainer.steps,
        unhealthy_episodes=trainer.unhealthy_episodes + result.unhealthy,
        description=body.description.as_dict(),
        versions=versions(),
        curve=curve,
        evaluation=list(zip(result.returns, scores, result.lengths, strict=True)),
        wall_seconds=time.perf_counter() - wall,
        cpu_seconds=time.process_time() - cpu,
    )


def derl_fitness(recent: list[float | None]) -> float | None:
    """DERL's fitness from each iteration's mean over the last 10 finished episodes: its mean at the end of training."""
    last = [value for value in recent[-max(1, round(DERL_SHARE * len(recent))) :] if value is not None]
    return fmean(last) if last else None


def versions() -> dict[str, str]:
    """Of everything that may change a result."""
    return {
        "python": platform.python_version(),
        **{name: version(name) for name in ("embodied", "mujoco", "numpy", "torch", "deap")},
    }


def prepare_process() -> None:
    """One thread for torch: a lifetime owns one core."""
    torch.set_num_threads(1)
