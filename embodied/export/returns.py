"""Returns: what full episodes of a task bring to the framework's policy, and to the bundle's own.

The bundle's acts on raw readings, in the framework's task and physics, world by world as on so many robots. Episodes
are the same for all: worlds whose episode is over stay behind, so that what is drawn in the others does not depend on
who fell.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor

from embodied.envs.env import Env
from embodied.export.deployable import Act
from embodied.export.fitting import refuse_other_groups
from embodied.export.raw_readings import given_of, measured_of
from embodied.export.readings import groups_of
from embodied.export.record import ROUNDING, SIGMAS
from embodied.export.run_policy import BundledPolicy
from embodied.learning.threads import linear_algebra_on
from embodied.tasks import Task
from embodied.vector_env import Observation
from morphologies import Body

EPISODES, STEPS = 256, 128_000
"""Full episodes whose mean is kept, as long as they are no more steps than this in all; `FEWEST` otherwise."""
FEWEST = 32

Running = np.ndarray
"""(W,) bool: which episodes are not over yet."""


def recorded_return(play: Callable[[], Task], body: Body, actor: Callable[[int], Act], seed: int) -> dict[str, Any]:
    """What a manifest says of the framework's own mean return.

    Args:
        play: gives the task.
        body: of the robot.
        actor: who acts in so many worlds.
        seed: of the episodes.
    """
    task = play()
    env = Env(task, dict.fromkeys(task.agents, body), max(FEWEST, min(EPISODES, STEPS // task.episode_steps)), seed)
    try:
        first = returns_of(env, _acting(actor(env.num_worlds)), seed)
        noise = torch.Generator().manual_seed(seed)
        again = returns_of(env, _acting(actor(env.num_worlds), noise), seed)
    finally:
        env.close()
    mean = float(first.mean())
    error = float((again - first).std() / np.sqrt(len(first)))
    return {"episodes": len(first), "seed": seed, "mean": mean, "chance": SIGMAS * error / max(abs(mean), 1e-9)}


def bundled_return(policy: BundledPolicy, task: Task, body: Body, told: Mapping[str, Any]) -> float:
    """The mean return of a bundle's policy in as many episodes of the same seed as its manifest tells of.

    Args:
        policy: observes raw readings and decides.
        task: a fresh one.
        body: of the robot.
        told: what `recorded_return` gave.

    Raises:
        BundleError: the task shows something else here than the policy reads.
    """
    env = Env(task, dict.fromkeys(task.agents, body), told["episodes"], told["seed"])
    try:
        refuse_other_groups(groups_of(policy.manifest["networks"]), env.spec.groups, policy.folder)
        return float(returns_of(env, _observing(policy, env), told["seed"]).mean())
    finally:
        env.close()


@torch.no_grad()
@linear_algebra_on(1)
def returns_of(env: Env, act: Callable[[Observation, int, Running], Tensor], seed: int) -> np.ndarray:
    """(W,) One full episode each, to its end or the task's time limit."""
    env.generator.manual_seed(seed)
    env.task.restart()
    observation = env.reset(torch.ones(env.num_worlds, dtype=torch.bool))
    running, total = np.ones(env.num_worlds, dtype=bool), np.zeros(env.num_worlds)
    for step in range(env.task.episode_steps):
        now = env.advance(act(observation, step, running))
        observation = now.observation
        total += np.where(running, now.terms.numpy().sum(axis=0), 0.0)
        running &= ~now.terminated.numpy()
        if not running.any():
            break
    return total


def _acting(act: Act, noise: torch.Generator | None = None) -> Callable[[Observation, int, Running], Tensor]:
    """The framework's own policy; off by `ROUNDING` where there is noise."""

    def chosen(observation: Observation, step: int, running: Running) -> Tensor:
        action = act(observation, step)[0]
        return action if noise is None else action + ROUNDING * (2.0 * torch.rand(action.shape, generator=noise) - 1.0)

    return chosen


def _observing(policy: BundledPolicy, env: Env) -> Callable[[Observation, int, Running], Tensor]:
    """The bundle's own: a policy for each world, from raw readings."""
    robot, task = env.scene.entities[env.task.agents[0]].view(env.world), env.task
    groups = groups_of(policy.manifest["networks"])
    policies = [copy.copy(policy) for _ in range(env.num_worlds)]  # which share their networks
    for each in policies:
        each.reset()
    actions = np.zeros((env.num_worlds, *env.action_space.shape), dtype=np.float32)

    def chosen(observation: Observation, step: int, running: Running) -> Tensor:
        readings = {**measured_of(robot, groups), **given_of(task, robot, observation, groups)}
        for world in running.nonzero()[0]:
            own = policies[world]
            actions[world] = own.decide(own.observe({name: values[world] for name, values in readings.items()}))
        return torch.from_numpy(actions.copy())

    return chosen
