"""What the benches of the physics have in common: a policy that walks, the tape of it, and the scene's spec."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import mujoco
import torch

from embodied.bench.physics_tape import BLOCK, Tape, record
from embodied.bench.setting import OnTask
from embodied.envs import make
from embodied.learning.evaluate import mean_actor
from embodied.learning.load import load
from embodied.learning.ppo import PPOConfig
from embodied.learning.trainer import Trainer
from embodied.networks import ActorCritic
from embodied.runs.errors import UserError
from embodied.runs.progress import Progress
from embodied.tasks import Task
from morphologies import Body

SPARE = 4
"""Times the worlds that are wanted are recorded: in some an episode ends."""
LEARNING_WORLDS = 128


@dataclass(frozen=True)
class OnWalk(OnTask):
    """Flags of a bench of a body that walks."""

    policy: Path | None = None
    """Folder of a training, or a policy file, for that task and body; without it one is trained first."""
    learning: int = 1_000_000
    """Environment steps that it is trained for."""
    worlds: int = 32
    """That walk without the end of an episode while they are recorded."""
    warm_up: int = 50
    """Control steps of an episode that are made before: a start is no walk."""
    control_steps: int = 50
    """That are recorded."""


def walker(config: OnWalk, progress: Progress) -> ActorCritic:
    """The policy that walks.

    Raises:
        UserError: a file that is none, or one for another body or task.
    """
    torch.set_num_threads(1)
    worlds = LEARNING_WORLDS if config.policy is None else 1
    env = make(config.task, config.body, worlds, seed=config.seed, threads=config.cores)
    try:
        if config.policy is not None:
            policy = load(config.policy)
            if not policy.shape.fits(env.observation_space, env.action_space):
                raise UserError(f"the policy in {config.policy} is not one for {config.body} on {config.task}")
            return policy
        progress.say(f"PPO of {config.body} on {config.task}, {config.learning:,} environment steps.")
        trainer = Trainer(env, PPOConfig(), config.learning, config.seed, threads=config.cores)
        progress.begin(0, "training", config.learning)
        while not trainer.finished:
            metrics = trainer.iterate()
            progress.advance(0, min(trainer.steps, config.learning), metrics.get("episode/return"))
        progress.end(0, f"{trainer.steps:,} steps learned from")
        return trainer.policy
    finally:
        env.close()


def record_walk(config: OnWalk, policy: ActorCritic, progress: Progress) -> Tape:
    """The tape of a policy's mean actions.

    Raises:
        UserError: a tape too short to be replayed, or a policy that does not stay up for so long.
    """
    if config.control_steps < BLOCK:
        raise UserError(f"--control-steps must be at least {BLOCK}, not {config.control_steps}")
    progress.say(
        f"{config.worlds} worlds of {config.body} on {config.task}, {config.control_steps} control steps each."
    )
    env = make(config.task, config.body, SPARE * config.worlds, seed=config.seed, threads=config.cores)
    try:
        return record(env, mean_actor(policy), config.worlds, config.warm_up, config.control_steps, config.seed)
    finally:
        env.close()


def compose(task: Task, bodies: Mapping[str, Body]) -> mujoco.MjSpec:
    """A fresh spec of the scene of a task that has its arena as ``arena``, as it was compiled."""
    task = copy.deepcopy(task)
    kept = _Kept(task.arena)  # type: ignore[attr-defined]
    task.arena = kept  # type: ignore[attr-defined]
    task.scene(bodies)
    return kept.last


class _Kept:
    """An arena that remembers the spec it gave, to which a scene adds its bodies."""

    def __init__(self, arena: Any) -> None:
        self._arena = arena
        self.last = mujoco.MjSpec()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._arena, name)

    def spec(self) -> mujoco.MjSpec:
        self.last = self._arena.spec()
        return self.last
