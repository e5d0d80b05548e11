"""A lifetime: one body learns from nothing and is then evaluated. What workers run.

It leaves checkpoints in its folder and goes on from the latest one, bit for bit, however often its process dies.
"""

from __future__ import annotations

import json
import math
import platform
import time
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from statistics import fmean
from typing import Protocol

import torch

from embodied.envs import make
from embodied.evolution.ledger import Outcome, Point
from embodied.evolution.measures import evaluate_with_measures, passive_stability
from embodied.learning.evaluate import interval, mean_actor
from embodied.learning.load import POLICY, save_policy
from embodied.learning.ppo import PPOConfig
from embodied.learning.trainer import Trainer
from embodied.networks import ActorCritic, PolicyConfig
from embodied.runs.checkpoint import latest_checkpoint, save_checkpoint
from embodied.runs.files import write_atomically
from embodied.tasks import find_task
from morphologies import Body, find_body, from_json

DERL_SHARE = 0.08
"""Part of the iterations, at the end, that DERL's figure is the mean over: its last 100 of 1,220."""
CHECKPOINTS, STINTS = "checkpoints", "stints.jsonl"
"""In a lifetime's folder: what it goes on from, and a line for every time it began or went on."""


class Exploded(ArithmeticError):
    """The physics of the body fail."""


class Line(Protocol):
    """How a lifetime talks with its driver."""

    def began(self, steps: int) -> None:
        """Learning begins, or goes on at so many environment steps."""
        ...

    def advanced(self, steps: int, reward: float | None) -> None:
        """So many environment steps are done; the mean return of recent episodes."""
        ...

    def saved(self, steps: int) -> None:
        """A checkpoint is written: nothing before it can be lost."""
        ...

    def goes_on(self, rung: int, steps: int, value: float | None) -> bool:
        """A rung is reached with this recent fitness; waits for whether to go on."""
        ...


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
    rungs: tuple[int, ...]
    """Environment steps at which the driver decides whether it goes on."""
    worlds: int
    episodes: int
    """Of the evaluation."""
    checkpoint_seconds: float
    ppo: PPOConfig
    policy: PolicyConfig
    folder: Path
    """The lifetime's own."""


@dataclass(frozen=True)
class Learned:
    """What a lifetime has come to when its learning is over."""

    policy: ActorCritic
    curve: list[Point]
    steps: int
    """Environment steps made."""
    budget: int
    """Environment steps that it was to have."""
    episode_steps: int
    """Control steps of an episode that reaches its time limit."""
    unhealthy_episodes: int
    """That ended because their physics failed."""
    stopped_at_rung: int | None
    """Where successive halving cut it short; None where it did not."""
    stints: int


@dataclass
class Spent:
    """What the lifetime cost up to its latest checkpoint, and since."""

    wall: float = 0.0
    cpu: float = 0.0

    def __post_init__(self) -> None:
        self._wall, self._cpu = time.perf_counter(), time.process_time()

    def so_far(self) -> tuple[float, float]:
        """Wall and CPU seconds."""
        return self.wall + time.perf_counter() - self._wall, self.cpu + time.process_time() - self._cpu


def live(order: Order, line: Line) -> Outcome:
    """Trains the order's body and evaluates it; leaves genome and policy in the lifetime's folder.

    Raises:
        Exploded: the physics failed in most episodes of the evaluation.
    """
    order.folder.mkdir(parents=True, exist_ok=True)
    if not (order.folder / "genome.json").exists():
        write_atomically(order.folder / "genome.json", order.genome)
    body = find_body(from_json(order.genome))
    env = make(order.task, body, order.worlds, threads=1)
    trainer = Trainer(env, order.ppo, order.steps, order.seed, order.policy)
    curve: list[Point] = []
    spent = Spent()
    if stored := latest_checkpoint(order.folder / CHECKPOINTS):
        tensors, facts = stored
        trainer.load_state(tensors, facts)
        curve = [tuple(point) for point in facts["curve"]]
        spent = Spent(facts["wall_seconds"], facts["cpu_seconds"])
    stints = note_stint(order.folder, trainer.steps)
    line.began(trainer.steps)
    measure = f"episode/{find_task(order.task).fitness_term or 'return'}"
    stopped = _learn(order, line, trainer, curve, spent, measure)
    env.close()
    learned = Learned(
        policy=trainer.policy,
        curve=curve,
        steps=trainer.steps,
        budget=trainer.iterations * trainer.samples,
        episode_steps=env.episode_steps,
        unhealthy_episodes=trainer.unhealthy_episodes,
        stopped_at_rung=stopped,
        stints=stints,
    )
    return judge(order, body, learned, spent.so_far)


def judge(
    order: Order, body: Body, learned: Learned, spent: Callable[[], tuple[float, float]], threads: int = 1
) -> Outcome:
    """Evaluates what a body has learned, always on the CPU; leaves its policy in the lifetime's folder.

    Args:
        order: the lifetime's.
        body: the order's.
        learned: by it.
        spent: wall and CPU seconds of the lifetime, asked for at the end.
        threads: for the physics.

    Raises:
        Exploded: the physics failed in most episodes.
    """
    save_policy(learned.policy, order.folder / POLICY)
    trial_env = make(order.task, body, order.episodes, threads=threads)
    trial = evaluate_with_measures(trial_env, mean_actor(learned.policy), order.evaluation_seed)
    trial_env.close()
    result = trial.result
    if 2 * result.unhealthy > order.episodes:
        raise Exploded(f"the physics failed in {result.unhealthy} of {order.episodes} episodes")
    scores = result.terms.get(find_task(order.task).fitness_term or "return", result.returns)
    if not all(math.isfinite(score) for score in scores):
        raise Exploded("the evaluation gave returns that are not finite")
    spread = interval(scores)
    measures = {**trial.measures, **passive_stability(order.task, body, order.evaluation_seed)}
    limit_reached = learned.steps // order.worlds >= learned.episode_steps
    wall, cpu = spent()
    return Outcome(
        fitness=spread["mean"],
        fitness_std=spread["std"],
        fitness_low=spread["low"],
        fitness_high=spread["high"],
        derl_fitness=derl_fitness([point[2] for point in learned.curve]) if limit_reached else None,
        budget=learned.budget,
        environment_steps=learned.steps,
        stopped_at_rung=learned.stopped_at_rung,
        unhealthy_episodes=learned.unhealthy_episodes + result.unhealthy,
        description=body.description.as_dict(),
        measures=measures,
        versions=versions(),
        curve=learned.curve,
        evaluation=list(zip(result.returns, scores, result.lengths, strict=True)),
        stints=learned.stints,
        wall_seconds=wall,
        cpu_seconds=cpu,
    )


def _learn(order: Order, line: Line, trainer: Trainer, curve: list[Point], spent: Spent, measure: str) -> int | None:
    """Trains to the end, or to the rung that is returned."""
    saved = time.monotonic()
    while not trainer.finished:
        if trainer.steps in order.rungs:
            rung = order.rungs.index(trainer.steps)
            if not line.goes_on(rung, trainer.steps, curve[-1][2]):
                return rung
        metrics = trainer.iterate()
        reward = metrics.get("episode/return")
        curve.append((trainer.steps, reward, metrics.get(measure), metrics.get("episode/length")))
        line.advanced(trainer.steps, reward)
        if time.monotonic() - saved >= order.checkpoint_seconds and not trainer.finished:
            tensors, facts = trainer.state()
            wall, cpu = spent.so_far()
            facts |= {"curve": curve, "wall_seconds": wall, "cpu_seconds": cpu}
            save_checkpoint(order.folder / CHECKPOINTS, trainer.steps, tensors, facts)
            line.saved(trainer.steps)
            saved = time.monotonic()
    return None


def note_stint(folder: Path, steps: int) -> int:
    """Writes down that the lifetime begins or goes on at so many steps; returns how often it has by now."""
    path = folder / STINTS
    lines = path.read_text() if path.exists() else ""
    write_atomically(path, lines + json.dumps({"from_steps": steps, "at": time.time()}) + "\n")
    return lines.count("\n") + 1


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
