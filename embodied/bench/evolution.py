"""What an evolution costs beside its lifetimes: the driver's work, and what lifetimes spend on writing."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from embodied.evolution import lifetimes
from embodied.evolution.configuration import EvolveConfig
from embodied.evolution.evolve import Evolution, evolve
from embodied.evolution.ledger import Outcome
from embodied.evolution.lifetimes import Line, Order
from embodied.runs.progress import Progress

WRITERS = ("save_checkpoint", "save_policy", "write_atomically")
"""Of `embodied.evolution.lifetimes`: all that a lifetime writes with."""


def bench_evolution(config: EvolveConfig, progress: Progress) -> dict[str, float]:
    """Runs an evolution in a temporary folder and accounts for its CPU time.

    Returns:
        Seconds of the driver (births, ledger, messages, progress), of writing within lifetimes (checkpoints, policies,
        genomes) and of the workers in all; overhead, the first two as a part of the third, and per lifetime in ms.
    """
    with TemporaryDirectory() as place:
        evolution = Evolution(config, Path(place))
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
