"""What terrain costs: steps of the variable task, height map and all, against those of the flat one."""

from __future__ import annotations

import time

import torch

from embodied.envs import AutoresetEnv, make

TASKS = ("flat", "variable")


def bench_terrain(
    body: str, worlds: int, threads: int, steps: int, runs: int, seed: int = 0
) -> dict[str, list[float]]:
    """Environment steps per second of both tasks, one figure per run, the tasks taking turns.

    The same random actions go to both, within the space. Both begin every run from a reset.

    Args:
        body: as for `make`.
        worlds: stepped together.
        threads: of the physics.
        steps: environment steps of a run.
        runs: of each task.
        seed: of episodes and actions.
    """
    envs = {task: make(task, body, worlds, seed=seed, threads=threads) for task in TASKS}
    count = max(1, steps // worlds)
    low, high = (torch.from_numpy(bound) for bound in (envs["flat"].action_space.low, envs["flat"].action_space.high))
    generator = torch.Generator().manual_seed(seed)
    actions = low + (high - low) * torch.rand(count, worlds, len(low), generator=generator)
    rates: dict[str, list[float]] = {task: [] for task in TASKS}
    for run in range(runs):
        order = TASKS if run % 2 == 0 else TASKS[::-1]
        for task in order:
            rates[task].append(_rate(envs[task], actions, seed + run))
    for env in envs.values():
        env.close()
    return rates


def _rate(env: AutoresetEnv, actions: torch.Tensor, seed: int) -> float:
    env.reset(seed)
    env.step(actions[0])
    began = time.perf_counter()
    for action in actions:
        env.step(action)
    return actions.shape[0] * env.num_worlds / (time.perf_counter() - began)
