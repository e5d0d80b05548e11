"""Our environment against EnvPool and Gymnasium's vector environments, all of them playing Gymnasium's Ant.

Everyone steps under the same random actions, observation, reward and resets included. Ours is replayed from a tape, as
is the bare engine, which makes the same simulation and nothing else. EnvPool's and Gymnasium's steps that only reset a
world are not counted as steps.
"""

from __future__ import annotations

import multiprocessing
import time
from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any

import gymnasium
import numpy as np
import torch

from embodied.bench.gymnasium_ant import gymnasium_ant
from embodied.bench.replay import BareReplay, EnvReplay, Recorder
from embodied.bench.setting import Measure, Threaded
from embodied.bench.turns import compared, in_turn, rows_of
from embodied.runs.progress import Progress

OURS = "ours"
FORCES = {"105 numbers (Ant-v5)": True, "27 numbers (Ant-v4)": False}
"""With contact forces in observation and reward, as the Ant-v5 of both; and without, as EnvPool's Ant-v4."""
GYMNASIUM_WORLDS = 16
"""Of Gymnasium's vector environments: more do not make them faster."""
GYMNASIUM_SHARE = 4
"""They are slow, and get one step in so many."""


@dataclass(frozen=True)
class VectorEnvs(Threaded):
    """Gymnasium's Ant in our environment, EnvPool and Gymnasium's vector environments."""

    worlds: tuple[int, ...] = (64, 256)
    """Numbers of worlds of ours and of EnvPool."""
    steps: int = 12_800
    """Environment steps of one run."""
    runs: int = 7
    """Of each, in turn."""


def bench_vector_envs(config: VectorEnvs, progress: Progress) -> dict[str, Any]:
    """Medians and ratios by observation and number of worlds."""
    torch.set_num_threads(1)
    if not find_spec("envpool"):
        progress.say("EnvPool is missing and left out; pip install 'embodied[bench]' brings it where it is built.")
    figures: dict[str, Any] = {}
    for name, contact_forces in FORCES.items():
        for worlds in config.worlds:
            progress.say(f"Gymnasium's Ant, {name}, {worlds} worlds, rounds of all in turn:")
            contenders, close = _contenders(config, worlds, contact_forces)
            try:
                rates = in_turn(contenders, config.runs, progress.say)
            finally:
                close()
            figures[f"{name}, {worlds} worlds"] = compared(rates, OURS)
    return figures


def vector_envs_rows(figures: dict[str, Any]) -> list[tuple[str, ...]]:
    """As a table."""
    rows: list[tuple[str, ...]] = [("Gymnasium's Ant", "", "steps/s", "ours times as fast")]
    for setting, each in figures.items():
        rows += [(setting if number == 0 else "", *row) for number, row in enumerate(rows_of(each, OURS))]
    return rows


def _contenders(
    config: VectorEnvs, worlds: int, contact_forces: bool
) -> tuple[dict[str, Callable[[], float]], Callable[[], None]]:
    """What runs once and gives its rate, by name; and what closes them."""
    count = max(1, config.steps // worlds)
    rng = np.random.default_rng(config.seed)
    actions = rng.uniform(-1.0, 1.0, (count, worlds, 8))
    env = gymnasium_ant(worlds, config.seed, config.cores, contact_forces)
    recorder = Recorder(env)
    recorder.reset(config.seed)
    for action in actions:
        recorder.step(torch.from_numpy(action.astype(np.float32)))
    tape = recorder.rewind()
    bare = BareReplay(env.env.scene.model, worlds, env.world.threads, env.decimation)
    replay = EnvReplay(env)
    contenders: dict[str, Callable[[], float]] = {
        "bare mujoco.batch": lambda: count * worlds / bare.run(tape),
        OURS: lambda: count * worlds / replay.run(tape),
    }
    others: list[Any] = [env]
    if find_spec("envpool"):
        import envpool

        name = "Ant-v5" if contact_forces else "Ant-v4"
        pool = envpool.make_gymnasium(name, num_envs=worlds, num_threads=config.cores, seed=config.seed)
        others.append(pool)
        contenders["EnvPool"] = lambda: _rate(pool, actions)
    if contact_forces:
        multiprocessing.set_forkserver_preload(["gymnasium.envs.mujoco.ant_v5"])
        few = rng.uniform(-1.0, 1.0, (max(1, config.steps // GYMNASIUM_SHARE // GYMNASIUM_WORLDS), GYMNASIUM_WORLDS, 8))
        for mode, chosen in {"sync": {}, "async": {"context": "forkserver"}}.items():
            vector = gymnasium.make_vec("Ant-v5", GYMNASIUM_WORLDS, mode, vector_kwargs=chosen)
            others.append(vector)
            contenders[f"Gymnasium {mode}, {GYMNASIUM_WORLDS} worlds"] = lambda vector=vector: _rate(vector, few)

    def close() -> None:
        for other in others:
            other.close()

    return contenders, close


def _rate(envs: Any, actions: np.ndarray) -> float:
    """Steps a second of a vector environment that resets a world in the step after its episode's last."""
    envs.reset()
    resets = 0
    began = time.perf_counter()
    for action in actions:
        _, _, terminated, truncated, _ = envs.step(action)
        resets += np.count_nonzero(terminated | truncated)
    return (actions.shape[0] * actions.shape[1] - resets) / (time.perf_counter() - began)


BENCH = Measure(VectorEnvs, bench_vector_envs, vector_envs_rows, brief=VectorEnvs(steps=6_400, runs=3))
