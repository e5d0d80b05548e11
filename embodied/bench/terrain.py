"""What terrain costs: steps of the variable task, height map and all, against those of the flat one."""

from __future__ import annotations

import time
from dataclasses import dataclass
from statistics import median
from typing import Any

import torch

from embodied.bench.setting import Measure, Threaded
from embodied.bench.turns import in_turn
from embodied.envs import AutoresetEnv, make
from embodied.runs.progress import Progress

FLAT, START, SPREAD = "flat", "variable, at the start", "variable, all along it"
EDGE = 5.0
"""m. Bodies that are spread begin this far from either end of the corridor."""


@dataclass(frozen=True)
class Terrain(Threaded):
    """What terrain costs: the variable task, height map and all, against the flat one."""

    body: str = "ant"
    """Name, genome file or robot's file."""
    worlds: int = 128
    """Worlds stepped together."""
    steps: int = 50_000
    """Environment steps of a run."""
    runs: int = 7
    """Of each ground, in turn."""


def bench_terrain(config: Terrain, progress: Progress) -> dict[str, Any]:
    """Environment steps a second on both grounds, and their part of the flat task's; medians.

    The grounds get the same random actions. On variable ground bodies begin at the start as episodes do, or spread over
    the whole corridor, in the air above whatever is there.
    """
    progress.say(
        f"The variable task, height map and all, and the flat one, {config.body} in {config.worlds} worlds "
        f"{config.on_threads}, {config.runs} runs of {config.steps:,} steps."
    )
    torch.set_num_threads(1)
    flat, variable = (
        make(task, config.body, config.worlds, seed=config.seed, threads=config.cores) for task in ("flat", "variable")
    )
    count = max(1, config.steps // config.worlds)
    low, high = (torch.from_numpy(bound) for bound in (variable.action_space.low, variable.action_space.high))
    generator = torch.Generator().manual_seed(config.seed)
    actions = low + (high - low) * torch.rand(count, config.worlds, len(low), generator=generator)
    rates = in_turn(
        {
            FLAT: lambda: _rate(flat, actions, config.seed, False),
            START: lambda: _rate(variable, actions, config.seed, False),
            SPREAD: lambda: _rate(variable, actions, config.seed, True),
        },
        config.runs,
    )
    flat.close()
    variable.close()
    medians = {place: median(values) for place, values in rates.items()}
    ratios = {p: median(a / b for a, b in zip(rates[p], rates[FLAT], strict=True)) for p in (START, SPREAD)}
    return {"steps_per_second": medians, "ratio_to_flat": ratios}


def terrain_rows(figures: dict[str, Any]) -> list[tuple[str, ...]]:
    """As a table."""
    ratios = figures["ratio_to_flat"]
    return [
        ("ground", "steps/s", "of flat"),
        *((p, f"{r:,.0f}", f"{ratios.get(p, 1.0):.2f}") for p, r in figures["steps_per_second"].items()),
    ]


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


BENCH = Measure(Terrain, bench_terrain, terrain_rows, brief=Terrain(steps=20_000, runs=3))
