"""What every Task promises over a long play: nothing in it leaves its bounds, whatever the actions."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from embodied.envs import AutoresetEnv, make
from embodied.tasks import Task
from morphologies import Body

EXTREME = 1e3
"""Beyond every limit; the engine clamps controls."""
MAX_UNHEALTHY = 0.01
"""Part of the steps in which physics may fail under actions that no sane policy takes."""


def check_endurance(make_task: Callable[[], Task], body: str | Body | None = None, steps: int = 2000) -> None:
    """Plays four worlds at once, with random, no, largest and absurd actions, and asserts at every step what holds.

    Observations are finite and in their space; reward terms and rewards are finite and agree; episodes end by the
    task's own rules, failed physics, or the time limit, and by nothing else; metrics are finite.

    Args:
        make_task: gives a fresh task each time.
        body: as for `make`.
        steps: control steps.
    """
    env = make(make_task(), body, num_worlds=4, seed=3, threads=1)
    low, high = (torch.from_numpy(bound) for bound in (env.action_space.low, env.action_space.high))
    env.reset()
    generator = torch.Generator().manual_seed(0)
    age = torch.zeros(4, dtype=torch.long)
    unhealthy = 0
    for step in range(steps):
        random = low + (high - low) * torch.rand(len(low), generator=generator)
        swing = torch.where(torch.rand(len(low), generator=generator) < 0.5, low, high)
        # The extremes are held for a while each: a motor that pushes one way is what throws bodies about.
        actions = torch.stack((random, torch.zeros_like(low), high if step // 25 % 2 else low, EXTREME * swing))
        observation, reward, terminated, truncated, info = env.step(actions)
        age += 1
        _check_observation(env, observation)
        _check_observation(env, info["final_obs"])
        total = torch.stack(tuple(info["terms"].values())).sum(dim=0).float()
        assert torch.isfinite(total).all(), "a reward is not finite"
        assert torch.equal(reward, total) or torch.allclose(reward, total), "the reward is not the sum of its terms"
        assert torch.equal(truncated, (age >= env.episode_steps) & ~terminated), "truncated, but not by the time limit"
        done = terminated | truncated
        assert sorted(info["episode"]["world"].tolist()) == done.nonzero().flatten().tolist()
        assert torch.equal(info["episode"]["length"], age[info["episode"]["world"]])
        for name, values in info["episode"]["metrics"].items():
            assert torch.isfinite(values).all(), f"metric {name} is not finite"
        assert not bool((info["unhealthy"] & ~terminated).any()), "a world with failed physics went on"
        unhealthy += int(info["unhealthy"].sum())
        age[done] = 0
    assert unhealthy <= MAX_UNHEALTHY * 4 * steps, f"physics failed in {unhealthy} of {4 * steps} steps"
    env.close()


def _check_observation(env: AutoresetEnv, observation: dict[str, Tensor]) -> None:
    assert observation.keys() == env.observation_space.spaces.keys(), "groups are not those of the space"
    for name, group in observation.items():
        space = env.observation_space[name]
        assert group.dtype == torch.float32
        assert tuple(group.shape) == (4, *space.shape), f"group {name} has another shape than its space"  # type: ignore[misc]
        bounds = (torch.from_numpy(space.low), torch.from_numpy(space.high))  # type: ignore[attr-defined]
        assert bool(((group >= bounds[0]) & (group <= bounds[1])).all()), f"group {name} left its space"
        assert space.shape == (sum(term.size for term in env.observation_spec.groups[name]),), name
