"""Evaluation: full episodes under a fixed policy, with the spread that a mean hides."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

import gymnasium
import numpy as np
import torch
from torch import Tensor

from embodied.learning.threads import linear_algebra_on
from embodied.networks import ActorCritic
from embodied.vector_env import Observation, VectorEnv


class Actor(Protocol):
    """Chooses actions, (W, n)."""

    def __call__(self, observation: Observation) -> Tensor:
        """For observations (W, …) by group."""
        ...


def mean_actor(policy: ActorCritic) -> Actor:
    """Acts by the mean of the policy's distribution."""

    def act(observation: Observation) -> Tensor:
        return policy(observation)[0].mean

    return act


def zero_actor(action_space: gymnasium.spaces.Box) -> Actor:
    """Does nothing."""

    def act(observation: Observation) -> Tensor:
        return torch.zeros(len(next(iter(observation.values()))), *action_space.shape)

    return act


def random_actor(action_space: gymnasium.spaces.Box, seed: int) -> Actor:
    """Draws uniformly from the action space."""
    generator = torch.Generator().manual_seed(seed)
    low, high = torch.from_numpy(action_space.low), torch.from_numpy(action_space.high)

    def act(observation: Observation) -> Tensor:
        worlds = len(next(iter(observation.values())))
        return low + (high - low) * torch.rand(worlds, *action_space.shape, generator=generator)

    return act


@dataclass(frozen=True)
class Evaluation:
    """Figures of full episodes, one entry each."""

    returns: list[float]
    lengths: list[int]
    """Control steps."""
    terms: dict[str, list[float]]
    """Sums of the reward's terms."""
    unhealthy: int
    """Episodes whose physics failed."""
    meters: dict[str, list[float]] = field(default_factory=dict)
    """Sums of what else was read after each step but an episode's last."""
    metrics: dict[str, list[float]] = field(default_factory=dict)
    """The task's own figures at each episode's end."""

    def summary(self) -> dict[str, Any]:
        """Means with 95 % bootstrap intervals, by name; ``metrics`` lists those that are the task's own figures."""
        return {
            "episodes": len(self.returns),
            "return": interval(self.returns),
            "length": interval(self.lengths),
            **{name: interval(values) for name, values in self.terms.items()},
            **{name: interval(values) for name, values in self.metrics.items()},
            "metrics": list(self.metrics),
            "unhealthy": self.unhealthy,
        }


def interval(values: list[float] | list[int], resamples: int = 10_000) -> dict[str, float]:
    """Mean, standard deviation over episodes, and the 95 % percentile-bootstrap interval of the mean."""
    data = np.asarray(values, dtype=float)
    draws = np.random.default_rng(0).choice(data, (resamples, len(data))).mean(axis=1)
    low, high = np.percentile(draws, [2.5, 97.5])
    return {"mean": float(data.mean()), "std": float(data.std()), "low": float(low), "high": float(high)}


@torch.no_grad()
@linear_algebra_on(1)
def evaluate(
    env: VectorEnv, actor: Actor, seed: int, meters: Mapping[str, Callable[[], Tensor]] | None = None
) -> Evaluation:
    """The first episode of every world of the environment, to its end: W full episodes, none cut short.

    Worlds that finish early play on and are not counted again, so that short episodes carry no more weight.

    Args:
        env: is reset.
        actor: chooses its actions.
        seed: of the episodes.
        meters: called after every step, (W,) each.
    """
    observation, _ = env.reset(seed)
    waiting = torch.ones(env.num_worlds, dtype=torch.bool)
    returns, lengths = np.zeros(env.num_worlds), np.zeros(env.num_worlds, dtype=int)
    terms: dict[str, np.ndarray] = {}
    metrics: dict[str, np.ndarray] = {}
    read = {name: np.zeros(env.num_worlds) for name in meters or {}}
    unhealthy = 0
    while bool(waiting.any()):
        observation, _, _, _, info = env.step(actor(observation))
        episode = info["episode"]
        counted = waiting[episode["world"]]
        worlds = episode["world"][counted]
        waiting[worlds] = False
        for name, meter in (meters or {}).items():  # a world that has just ended already stands in its next episode
            read[name] += np.where(waiting, meter(), 0.0)
        if not len(worlds):
            continue
        returns[worlds] = episode["return"][counted]
        lengths[worlds] = episode["length"][counted]
        for name, sums in episode["terms"].items():
            terms.setdefault(name, np.zeros(env.num_worlds))[worlds] = sums[counted]
        for name, values in episode["metrics"].items():
            metrics.setdefault(name, np.zeros(env.num_worlds))[worlds] = values[counted]
        unhealthy += int(info["unhealthy"][worlds].sum())
    return Evaluation(
        returns.tolist(),
        lengths.tolist(),
        {name: values.tolist() for name, values in terms.items()},
        unhealthy,
        {name: values.tolist() for name, values in read.items()},
        {name: values.tolist() for name, values in metrics.items()},
    )
