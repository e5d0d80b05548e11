"""What a body and its learned controller are like: speed, energy, and whether the body stands without a controller.

DERL's paper reports energy and passive stability; the code that was released measures neither.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from embodied.envs import AutoresetEnv, make
from embodied.learning.evaluate import Actor, Evaluation, evaluate, zero_actor
from morphologies import Body

STAND_SECONDS = 5.0
"""How long a body has to stay up without its motors."""
PUSH_SPEED = 0.5
"""Horizontal velocity that a push gives the root link, m/s; its directions go round the compass."""
MIN_DISTANCE = 0.5
"""Metres; energy per distance means nothing for a body that went less far."""
TRIALS = 16
"""Worlds in which standing is tried."""
FORWARD = "forward"
"""The fitness term of tasks that ask a body to run along x."""
STRIDE_SECONDS = 1.0
"""A way that may turn is made of straight pieces of this duration, so that swaying on the spot is not travelling."""
METRIC = "metric/"
"""What the task's own metrics are named with."""

Term = dict[str, float | None]


@dataclass(frozen=True)
class Trial:
    """An evaluation with the figures that go beyond the reward."""

    result: Evaluation
    measures: Term


def evaluate_with_measures(env: AutoresetEnv, actor: Actor, seed: int) -> Trial:
    """Evaluates, and measures on the way.

    ``distance``: over an episode, m: along x where the task's fitness is the forward velocity, elsewhere the length of
    the way over the ground, in straight pieces of a second. ``speed``: distance over the episode's duration, m/s.
    ``energy``: mechanical work of the motors, Σ |torque · joint velocity| dt, J. ``cost_of_transport``: energy over
    distance and the body's own mass, J/(kg m), None for a body that went less than half a metre. ``metric/…``: what
    the task itself is judged by. Means over episodes.
    """
    entity = env.env.scene.entities[env.env.task.agents[0]]
    robot = entity.view(env.world)
    dt = env.control_dt
    way = _Forward(robot.root_pos) if env.env.task.fitness_term == FORWARD else _Way(robot.root_pos, dt)
    meters: dict[str, Callable[[], Tensor]] = {
        "energy": lambda: robot.joint_power.abs().sum(dim=-1) * dt,
        "distance": way.moved,
    }
    result = evaluate(env, actor, seed, meters)
    distance, energy = _mean(result.meters["distance"]), _mean(result.meters["energy"])
    mass = _mass(env.env.scene.model.body_mass, entity.bodies)
    return Trial(
        result,
        {
            "distance": distance,
            "speed": distance / (dt * _mean(result.lengths)),
            "energy": energy,
            "cost_of_transport": energy / (distance * mass) if distance >= MIN_DISTANCE else None,
            **{f"{METRIC}{name}": _finite(_mean(values)) for name, values in result.metrics.items()},
        },
    )


class _Forward:
    """How far a root link moves along x from step to step."""

    def __init__(self, root_pos: Tensor) -> None:
        self._pos = root_pos
        self._last: Tensor | None = None

    def moved(self) -> Tensor:
        """(W,) m since the last call; nothing at the first."""
        x = self._pos[:, 0].clone()
        moved = torch.zeros_like(x) if self._last is None else x - self._last
        self._last = x
        return moved


class _Way:
    """How a root link's way over the ground grows from step to step: it may also shrink within a piece."""

    def __init__(self, root_pos: Tensor, dt: float) -> None:
        self._pos = root_pos
        self._every = round(STRIDE_SECONDS / dt)
        self._calls = 0
        self._corner, self._last = root_pos[:, :2].clone(), torch.zeros_like(root_pos[:, 0])

    def moved(self) -> Tensor:
        """(W,) m since the last call; nothing at the first."""
        if self._calls == 0:
            self._corner = self._pos[:, :2].clone()
        away = (self._pos[:, :2] - self._corner).norm(dim=-1)
        moved = away - self._last
        self._last = away
        if self._calls and self._calls % self._every == 0:
            self._corner, self._last = self._pos[:, :2].clone(), torch.zeros_like(away)
        self._calls += 1
        return moved


def _mass(masses: np.ndarray, bodies: list[int]) -> float:
    """Of these bodies alone, kg: boxes and balls that are pushed about are not carried."""
    own = np.zeros(len(masses), dtype=bool)
    own[bodies] = True
    return float(np.where(own, masses, 0.0).sum())


def passive_stability(task: str, body: Body, seed: int) -> Term:
    """Share of worlds in which the body does not fall for five seconds with its motors off.

    ``stands``: from the task's own start, on the ground that lies there. ``stands_pushed``: after a push. Gupta et al.
    (2021) call such bodies passively stable; the push is ours.
    """
    env = make(task, body, TRIALS, threads=1)
    found: Term = {"stands": _standing(env, seed, 0.0), "stands_pushed": _standing(env, seed, PUSH_SPEED)}
    env.close()
    return found


@torch.no_grad()
def _standing(env: AutoresetEnv, seed: int, push: float) -> float:
    actor = zero_actor(env.action_space)
    observation, _ = env.reset(seed)
    entity = env.env.scene.entities[env.env.task.agents[0]]
    if push and entity.root == "free":
        angles = torch.linspace(0.0, 2 * math.pi, env.num_worlds + 1, dtype=torch.float64)[:-1]
        entity.view(env.world).root_velocity[:, :2] += push * torch.stack((angles.cos(), angles.sin()), dim=-1)
    up = torch.ones(env.num_worlds, dtype=torch.bool)
    for _ in range(round(STAND_SECONDS / env.control_dt)):
        observation, _, terminated, _, _ = env.step(actor(observation))
        up &= ~terminated
        if not bool(up.any()):
            break
    return float(up.double().mean())


def _mean(values: list[float] | list[int]) -> float:
    return sum(values) / len(values)


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None
