"""Which options of model and solver make the physics of a walking body faster, and how much they change its motion.

A tape of a walk is replayed under each option. Speed is a ratio to the unchanged scene, replayed right before or after;
the median over rounds, in time of the processor, so that what else runs on the machine counts little. The change of
motion is measured three ways: after one control step from recorded states, after many with the recorded controls, and
in full episodes under the policy.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from statistics import median
from typing import Any

import numpy as np

from embodied.bench.physics_changes import BASE, CHANGES, Change, changed, fits
from embodied.bench.physics_setting import OnWalk, compose, record_walk, walker
from embodied.bench.physics_tape import BLOCK, Replay
from embodied.bench.setting import Measure
from embodied.envs import AutoresetEnv, Env
from embodied.envs.make import bodies_of
from embodied.learning.evaluate import evaluate, mean_actor
from embodied.networks import ActorCritic
from embodied.physics.engine_clock import start_engine_clock, stop_engine_clock
from embodied.runs.errors import UserError
from embodied.runs.progress import Progress
from embodied.scenes import Scene
from embodied.tasks import Task, find_task
from morphologies import Body

SHAKEN = 1e-10
"""By which velocities at the start are off where it is measured how fast motions part by themselves, m/s and rad/s."""
TOLERANCE = 1e-6
"""Motion counts as the same where after one control step no velocity differs by this part of the largest."""


@dataclass(frozen=True)
class PhysicsOptions(OnWalk):
    """Flags."""

    rounds: int = 15
    """In which the tape is replayed under each option, and beside it without."""
    episodes: int = 64
    """Full episodes under each option; 0 leaves them out."""
    only: tuple[str, ...] = ()
    """Names of options; all by default."""


def bench_physics_options(config: PhysicsOptions, progress: Progress) -> dict[str, Any]:
    """Speed and change of motion by option; see `physics_options_rows`.

    Raises:
        UserError: an option that there is not, or a policy that does not walk.
    """
    asked = _asked(config.only)
    policy = walker(config, progress)
    tape = record_walk(config, policy, progress)
    task = find_task(config.task)
    bodies = bodies_of(task, config.body)
    replays = {}
    for change in asked:
        if fits(change, tape.decimation, tape.parameters) and (change.spec is None or hasattr(task, "arena")):
            model = changed(change, tape.model, lambda: compose(task, bodies))
            geoms = change.geoms(tape.model) if change.geoms else None
            replays[change] = Replay(tape, model, round(tape.decimation / change.longer), geoms)
    progress.say(f"{len(replays)} options, {config.rounds} rounds.")
    times: dict[str, list[tuple[float, float]]] = {change.name: [] for change in replays}
    for number in range(config.rounds):
        for change, replay in replays.items():
            times[change.name].append(_side_by_side(replays[BASE], replay, change.clock, number % 2 == 0))
    motions = {change.name: motion(replays[BASE], replay) for change, replay in replays.items()}
    played = {}
    if config.episodes:
        playable = [change for change in replays if change.spec is None and not change.clock]
        progress.say(f"{config.episodes} episodes under {len(playable)} options.")
        played = {change.name: _play(config, policy, change) for change in playable}
    return {
        "microseconds": {name: 1e6 * median(pair[1] for pair in pairs) for name, pairs in times.items()},
        "speed": {name: median(base / own for base, own in pairs) for name, pairs in times.items()},
        "motion": motions,
        "unchanged": {name: figures["one"] < TOLERANCE for name, figures in motions.items()},
        "floor": motion(replays[BASE], replays[BASE], SHAKEN),
        "episodes": played,
        "control_dt": tape.decimation * float(tape.model.opt.timestep),
    }


def physics_options_rows(figures: dict[str, Any]) -> list[tuple[str, ...]]:
    """As a table; the last row is how fast motions part that begin ``SHAKEN`` apart."""
    rows: list[tuple[str, ...]] = [
        ("option", "speed", "motion", "one step", f"{BLOCK} steps", "all steps", "return (95 %)", "length", "")
    ]
    said = {change.name: change.said for change in (BASE, *CHANGES)}
    for name, speed in figures["speed"].items():
        moved = "same" if figures["unchanged"][name] else "other"
        row = [name, f"{speed:.3f}", moved, *_moved(figures["motion"][name])]
        if played := figures["episodes"].get(name):
            mean, low, high = (played["return"][key] for key in ("mean", "low", "high"))
            row += [f"{mean:.4g} ({low:.4g} to {high:.4g})", f"{played['length']['mean']:.0f}"]
        else:
            row += ["", ""]
        rows.append((*row, said[name]))
    rows.append((f"shaken by {SHAKEN:g}", "", "", *_moved(figures["floor"]), "", "", "motions part by themselves"))
    return rows


def _moved(figures: Mapping[str, Any]) -> list[str]:
    return ["same bits" if figures["identical"] else f"{figures[key]:.1e}" for key in ("one", "ten", "all")]


def motion(base: Replay, other: Replay, shaken: float = 0.0) -> dict[str, Any]:
    """How far motions part under a changed model.

    Returns:
        ``one``: after one control step from recorded states, the largest difference of a velocity, as a part of the
        state's largest velocity, or of 1 where that is less. ``ten`` and ``all``: after ten control steps and after all
        of the tape, with its controls, the median over worlds of the largest difference of a coordinate, rad and m.
        ``identical``: whether everything came out the same, bit for bit.
    """
    tape = base.tape
    one, ten, identical = [], [], True
    for start in range(0, tape.steps - BLOCK + 1, BLOCK):
        before, after = base.play(start, 1), other.play(start, 1, shaken)
        scale = np.maximum(1.0, np.abs(before[1]).max(axis=1, keepdims=True))
        one.append(float(_finite(after[1] - before[1], scale).max()))
        before, after = base.play(start, BLOCK), other.play(start, BLOCK, shaken)
        ten.append(_middle(after[0] - before[0]))
        identical = identical and all(map(np.array_equal, before, after))
    before, after = base.play(0, tape.steps), other.play(0, tape.steps, shaken)
    return {
        "one": max(one),
        "ten": median(ten),
        "all": _middle(after[0] - before[0]),
        "identical": identical and all(map(np.array_equal, before, after)),
    }


def _finite(difference: np.ndarray, scale: np.ndarray | float = 1.0) -> np.ndarray:
    return np.nan_to_num(np.abs(difference) / scale, nan=np.inf, posinf=np.inf)


def _middle(difference: np.ndarray) -> float:
    return float(np.median(_finite(difference).max(axis=1)))


def _asked(names: tuple[str, ...]) -> list[Change]:
    known = {change.name: change for change in CHANGES}
    if unknown := [name for name in names if name not in known]:
        raise UserError(f"there is no option {', '.join(unknown)}; there are {', '.join(known)}")
    return [BASE, *(known[name] for name in names or known)]


def _side_by_side(base: Replay, other: Replay, clock: bool, first: bool) -> tuple[float, float]:
    """Seconds of a control step of one world, unchanged and changed, of which one is measured right after the other."""
    unchanged = _seconds(base) if first else 0.0
    if clock:
        start_engine_clock()
    changed = _seconds(other)
    stop_engine_clock()
    return (unchanged if first else _seconds(base)), changed


def _seconds(replay: Replay) -> float:
    began = time.process_time()
    steps = replay.whole()
    return (time.process_time() - began) / steps


def _play(config: PhysicsOptions, policy: ActorCritic, change: Change) -> dict[str, Any]:
    """Full episodes in a scene that is changed."""
    task = _with_change(find_task(config.task), change)
    env = AutoresetEnv(Env(task, bodies_of(task, config.body), config.episodes, config.seed, config.cores))
    try:
        return evaluate(env, mean_actor(policy), config.seed).summary()
    finally:
        env.close()


def _with_change(task: Task, change: Change) -> Task:
    """The task, its scenes changed."""
    whole = task.scene

    def scene(bodies: Mapping[str, Body]) -> Scene:
        made = whole(bodies)
        change.model(made.model)
        made.model.opt.timestep *= change.longer
        made.decimation = round(made.decimation / change.longer)
        return made

    task.scene = scene  # type: ignore[method-assign]
    return task


BENCH = Measure(PhysicsOptions, bench_physics_options, physics_options_rows)
