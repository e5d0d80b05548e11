"""``embodied bench``: speed, as ratios from one run."""

from __future__ import annotations

import platform
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from statistics import median
from typing import Any

from embodied.bench.evolution import bench_evolution
from embodied.bench.one_world import bench_one_world
from embodied.bench.peers import stable_baselines3_rate
from embodied.bench.terrain import bench_terrain
from embodied.bench.training import bench_training
from embodied.cli.arguments import parse
from embodied.cli.output import refuse_no_file, write_json
from embodied.evolution.configuration import EvolveConfig
from embodied.evolution.lifetimes import versions
from embodied.learning.limits import refuse_impossible_seed
from embodied.learning.ppo import PPOConfig
from embodied.physics.cpu import usable_cores
from embodied.runs.configuration import require_positive
from embodied.runs.progress import Progress
from embodied.runs.table import aligned

ONE_WORLD_RUNS = 9
TERRAIN_RUNS = 7
FEEDS = ("gymnasium", "dummy", "batched")


@dataclass(frozen=True)
class Bench:
    """Measure speed."""

    task: str = "flat"
    """Registered name."""
    body: str = "ant"
    """Name or genome file."""
    steps: int = 2_000_000
    """Environment steps of the training that is measured whole."""
    worlds: int = 128
    """Worlds stepped together."""
    threads: int | None = None
    """For the physics; all usable cores by default."""
    seed: int = 0
    """Of the training."""
    peer_steps: int = 50_000
    """Environment steps of each of Stable-Baselines3's trainings; 0 leaves them out. They need the extra bench."""
    peer_runs: int = 3
    """How often each of those is run, in turn."""
    lifetimes: int = 12
    """Of an evolution on two workers whose overhead is measured; 0 leaves it out."""
    lifetime_steps: int = 250_000
    """Environment steps of one of them."""
    one_world_steps: int = 5_000
    """Of the one-world Gymnasium door on the flat task, and of a plain numpy environment in turn; 0 leaves them out."""
    terrain_steps: int = 50_000
    """Of the variable task, and of the flat one in turn; 0 leaves them out."""
    json: Path | None = None
    """Write the figures to this file too."""
    ppo: PPOConfig = field(default_factory=PPOConfig)
    """Hyperparameters."""


def run(arguments: list[str]) -> None:
    """The command."""
    given = parse("bench", Bench, arguments, "Speed, as ratios from one run.")
    require_positive(
        given, "steps", "worlds", "threads", "peer_runs", "ppo.rollout_steps", "ppo.minibatch", "ppo.epochs"
    )
    refuse_impossible_seed(given.seed)
    if given.json:
        refuse_no_file(given.json)
    threads = given.threads or usable_cores()
    with Progress("embodied bench") as progress:
        progress.say(
            f"Training {given.body} on {given.task} for {given.steps:,} steps in {given.worlds} worlds on {threads} "
            "threads; the bare engine, a World and an environment repeat every rollout."
        )
        progress.begin(0, "training", given.steps)
        rates = bench_training(
            given.task,
            given.body,
            given.steps,
            given.worlds,
            threads,
            given.ppo,
            given.seed,
            lambda steps, reward: progress.advance(0, min(steps, given.steps), reward),
        )
        figures: dict[str, Any] = {**rates.figures(), "threads": threads, "worlds": given.worlds}
        progress.end(0, f"{figures['environment_steps']:,} steps measured")
        if given.peer_steps and not find_spec("stable_baselines3"):
            progress.say("Stable-Baselines3 is missing and left out; pip install 'embodied[bench]' brings it.")
        elif given.peer_steps:
            peers = _peers(given, progress)
            ours = figures["steps_per_second"]["training"]
            figures["stable_baselines3"] = {
                feed: {"steps_per_second": rate, "ours_times_as_fast": ours / rate} for feed, rate in peers.items()
            }
        if given.lifetimes:
            figures["evolution"] = _evolution(given, progress)
        if steps := given.one_world_steps:
            progress.say(f"The one-world door and a plain numpy environment, {ONE_WORLD_RUNS} runs of {steps:,} steps.")
            figures["one_world"] = bench_one_world(given.body, steps, ONE_WORLD_RUNS, given.seed)
        if steps := given.terrain_steps:
            progress.say(
                f"The variable task, height map and all, and the flat one, {TERRAIN_RUNS} runs of {steps:,} steps."
            )
            figures["terrain"] = bench_terrain(given.body, given.worlds, threads, steps, TERRAIN_RUNS, given.seed)
    figures["machine"] = {"system": platform.system(), "processor": platform.machine(), **versions()}
    _show(figures)
    if given.json:
        write_json(given.json, figures)


def _peers(given: Bench, progress: Progress) -> dict[str, float]:
    rates: dict[str, list[float]] = {feed: [] for feed in FEEDS}
    for number in range(given.peer_runs):
        for feed in FEEDS:
            rate = stable_baselines3_rate(feed, given.task, given.body, given.peer_steps, given.worlds, given.ppo)
            rates[feed].append(rate)
            progress.say(f"Stable-Baselines3, {feed}, run {number + 1}: {rate:,.0f} steps/s")
    return {feed: median(values) for feed, values in rates.items()}


def _evolution(given: Bench, progress: Progress) -> dict[str, float]:
    progress.say(f"An evolution of {given.lifetimes} lifetimes of {given.lifetime_steps:,} steps on two workers.")
    config = EvolveConfig(
        lifetimes=given.lifetimes, population=max(1, given.lifetimes // 4), steps=given.lifetime_steps, workers=2
    )
    return bench_evolution(config, progress)


def _show(figures: dict[str, Any]) -> None:
    rows = [("layer", "steps/s", "of bare", "median rollout")]
    for name, rate in figures["steps_per_second"].items():
        whole, middle = (figures[key].get(name, 1.0) for key in ("ratio_to_bare", "median_ratio_to_bare"))
        rows.append((name, f"{rate:,.0f}", f"{whole:.3f}", f"{middle:.3f}"))
    for feed, peer in figures.get("stable_baselines3", {}).items():
        times = f"ours is {peer['ours_times_as_fast']:.2f} times as fast"
        rows.append((f"Stable-Baselines3, {feed}", f"{peer['steps_per_second']:,.0f}", times, ""))
    if door := figures.get("one_world"):
        rows.append(("plain numpy, one world", f"{door['plain_steps_per_second']:,.0f}", "", ""))
        ratio = f"{door['ratio']:.2f} of plain numpy"
        rows.append(("Gymnasium door, one world", f"{door['door_steps_per_second']:,.0f}", ratio, ""))
    if terrain := figures.get("terrain"):
        for place, rate in terrain["steps_per_second"].items():
            ratio = f"{terrain['ratio_to_flat'][place]:.2f} of flat" if place in terrain["ratio_to_flat"] else ""
            rows.append((place, f"{rate:,.0f}", ratio, ""))
    print(aligned(rows))
    if evolution := figures.get("evolution"):
        print(
            f"evolution: driver and writing take {100 * evolution['overhead']:.2f} % of the workers' CPU time, "
            f"{evolution['overhead_ms_per_lifetime']:.1f} ms a lifetime"
        )
