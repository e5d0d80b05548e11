"""What terrain costs: steps of the variable task, height map and all, against those of the flat one."""

from __future__ import annotations

import time
from statistics import median
from typing import Any

import torch

from embodied.envs import AutoresetEnv, make

FLAT, START, SPREAD = "flat", "variable, at the start", "variable, all along it"
EDGE = 5.0
"""m. Bodies that are spread begin this far from either end of the corridor."""


def bench_terrain(body: str, worlds: int, threads: int, steps: int, runs: int, seed: int = 0) -> dict[str, Any]:
    """Environment steps per second on both grounds, and the variable task's ratio to the flat one's; medians.

    The grounds take turns and get the same random actions. On variable ground bodies begin at the start as episodes
    do, or spread over the whole corridor, in the air above whatever is there.

    Args:
        body: as for `make`.
        worlds: stepped together.
        threads: of the physics.
        steps: environment steps of a run.
        runs: of each ground.
        seed: of episodes and actions.
    """
    variable = make("variable", body, worlds, seed=seed, threads=threads)
    envs = {FLAT: make("flat", body, worlds, seed=seed, threads=threads), START: variable, SPREAD: variable}
    count = max(1, steps // worlds)
    low, high = (torch.from_numpy(bound) for bound in (variable.action_space.low, variable.action_space.high))
    generator = torch.Generator().manual_seed(seed)
    actions = low + (high - low) * torch.rand(count, worlds, len(low), generator=generator)
    rates: dict[str, list[float]] = {place: [] for place in envs}
    for run in range(runs):
        places = list(envs)
        for place in places[run % 3 :] + places[: run % 3]:
            rates[place].append(_rate(envs[place], actions, seed + run, place == SPREAD))
    envs[FLAT].close()
    variable.close()
    return {
        "steps_per_second": {place: median(values) for place, values in rates.items()},
        "ratio_to_flat": {
            place: median(a / b for a, b in zip(rates[place], rates[FLAT], strict=True)) for place in (START, SPREAD)
        },
    }


def _rate(env: AutoresetEnv, actions: torch.Tensor, seed: int, spread: bool) -> float:
    env.reset(seed)
    if spread:
        _spread(env)
    env.step(actions[0])
    began = time.perf_counter()
    for action in actions:
        env.step(action)
    return actions.shape[0] * env.num_worlds / (time.perf_counter() - began)


def _spread(env: AutoresetEnv) -> None:
    task = env.env.task
    robot = env.env.scene.entities[task.agents[0]].view(env.world)
    pose = robot.root_pose
    pose[:, 0] = torch.linspace(EDGE - task.arena.behind, task.arena.ahead - EDGE, env.num_worlds)  # type: ignore[attr-defined]
    pose[:, 2] += task.ground.height(pose[:, None, :2])[:, 0]  # type: ignore[attr-defined]
    everywhere = torch.ones(env.num_worlds, dtype=torch.bool)
    robot.set_root_pose(pose, everywhere)
    env.world.forward(everywhere)
