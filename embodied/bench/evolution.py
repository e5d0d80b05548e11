"""What an evolution costs beside its lifetimes: the driver's work, and what lifetimes spend on writing."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from embodied.bench.setting import Bench, Measure
from embodied.evolution import lifetimes
from embodied.evolution.configuration import EvolveConfig
from embodied.evolution.evolve import Evolution, evolve
from embodied.evolution.ledger import Outcome
from embodied.evolution.lifetimes import Line, Order
from embodied.runs.progress import Progress

WRITERS = ("save_checkpoint", "save_policy", "write_atomically")
"""Of `embodied.evolution.lifetimes`: all that a lifetime writes with."""


@dataclass(frozen=True)
class Overhead(Bench):
    """What an evolution costs beside its lifetimes."""

    lifetimes: int = 12
    """Of the evolution; a quarter of them are initial bodies."""
    steps: int = 250_000
    """Environment steps of one."""
    workers: int = 2
    """Processes."""


def bench_evolution(config: Overhead, progress: Progress) -> dict[str, float]:
    """Runs an evolution in a temporary folder and accounts for its CPU time.

    Returns:
        Seconds of the driver (births, ledger, messages, progress), of writing within lifetimes (checkpoints, policies,
        genomes) and of the workers in all; overhead, the first two as a part of the third, and per lifetime in ms.
    """
    progress.say(f"An evolution of {config.lifetimes} lifetimes of {config.steps:,} steps on {config.workers} workers.")
    chosen = EvolveConfig(
        lifetimes=config.lifetimes,
        population=max(1, config.lifetimes // 4),
        steps=config.steps,
        workers=config.workers,
    )
    with TemporaryDirectory() as place:
        evolution = Evolution(chosen, Path(place))
        began = time.process_time()
        evolve(evolution, progress, live_and_account)
        driver = time.process_time() - began
        finished = evolution.ledger.lifetimes("finished")
        evolution.ledger.close()
        accounts = [json.loads(path.read_text()) for path in Path(place).glob("lifetimes/*/writing.json")]
    workers = sum(row["cpu_seconds"] for row in finished)
    writing = sum(account["cpu_seconds"] for account in accounts)
    return {
        "lifetimes": len(finished),
        "driver_cpu_seconds": driver,
        "writing_cpu_seconds": writing,
        "workers_cpu_seconds": workers,
        "overhead": (driver + writing) / workers,
        "overhead_ms_per_lifetime": 1e3 * (driver + writing) / len(finished),
    }


def evolution_rows(figures: dict[str, float]) -> list[tuple[str, ...]]:
    """As a table."""
    return [
        ("evolution", "CPU s", "of the workers'"),
        ("workers", f"{figures['workers_cpu_seconds']:.1f}", ""),
        *(
            (name, f"{figures[f'{name}_cpu_seconds']:.2f}", f"{_part(figures, name):.2%}")
            for name in ("driver", "writing")
        ),
        ("both, per lifetime", f"{1e-3 * figures['overhead_ms_per_lifetime']:.3f}", f"{figures['overhead']:.2%}"),
    ]


def _part(figures: dict[str, float], name: str) -> float:
    return figures[f"{name}_cpu_seconds"] / figures["workers_cpu_seconds"]


def live_and_account(order: Order, line: Line) -> Outcome:
    """A lifetime as ever, with the CPU time of its writing left in its folder."""
    spent = [0.0]

    def timed(write: Callable[..., Any]) -> Callable[..., Any]:
        def account(*arguments: Any) -> Any:
            began = time.process_time()
            result = write(*arguments)
            spent[0] += time.process_time() - began
            return result

        return account

    plain = {name: getattr(lifetimes, name) for name in WRITERS}
    for name, write in plain.items():
        setattr(lifetimes, name, timed(write))
    try:
        outcome = lifetimes.live(order, line)
    finally:
        for name, write in plain.items():
            setattr(lifetimes, name, write)
    (order.folder / "writing.json").write_text(json.dumps({"cpu_seconds": spent[0]}))
    return outcome


BENCH = Measure(Overhead, bench_evolution, evolution_rows, brief=Overhead(lifetimes=4, steps=50_000))
