"""``embodied bench``: speed, as ratios from one run. With a name one bench whole, without one most of them briefly."""

from __future__ import annotations

import difflib
import platform
from dataclasses import replace
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from embodied.bench.setting import Bench, Measure
from embodied.cli.arguments import parse
from embodied.cli.output import refuse_no_file, write_json
from embodied.evolution.lifetimes import versions
from embodied.learning.limits import refuse_impossible_seed
from embodied.physics.cpu import usable_cores
from embodied.runs.configuration import require_positive
from embodied.runs.errors import UserError
from embodied.runs.progress import Progress
from embodied.runs.table import aligned

BENCHES = {
    "training": "a whole training, and the bare engine, a World and an environment repeating it",
    "vector-envs": "Gymnasium's Ant in our environment, EnvPool and Gymnasium's vector environments",
    "learners": "our PPO, rsl_rl's and Stable-Baselines3's on our environment",
    "lifetimes": "lifetimes side by side, one thread each, against bare engines side by side",
    "one-world": "the one-world Gymnasium door against a plain environment on MuJoCo and numpy",
    "terrain": "the variable task, height map and all, against the flat one",
    "evolution": "what an evolution costs beside its lifetimes",
    "gpu": "on a GPU: the bare captured mujoco_warp step, our environment and PPO, and rsl_rl",
    "tune": "which numbers of worlds, threads and workers are fastest here, and the flags to pass",
    "profile": "where a step of a training goes, by py-spy and torch's profiler",
    "physics-profile": "where a physics step of a walking body goes, by the engine's own timers",
    "physics-options": "what options of the model and solver would save, and how much they change the motion",
    "topologies": "how many bodies of an evolution share a topology, which a GPU can train together",
    "memory": "whether a training's memory grows",
}
COUNTS = (
    *(
        "steps",
        "learning",
        "control_steps",
        "worlds",
        "threads",
        "runs",
        "rounds",
        "rollouts",
        "workers",
        "lifetimes",
        "looks",
        "samples",
        "cores",
    ),
    *("population", "tournament", "batch", "brood"),
    *("ppo.rollout_steps", "ppo.minibatch", "ppo.epochs"),
)
"""Flags that are at least 1, of the benches that have them."""
PEERS = ("gymnasium", "envpool", "rsl-rl-lib", "stable-baselines3", "mujoco-warp")


def run(arguments: list[str]) -> None:
    """The command."""
    if arguments and arguments[0] in BENCHES:
        _run_one(arguments[0], arguments[1:])
        return
    if arguments and not arguments[0].startswith("-"):
        close = difflib.get_close_matches(arguments[0], BENCHES, n=3)
        hint = f"did you mean {' or '.join(close)}?" if close else f"known are {', '.join(BENCHES)}"
        raise UserError(f"there is no bench {arguments[0]!r}; {hint}")
    width = max(map(len, BENCHES))
    names = "\n".join(f"  {name.ljust(width)}  {what}" for name, what in BENCHES.items())
    given = parse(
        "bench",
        Bench,
        arguments,
        "Speed, as ratios from one run. Without a name most of what follows briefly: some two minutes on two cores. "
        f"With one, `embodied bench NAME`, that one whole; `embodied bench NAME --help` has its flags.\n\n{names}",
    )
    _run_all(given)


def _measure(name: str) -> Measure:
    return import_module(f"embodied.bench.{name.replace('-', '_')}").BENCH


def _run_one(name: str, arguments: list[str]) -> None:
    measure = _measure(name)
    given = parse(f"bench {name}", measure.flags, arguments, f"Measures {BENCHES[name]}.")
    _refuse_impossible(given)
    with Progress(f"embodied bench {name}") as progress:
        figures = measure.run(given, progress)
    print(f"\n{aligned(measure.rows(figures))}")
    for line in (*figures.get("commands", ()), *figures.get("files", ())):
        print(line)
    _write(given, {name: figures})


def _run_all(given: Bench) -> None:
    """What cannot be measured here is said and left out."""
    _refuse_impossible(given)
    figures: dict[str, Any] = {}
    with Progress("embodied bench") as progress:
        for name in BENCHES:
            measure = _measure(name)
            if measure.brief is None:
                continue
            try:
                figures[name] = measure.run(replace(measure.brief, json=given.json), progress)
            except UserError as error:
                progress.say(f"{name} is left out: {error}")
    for name, each in figures.items():
        print(f"\n{aligned(_measure(name).rows(each))}")
    _write(given, figures)


def _refuse_impossible(given: Any) -> None:
    if given.json:
        refuse_no_file(given.json)
    for name in COUNTS:
        first = getattr(given, name.partition(".")[0], None)
        for count in first if isinstance(first, tuple) else ():
            if count < 1:
                raise UserError(f"--{name} must be at least 1, not {count}")
        if first is not None and not isinstance(first, tuple):
            require_positive(given, name)
    if (seconds := getattr(given, "seconds", 1.0)) <= 0:
        raise UserError(f"--seconds must be above 0, not {seconds}")
    refuse_impossible_seed(getattr(given, "seed", 0))


def _write(given: Bench, figures: dict[str, Any]) -> None:
    if given.json:
        machine = {"system": platform.system(), "processor": platform.machine(), "cores": usable_cores(), **versions()}
        write_json(given.json, {**figures, "machine": machine | _peers()})


def _peers() -> dict[str, str]:
    found = {}
    for name in PEERS:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found
