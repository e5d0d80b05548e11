"""Collecting the experience of M members: nothing in it looks at what the device has computed."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from embodied.learning.stacked.episodes import RecentEpisodes
from embodied.learning.stacked.experience import StackedExperience
from embodied.learning.stacked.policy import StackedPolicy
from embodied.learning.stacked.time_limits import FinalObservations
from embodied.networks.distributions import HALF_LOG_2PI
from embodied.vector_env import Observation, VectorEnv


@torch.no_grad()
def collect(
    env: VectorEnv,
    policy: StackedPolicy,
    experience: StackedExperience,
    final: FinalObservations,
    episodes: RecentEpisodes,
    observation: Observation,
    generators: Sequence[torch.Generator],
) -> Observation:
    """Fills the experience with sampled actions; returns the observation to go on from.

    Counterpart of `embodied.learning.collect.collect`: each member draws its actions' noise for the whole rollout at
    its beginning, from its own generator.
    """
    final.clear()
    for noise, generator in zip(experience.noise, generators, strict=True):
        noise.normal_(generator=generator)
    spread, actions = experience.noise, experience.actions.unflatten(1, (policy.members, -1))
    spread *= policy.log_std.exp()[:, None, None]
    _log_probs(policy, experience)
    for step in range(experience.steps):
        experience.write_observation(step, observation)
        means = policy.means(policy.by_member(observation)).view_as(actions[step])
        torch.add(means, spread[:, step], out=actions[step])
        observation, reward, terminated, truncated, info = env.step(experience.actions[step])
        experience.write_step(step, reward, terminated, truncated)
        final.write(step, truncated, info["final_obs"])
        episodes.write(step, info)
    experience.write_observation(experience.steps, observation)
    experience.normalise(policy)
    values = policy.values(experience.normalised())
    experience.values.view(-1, policy.members, experience.worlds_each).copy_(
        values.unflatten(1, (experience.steps + 1, -1)).transpose(0, 1)
    )
    experience.final_values.copy_(final.values(policy, experience))
    episodes.close_rollout()
    return observation


def _log_probs(policy: StackedPolicy, experience: StackedExperience) -> None:
    """Of the actions, which lie ``noise`` away from their means."""
    log_std = policy.log_std[:, None, None]
    scaled = experience.noise * torch.exp(-log_std)
    constant = log_std.sum(dim=-1) + log_std.shape[-1] * HALF_LOG_2PI
    torch.sub(scaled.square_().sum(dim=-1).mul_(-0.5), constant, out=experience.log_probs)
