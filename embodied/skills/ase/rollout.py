"""A rollout under latents: worlds follow theirs until it is resampled, and what they did is kept with it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from embodied.learning.collect import Episodes, note_episodes
from embodied.learning.experience import Experience
from embodied.networks import Gaussian
from embodied.skills.ase.latents import LatentSchedule
from embodied.skills.ase.policy import STYLE, SkillPolicy
from embodied.skills.ase.windows import LatestWindows, Past
from embodied.vector_env import Observation, VectorEnv


class SkillRollout:
    """T steps in W worlds, preallocated."""

    def __init__(self, steps: int, env: VectorEnv, policy: SkillPolicy) -> None:
        shape, worlds = policy.shape, env.num_worlds
        self.experience = Experience(steps, worlds, env.observation_space, env.action_space)
        """Its rewards are the environment's until the learner puts its own in their place."""
        self.latents = torch.zeros(steps + 1, worlds, shape.latent)
        """(T + 1, W, L) That each step was made under; the last row is what comes next."""
        self.windows = torch.zeros(steps, worlds, shape.window, shape.style_features)
        """(T, W, window, F) After each step; where an episode ended, up to its end."""
        self.noisy = torch.zeros(steps, worlds, dtype=torch.bool)
        """(T, W) Where the action was drawn; it is the mean elsewhere."""
        self.resampled = torch.zeros(steps, worlds, dtype=torch.bool)
        """(T, W) Where a latent was over after the step although its episode goes on."""


@dataclass
class Standing:
    """Where collection stands between two rollouts."""

    observation: Observation
    windows: LatestWindows
    schedule: LatentSchedule


@torch.no_grad()
def collect_skills(
    env: VectorEnv,
    policy: SkillPolicy,
    rollout: SkillRollout,
    standing: Standing,
    past: Callable[[Tensor], Past],
    noise: Tensor,
    action_std: float,
) -> Episodes:
    """Fills the rollout; returns the episodes that ended on the way.

    Where a latent is over, the skill's episode is: what comes after is valued as if the latent had gone on, and no
    advantage reaches across. (ASE values it so, too, but lets its advantages mix skills.)

    Args:
        env: with a group ``style``.
        policy: acts.
        rollout: is overwritten, with the values of what was seen too.
        standing: is carried on.
        past: of worlds (k,) whose episodes have just begun.
        noise: (T, W, n) standard normal; `SkillRollout.noisy` says where it counts.
        action_std: of actions about their means.
    """
    experience, schedule = rollout.experience, standing.schedule
    experience.final_values.zero_()
    spread = noise * action_std * rollout.noisy[..., None]
    log_std = torch.full((spread.shape[-1],), action_std).log()
    experience.log_probs.copy_(Gaussian(torch.zeros_like(spread), log_std).log_prob(spread))
    episodes = Episodes()
    for step in range(experience.steps):
        experience.write_observation(step, standing.observation)
        rollout.latents[step] = schedule.latent
        actions = policy.decoder(standing.observation, schedule.latent) + spread[step]
        standing.observation, reward, terminated, truncated, info = env.step(actions)
        experience.write_step(step, actions, reward, terminated, truncated)
        final = info["final_obs"]
        standing.windows.push(final[STYLE])
        rollout.windows[step] = standing.windows.frames
        ended = terminated | truncated
        if len(info["episode"]["world"]):
            note_episodes(episodes, info)
            _bootstrap(policy, rollout, step, final, truncated)
            worlds = ended.nonzero().squeeze(-1)
            standing.windows.begin(worlds, standing.observation[STYLE][worlds], past(worlds))
        rollout.resampled[step] = schedule.advance(ended)
    experience.write_observation(experience.steps, standing.observation)
    rollout.latents[experience.steps] = schedule.latent
    _value(policy, rollout)
    return episodes


def _bootstrap(policy: SkillPolicy, rollout: SkillRollout, step: int, final: Observation, truncated: Tensor) -> None:
    """An episode cut off by time is worth what was to come."""
    cut = truncated.nonzero().squeeze(-1)
    if len(cut):
        last = {name: group[cut] for name, group in final.items()}
        value = policy.value(policy.normalise(last), rollout.latents[step, cut])
        rollout.experience.final_values[step, cut] = value


def _value(policy: SkillPolicy, rollout: SkillRollout) -> None:
    """Values of all that was seen; and where a latent was over, of what came next under it."""
    experience, resampled = rollout.experience, rollout.resampled
    seen = policy.normalise(experience.observation)
    experience.values.copy_(policy.value(seen, rollout.latents))
    if resampled.any():
        after = {name: group[1:][resampled] for name, group in seen.items()}
        experience.final_values[resampled] = policy.value(after, rollout.latents[:-1][resampled])
    experience.truncated |= resampled
