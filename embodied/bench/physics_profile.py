"""Where a physics step of a walking body goes, by the engine's own timers, and how much there is to do in it."""

from __future__ import annotations

from typing import Any

import mujoco
import numpy as np

from embodied.bench.physics_setting import OnWalk, record_walk, walker
from embodied.bench.physics_tape import BLOCK, Replay, Tape
from embodied.bench.setting import Measure
from embodied.physics.engine_clock import start_engine_clock, stop_engine_clock
from embodied.runs.progress import Progress

Timer = mujoco.mjtTimer
DISTURBED = 5.0
"""Times the median, from which on a step is left out: another program had its turn in it."""
COUNTED = (
    *("contacts", "rows of dry friction", "rows of limits", "rows of contacts"),
    *("solver iterations", "evaluations in line searches"),
)
NO_SENSOR = int(mujoco.mjtDisableBit.mjDSBL_SENSOR)


def profile_physics(config: OnWalk, progress: Progress) -> dict[str, Any]:
    """Microseconds of a physics step by stage, and counts; see `physics_profile_rows`."""
    return profile_tape(record_walk(config, walker(config, progress), progress))


def profile_tape(tape: Tape, runs: int = 5) -> dict[str, Any]:
    """Of the walk on a tape; medians of runs in which sensing is on and off in turn.

    One world is stepped at a time, all that it needs being in the core's cache; the clock's own readings are in it.
    """
    with_sensors, without, counted = [], [], {}
    start_engine_clock()
    try:
        for run in range(runs):
            for flags, times in ((0, with_sensors), (NO_SENSOR, without))[:: 1 if run % 2 else -1]:
                found, counted = _times(tape, flags)
                times.append(found)
    finally:
        stop_engine_clock()
    sensed, plain = (np.median(times, axis=0) for times in (with_sensors, without))
    return {"microseconds": _parts(sensed, plain), "step": float(sensed[Timer.mjTIMER_STEP]), **counted}


def _times(tape: Tape, flags: int) -> tuple[np.ndarray, dict[str, Any]]:
    """(timers,) Microseconds of a physics step, on the mean, and what was counted."""
    replay = Replay(tape, tape.model, tape.decimation)
    times, rows = [], []
    data = mujoco.MjData(tape.model)
    models = [replay.batch.get_model(world) for world in range(tape.worlds)]
    for model in models:
        model.opt.disableflags |= flags
    for start in range(0, tape.steps, BLOCK):
        replay.batch.state[...] = tape.states[start]
        for world, model in enumerate(models):
            replay.batch.get_data(world, data)
            for controls in tape.controls[start : start + BLOCK, world]:
                data.ctrl[:] = controls
                for _ in range(tape.decimation):
                    data.timer.duration[:] = 0.0
                    mujoco.mj_step(model, data)
                    times.append(data.timer.duration.copy())
                    iterations = int(data.solver_niter[0])
                    searched = int(data.solver.neval[:iterations].sum())
                    rows.append((data.ncon, data.nf, data.nl, data.nefc - data.nf - data.nl, iterations, searched))
    measured = np.array(times)
    whole = measured[:, Timer.mjTIMER_STEP]
    undisturbed = whole < DISTURBED * np.median(whole)
    counts = dict(zip(COUNTED, map(_spread, np.array(rows).T), strict=True))
    return 1e6 * measured[undisturbed].mean(axis=0), {"counts": counts, "physics_steps": len(rows)}


def _parts(times: np.ndarray, plain: np.ndarray) -> dict[str, float]:
    """Stages that do not overlap, in the order of a step; ``plain`` was taken with nothing sensed."""

    def of(name: str, where: np.ndarray = times) -> float:
        return float(where[getattr(Timer, f"mjTIMER_{name}")])

    def beside(where: np.ndarray) -> float:
        staged = sum(of(name, where) for name in ("POSITION", "VELOCITY", "ACTUATION", "CONSTRAINT"))
        return of("FORWARD", where) - staged

    named = ("POS_KINEMATICS", "POS_INERTIA", "COL_BROAD", "COL_NARROW", "POS_MAKE", "POS_PROJECT")
    sensors = max(0.0, beside(times) - beside(plain))
    return {
        "kinematics": of("POS_KINEMATICS"),
        "inertia: composite bodies, factorisation": of("POS_INERTIA"),
        "collision: broad phase": of("COL_BROAD"),
        "collision: mid and narrow phase": of("COL_NARROW"),
        "constraints: making, projection": of("POS_MAKE") + of("POS_PROJECT"),
        "transmission and the rest of the position stage": of("POSITION") - sum(of(name) for name in named),
        "velocities, passive and Coriolis forces": of("VELOCITY"),
        "actuators": of("ACTUATION"),
        "constraint solver": of("CONSTRAINT"),
        "sensors": sensors,
        "smooth acceleration and the rest of forward": beside(times) - sensors,
        "integration": of("ADVANCE"),
        "checks": of("STEP") - of("FORWARD") - of("ADVANCE"),
    }


def _spread(values: Any) -> dict[str, float]:
    data = np.asarray(values)
    return {"mean": float(data.mean()), "p99": float(np.percentile(data, 99)), "most": float(data.max())}


def physics_profile_rows(figures: dict[str, Any]) -> list[tuple[str, ...]]:
    """As a table."""
    step = figures["step"]
    rows: list[tuple[str, ...]] = [("where a physics step goes", "share", "microseconds", "")]
    rows += [(name, f"{time / step:.1%}", f"{time:.2f}", "") for name, time in figures["microseconds"].items()]
    rows += [("all", "", f"{step:.2f}", ""), ("", "", "", ""), ("in a physics step", "mean", "99th percentile", "most")]
    rows += [
        (name, f"{each['mean']:.2f}", f"{each['p99']:.0f}", f"{each['most']:.0f}")
        for name, each in figures["counts"].items()
    ]
    return rows


BENCH = Measure(OnWalk, profile_physics, physics_profile_rows)
