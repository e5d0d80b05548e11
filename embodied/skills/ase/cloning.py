"""Cloning: a prior's decoder learns from a policy that tracks clips, before anything adversarial begins.

From nothing, an adversarial pre-training takes 10¹⁰ steps (Peng et al., 2022). A policy that tracks the same clips is
learned in 10⁷, but has to be shown a clip all the time. Here it teaches: every clip is given a part of the latents, and
the decoder learns to do under those what the tracking policy would do, in states that it meets when it acts itself
(Ross et al., 2011, "A reduction of imitation learning and structured prediction to no-regret online learning").
"""

from __future__ import annotations

import copy
import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import cast

import torch
from torch import Tensor

from embodied.envs import AutoresetEnv
from embodied.learning.adam import FlatAdam
from embodied.learning.evaluate import Actor
from embodied.learning.ppo import TrainingDiverged
from embodied.learning.threads import linear_algebra_on
from embodied.networks import RunningNormaliser
from embodied.runs.configuration import require_positive
from embodied.runs.errors import UserError
from embodied.skills.ase.cells import Cells
from embodied.skills.ase.networks import SkillDecoder
from embodied.skills.ase.policy import SkillPolicy
from embodied.skills.ase.rehearsal import TEACHER, RehearsalTask
from embodied.vector_env import Observation

PROPRIO = "proprio"


@dataclass(frozen=True)
class CloningConfig:
    """How long the decoder is taught, and how."""

    steps: int = 7_000_000
    """Environment steps that it learns from."""
    led: float = 0.3
    """First part of them in which the teacher acts now and then: always at first, never at its end."""
    rollout_steps: int = 16
    """Control steps between updates."""
    kept: int = 800_000
    """Moments that are kept to learn from."""
    minibatch: int = 2048
    """Moments of a step of learning."""
    updates: int = 24
    """Steps of learning after a rollout."""
    learning_rate: float = 1e-3
    """At first; it falls to a tenth."""
    resting: int = 40
    """Rollouts afterwards in which critic, discriminator and encoder learn while the actor rests: what they say of it
    at first would undo what it was taught."""

    anchor: float = 0.3
    """Weight, later, of the squared distance of actions from those that were taught, in an action's units: adversarial
    learning alone soon gives up clips for movements that are more easily told apart."""

    def check(self) -> None:
        """Raises UserError naming the first field with which nothing can be taught."""
        require_positive(self, "steps", "rollout_steps", "kept", "minibatch", "updates")
        if not 0.0 <= self.led <= 1.0:
            raise UserError(f"--cloning.led must lie between 0 and 1, not {self.led}")
        if not (math.isfinite(self.learning_rate) and self.learning_rate > 0.0):
            raise UserError(f"--cloning.learning-rate must be above 0 and finite, not {self.learning_rate}")
        for name in ("resting", "anchor"):
            if not (math.isfinite(getattr(self, name)) and getattr(self, name) >= 0):
                raise UserError(f"--cloning.{name} must be 0 or above and finite, not {getattr(self, name)}")


def clone(
    env: AutoresetEnv,
    policy: SkillPolicy,
    teacher: Actor,
    cells: Cells,
    config: CloningConfig,
    action_std: float,
    generator: torch.Generator,
    threads: int = 1,
) -> Iterator[dict[str, float]]:
    """Teaches the policy's decoder; gives figures after each update: steps so far, and the error, of an action's unit.

    Args:
        env: plays a `RehearsalTask`.
        policy: its decoder and the decoder's normalisers learn.
        teacher: acts on ``proprio`` and ``goal`` as the tracking policy does.
        cells: which latents stand for which clip.
        config: how long, and how.
        action_std: of the noise that the prior acts with.
        generator: of everything random, but the environment's.
        threads: of torch during updates.
    """
    task = env.env.task
    assert isinstance(task, RehearsalTask)
    worlds, clip_of = env.num_worlds, task.memory["clip"]
    shown = policy.shape.actor_groups[PROPRIO]
    student = copy.deepcopy(policy.decoder)  # an optimiser takes parameters over, and the policy's have one
    optimiser = FlatAdam(list(student.parameters()))
    seen, wanted = torch.zeros(config.kept, shown), torch.zeros(config.kept, policy.shape.actions)
    about = torch.zeros(config.kept, dtype=torch.int64)
    observation, _ = env.reset(int(torch.randint(2**31, (), generator=generator)))
    latent = cells.draw(clip_of, generator)
    led = torch.ones(worlds, dtype=torch.bool)
    rollouts = max(1, math.ceil(config.steps / (worlds * config.rollout_steps)))
    count, errors = 0, 0.0
    for rollout in range(rollouts):
        progress = rollout / rollouts
        lead = max(0.0, 1.0 - progress / config.led) if config.led else 0.0
        fresh = torch.zeros(config.rollout_steps, worlds, shown)
        with torch.no_grad(), linear_algebra_on(1):
            for step in range(config.rollout_steps):
                answer = task.in_units_of_the_prior(teacher(as_taught(observation))).float()
                rows = (count + torch.arange(worlds)) % config.kept
                seen[rows], wanted[rows], about[rows] = observation[PROPRIO], answer, clip_of
                fresh[step] = observation[PROPRIO]
                count += worlds
                own = student(observation, latent)
                noise = action_std * torch.randn(own.shape, generator=generator)
                observation, _, terminated, truncated, _ = env.step(torch.where(led[:, None], answer, own) + noise)
                begun = (terminated | truncated).nonzero().squeeze(-1)
                if len(begun):
                    latent[begun] = cells.draw(clip_of[begun], generator)
                    led[begun] = torch.rand(len(begun), generator=generator) < lead
        cast(RunningNormaliser, student.normalisers[PROPRIO]).update(fresh.flatten(0, 1))
        rate = config.learning_rate * 0.1**progress
        with linear_algebra_on(threads):
            errors = _fit(
                student, optimiser, config, rate, min(count, config.kept), (seen, wanted, about), cells, generator
            )
        yield {"steps": float(min(count, config.steps)), "error": errors, "led": float(led.float().mean())}
    policy.decoder.load_state_dict(student.state_dict())


def as_taught(observation: Observation) -> Observation:
    """What the tracking policy reads of what a rehearsal shows."""
    return {PROPRIO: observation[TEACHER], "goal": observation["goal"]}


def _fit(
    student: SkillDecoder,
    optimiser: FlatAdam,
    config: CloningConfig,
    rate: float,
    filled: int,
    lessons: tuple[Tensor, Tensor, Tensor],
    cells: Cells,
    generator: torch.Generator,
) -> float:
    """Some steps on moments drawn from those kept, each under a latent of its clip's drawn anew; the mean error."""
    seen, wanted, about = lessons
    parameters = optimiser.parameters
    total = 0.0
    for _ in range(config.updates):
        rows = torch.randint(filled, (config.minibatch,), generator=generator)
        latent = cells.draw(about[rows], generator)
        off = student({PROPRIO: seen[rows]}, latent) - wanted[rows]
        loss = off.square().mean()
        for place, gradient in zip(optimiser.gradients, torch.autograd.grad(loss, parameters), strict=True):
            place[...] = gradient.numpy()
        optimiser.step(rate, 1.0)
        total += float(loss.detach())
    mean = total / config.updates
    if not math.isfinite(mean):
        raise TrainingDiverged("the decoder is no longer finite: lower --cloning.learning-rate")
    return math.sqrt(mean)
