"""Collecting experience: a policy acting in an environment for one rollout."""

from __future__ import annotations

from dataclasses import dataclass, field

import torch

from embodied.learning.experience import Experience
from embodied.learning.threads import linear_algebra_on
from embodied.networks import ActorCritic, Gaussian, Memory
from embodied.vector_env import Observation, VectorEnv


@dataclass
class Position:
    """Where collection stands between two rollouts."""

    observation: Observation
    memory: Memory


@dataclass
class Episodes:
    """Figures of episodes that ended, in the order in which they did."""

    returns: list[float] = field(default_factory=list)
    lengths: list[int] = field(default_factory=list)
    terms: dict[str, list[float]] = field(default_factory=dict)
    """Sums of each reward term."""
    unhealthy: int = 0
    """How many of them ended because their physics failed."""


@torch.no_grad()
@linear_algebra_on(1)
def collect(
    env: VectorEnv, policy: ActorCritic, experience: Experience, position: Position, generator: torch.Generator
) -> Episodes:
    """Fills the experience with the policy's sampled actions; returns the episodes that ended on the way.

    What the actions add to their means is drawn for the whole rollout at its beginning, and values are computed at its
    end: the policy does not change during it. Linear algebra has one thread: a second one fights the engine's own.
    """
    episodes = Episodes()
    experience.final_values.zero_()
    noise = torch.randn(experience.actions.shape, generator=generator)
    spread = noise.mul_(policy.log_std.exp())
    experience.log_probs.copy_(Gaussian(torch.zeros_like(spread), policy.log_std).log_prob(spread))
    for step in range(experience.steps):
        experience.write_observation(step, position.observation)
        distribution, position.memory = policy(position.observation, position.memory)
        actions = distribution.mean + spread[step]
        position.observation, reward, terminated, truncated, info = env.step(actions)
        experience.write_step(step, actions, reward, terminated, truncated)
        if len(info["episode"]["world"]):
            note_episodes(episodes, info)
            position.memory = policy.clear(position.memory, terminated | truncated)
            if truncated.any():
                _bootstrap(policy, experience, step, info["final_obs"])
    experience.write_observation(experience.steps, position.observation)
    experience.values.copy_(policy.value(policy.normalise(experience.observation)))
    return episodes


def _bootstrap(policy: ActorCritic, experience: Experience, step: int, final: Observation) -> None:
    """An episode cut off by time is worth what was to come: the value of its true last observation."""
    cut = experience.truncated[step].nonzero().squeeze(-1)
    if len(cut):
        last = {name: group[cut] for name, group in final.items()}
        experience.final_values[step, cut] = policy.value(policy.normalise(last))


def note_episodes(episodes: Episodes, info: dict) -> None:
    """Takes in the episodes that ended in a step, from its info."""
    episode = info["episode"]
    episodes.returns += episode["return"].tolist()
    episodes.lengths += episode["length"].tolist()
    for name, sums in episode["terms"].items():
        episodes.terms.setdefault(name, []).extend(sums.tolist())
    episodes.unhealthy += int(info["unhealthy"].sum())
