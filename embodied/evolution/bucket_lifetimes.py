"""Lifetimes of one topology lived together on a device: what the worker of a GPU runs. The counterpart of `live`.

Each member's network, noise, statistics and decisions are its own; only the device does the work of all at once. What
they have learned is judged on the CPU, like any other body's, by the same figures on the same episodes.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from importlib.metadata import version
from pathlib import Path

from embodied.envs.bucket_env import BucketEnv
from embodied.envs.device_vector import DeviceVectorEnv
from embodied.evolution.ledger import Outcome, Point
from embodied.evolution.lifetimes import CHECKPOINTS, Exploded, Learned, Line, Order, Spent, judge, note_stint
from embodied.learning.ppo import TrainingDiverged
from embodied.learning.stacked import StackedTrainer
from embodied.runs.checkpoint import latest_checkpoint, save_checkpoint
from embodied.runs.files import write_atomically
from embodied.tasks import find_task
from morphologies import Body, find_body, from_json


@dataclass(frozen=True)
class BucketOrder:
    """All that a worker needs to know of a bucket."""

    id: int
    """That of its first member, whose lifetime no other worker has."""
    members: tuple[Order, ...]
    """Of one topology, and alike in all but genome, seed and folder."""
    device: str
    threads: int
    """For the evaluations on the CPU."""
    folder: Path
    """The bucket's own, for checkpoints."""


@dataclass(frozen=True)
class MemberFailed:
    """A member of a bucket ended in failure, which is no concern of the others."""

    error: str
    steps: int
    """Environment steps that it had made."""


WARNING = "warning/"
"""Before the names, in an outcome's measures, of what the physics warned of while the body learned, in worlds x
control steps of its own."""
HARMLESS = frozenset(("iterations", "ls_iterations", "falsecontact"))
"""Warnings that are no reason to end an episode; see docs/gpu.md."""
Ends = list[Outcome | MemberFailed]
"""What each member of a bucket came to, in their order."""


def live_together(order: BucketOrder, line: Line) -> Ends:
    """Trains a bucket and judges its members; leaves genome and policy of each in its lifetime's folder.

    Raises:
        NotOneModel, UserError: the bodies cannot be held together, or not on the device.
    """
    bodies = [_body_of(member) for member in order.members]
    first = order.members[0]
    env = DeviceVectorEnv(BucketEnv(find_task(first.task), bodies, first.worlds, order.device))
    trainer = StackedTrainer(env, first.ppo, first.steps, [member.seed for member in order.members], first.policy)
    curves: list[list[Point]] = [[] for _ in bodies]
    diverged: list[int | None] = [None for _ in bodies]
    spent = Spent()
    if stored := latest_checkpoint(order.folder / CHECKPOINTS):
        tensors, facts = stored
        trainer.load_state(tensors, facts)
        curves = [[tuple(point) for point in curve] for curve in facts["curves"]]
        diverged = list(facts["diverged_at"])
        spent = Spent(facts["wall_seconds"], facts["cpu_seconds"])
    stints = [note_stint(member.folder, trainer.steps) for member in order.members]
    line.began(trainer.steps * len(bodies))
    _learn(order, line, trainer, curves, diverged, spent)
    warnings = env.world.member_warnings
    env.close()
    share = [seconds / len(bodies) for seconds in spent.so_far()]
    ends: Ends = []
    for number, (member, body, until) in enumerate(zip(order.members, bodies, diverged, strict=True)):
        if until is not None:
            ends.append(MemberFailed("TrainingDiverged: losses are not finite", until))
            continue
        learned = Learned(
            policy=trainer.member(number),
            curve=curves[number],
            steps=trainer.steps,
            budget=trainer.iterations * trainer.samples,
            episode_steps=env.episode_steps,
            unhealthy_episodes=int(trainer.member_metrics[number].get("unhealthy_episodes", 0)),
            stopped_at_rung=None,
            stints=stints[number],
        )
        ends.append(_judged(order, member, body, learned, Spent(*share), warnings[number]))
        line.advanced(trainer.steps * len(bodies), curves[number][-1][1])
    return ends


def _body_of(member: Order) -> Body:
    member.folder.mkdir(parents=True, exist_ok=True)
    if not (member.folder / "genome.json").exists():
        write_atomically(member.folder / "genome.json", member.genome)
    return find_body(from_json(member.genome))


def _learn(
    order: BucketOrder,
    line: Line,
    trainer: StackedTrainer,
    curves: list[list[Point]],
    diverged: list[int | None],
    spent: Spent,
) -> None:
    """Trains to the end.

    Adds to the curves, and notes in ``diverged`` the steps that a member had made when its losses were not finite.
    """
    measure = f"episode/{find_task(order.members[0].task).fitness_term or 'return'}"
    saved = time.monotonic()
    while not trainer.finished:
        try:
            reward = trainer.iterate().get("episode/return")
        except TrainingDiverged:
            diverged[:] = [trainer.steps if steps is None else steps for steps in diverged]
            return
        for number, (curve, metrics) in enumerate(zip(curves, trainer.member_metrics, strict=True)):
            if trainer.diverged[number]:
                diverged[number] = trainer.steps if diverged[number] is None else diverged[number]
                continue
            figures = (metrics.get("episode/return"), metrics.get(measure), metrics.get("episode/length"))
            curve.append((trainer.steps, *figures))
        line.advanced(trainer.steps * len(curves), reward)
        if time.monotonic() - saved >= order.members[0].checkpoint_seconds and not trainer.finished:
            tensors, facts = trainer.state()
            wall, cpu = spent.so_far()
            facts |= {"curves": curves, "diverged_at": diverged, "wall_seconds": wall, "cpu_seconds": cpu}
            save_checkpoint(order.folder / CHECKPOINTS, trainer.steps, tensors, facts)
            line.saved(trainer.steps)
            saved = time.monotonic()


def _judged(
    order: BucketOrder, member: Order, body: Body, learned: Learned, spent: Spent, warnings: dict[str, int]
) -> Outcome | MemberFailed:
    """With where it was lived, and by which engine, among the versions, and among the measures what that warned of."""
    try:
        outcome = judge(member, body, learned, spent.so_far, order.threads)
    except Exploded as error:
        return MemberFailed(f"Exploded: {error}", learned.steps)
    engines = {name: version(name) for name in ("mujoco-warp", "warp-lang")}
    return replace(
        outcome,
        versions={**outcome.versions, **engines, "device": order.device},
        measures={**outcome.measures, **{f"{WARNING}{name}": float(count) for name, count in warnings.items()}},
    )


def harms(ends: Sequence[Outcome | MemberFailed]) -> str:
    """What the physics of bodies warned of and ended episodes for, in words; empty where that was nothing."""
    counts = Counter[str]()
    for outcome in (end for end in ends if isinstance(end, Outcome)):
        for name, count in outcome.measures.items():
            if name.startswith(WARNING) and name.removeprefix(WARNING) not in HARMLESS:
                counts[name.removeprefix(WARNING)] += round(count or 0)
    return ", ".join(f"{name} {count:,}" for name, count in counts.items())
