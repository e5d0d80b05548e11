"""What every SkillPrior promises, seen from the environments that it acts in."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from embodied.envs.latent import LatentEnv
from embodied.networks.policy import PRIVILEGED
from embodied.skills.prior import SkillPrior, StyledPrior

UNMEASURED = (PRIVILEGED, "style")
"""Observation groups that no robot can measure."""


def check_prior(prior: SkillPrior, env: Any, hold: int = 3, steps: int = 30) -> None:
    """Asserts that a prior is frozen, acts world by world, knows its latents, and can be commanded in an environment.

    Args:
        prior: of any kind.
        env: a `VectorEnv` of its robot, on the CPU, with three worlds or more; it is played in.
        hold: control steps that latents are held for.
        steps: latents that are played.
    """
    assert isinstance(prior, SkillPrior)
    assert prior.robot
    assert prior.control_dt == env.control_dt
    assert not set(prior.observation_spec) & set(UNMEASURED), "a decoder reads only what a robot measures"
    for group, terms in prior.observation_spec.items():
        assert env.observation_space[group].shape == (sum(term.size for term in terms),)
    _check_latents(prior)
    _check_decoder(prior, env)
    _check_command(prior, env, hold, steps)


def _check_latents(prior: SkillPrior) -> None:
    one, two = (prior.sample(50, torch.Generator().manual_seed(seed)) for seed in (1, 1))
    assert torch.equal(one, two), "the same generator gives the same latents"
    assert one.shape == (50, *prior.latent_space.shape)
    assert all(prior.latent_space.contains(latent.numpy()) for latent in one), "skills can be said"
    assert torch.allclose(prior.project(one), one, atol=1e-5), "a skill is its own projection"
    said = torch.from_numpy(np.stack([prior.latent_space.sample() for _ in range(50)]))
    for latents in (said, 1e3 * said, torch.zeros_like(said)):
        projected = prior.project(latents)
        assert bool(projected.isfinite().all()), "every command stands for a skill"
        assert torch.allclose(prior.project(projected), projected, atol=1e-5)


def _check_decoder(prior: SkillPrior, env: Any) -> None:
    observation, _ = env.reset(seed=3)
    worlds = env.num_worlds
    latent = prior.sample(worlds, torch.Generator().manual_seed(0))
    memory = prior.initial_memory(worlds)
    shown = {name: group for name, group in observation.items() if name in prior.observation_spec}
    actions, after = prior.decode(shown, latent, memory)
    assert actions.shape == (worlds, *env.action_space.shape)
    assert not actions.requires_grad, "a prior is frozen"
    assert bool(actions.isfinite().all())
    again, _ = prior.decode(shown, latent, memory)
    assert torch.equal(actions, again), "the same input gives the same action"
    turned, _ = prior.decode(
        {name: group.flip(0) for name, group in shown.items()}, latent.flip(0), tuple(part.flip(0) for part in memory)
    )
    assert torch.allclose(turned.flip(0), actions, atol=1e-5), "each world is decided for by itself"
    assert len(after) == len(memory)
    mask = torch.zeros(worlds, dtype=torch.bool)
    mask[0] = True
    for part, old, begun in zip(prior.clear(after, mask), after, memory, strict=True):
        assert torch.equal(part[0], begun[0])
        assert torch.equal(part[1:], old[1:])
    if isinstance(prior, StyledPrior) and "style" in observation:
        window = observation["style"][:, None].expand(-1, prior.window_steps, -1)
        reward = prior.style_reward(window)
        assert reward.shape == (worlds,)
        assert bool((reward >= 0.0).all())


def _check_command(prior: SkillPrior, env: Any, hold: int, steps: int) -> None:
    """Commanded twice from one seed, and once more from the middle, it does the same."""
    commanded = LatentEnv(env, prior, hold)
    latents = prior.sample(steps * env.num_worlds, torch.Generator().manual_seed(2))
    latents = latents.view(steps, env.num_worlds, -1)

    def play(first: int) -> list[torch.Tensor]:
        played = []
        for number in range(first, steps):
            if number == steps // 2:
                stored.update(commanded.state_dict())
            observation, reward, terminated, truncated, info = commanded.step(latents[number])
            assert not bool((terminated & truncated).any()), "an episode either terminated or was truncated"
            assert torch.allclose(reward, torch.stack(tuple(info["terms"].values())).sum(dim=0).float(), atol=1e-5)
            played.append(torch.cat([reward[:, None], *observation.values()], dim=1))
        return played

    stored: dict[str, torch.Tensor] = {}
    commanded.reset(seed=7)
    first = play(0)
    commanded.reset(seed=7)
    second = play(0)
    commanded.load_state_dict(dict(stored))
    third = play(steps // 2)
    assert all(torch.equal(one, two) for one, two in zip(first, second, strict=True)), "one seed, one course"
    assert all(torch.equal(one, two) for one, two in zip(first[steps // 2 :], third, strict=True)), (
        "taking up a stored state changed what followed"
    )
