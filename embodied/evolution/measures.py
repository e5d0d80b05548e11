"""What a body and its learned controller are like: speed, energy, and whether the body stands without a controller.

DERL's paper reports energy and passive stability; the code that was released measures neither.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

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

Term = dict[str, float | None]


@dataclass(frozen=True)
class Trial:
    """An evaluation with the figures that go beyond the reward."""

    result: Evaluation
    measures: Term


def evaluate_with_measures(env: AutoresetEnv, actor: Actor, seed: int) -> Trial:
    """Evaluates, and measures on the way.

    ``distance``: forward over an episode, m. ``speed``: distance over the episode's duration, m/s. ``energy``:
    mechanical work of the motors, Σ |torque · joint velocity| dt, J. ``cost_of_transport``: energy over distance and
    mass, J/(kg m), None for a body that went less than half a metre. Means over episodes.
    """
    robot = env.env.scene.entities[env.env.task.agents[0]].view(env.world)
    dt = env.control_dt
    start: list[Tensor] = []

    def forward() -> Tensor:
        x = robot.root_pos[:, 0].clone()
        moved = x - start[-1] if start else torch.zeros_like(x)
        start[:] = [x]
        return moved

    meters: dict[str, Callable[[], Tensor]] = {
        "energy": lambda: robot.joint_power.abs().sum(dim=-1) * dt,
        "distance": forward,
    }
    result = evaluate(env, actor, seed, meters)
    distance, energy = _mean(result.meters["distance"]), _mean(result.meters["energy"])
    mass = float(env.env.scene.model.body_mass.sum())
    return Trial(
        result,
        {
            "distance": distance,
            "speed": distance / (dt * _mean(result.lengths)),
            "energy": energy,
            "cost_of_transport": energy / (distance * mass) if distance >= MIN_DISTANCE else None,
        },
    )


def passive_stability(task: str, body: Body, seed: int) -> Term:
    """Share of worlds in which the body does not fall for five seconds with its motors off.

    ``stands``: from the task's own start. ``stands_pushed``: after a push. Gupta et al. (2021) call such bodies
    passively stable; the push is ours.
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
