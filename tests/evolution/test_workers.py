"""Workers that crash, hang, grow, or are killed."""

import dataclasses
import os
import signal
import sqlite3
import subprocess
import sys
import time

import pytest
import torch
from safetensors.torch import load_file

from embodied.evolution.evolve import Evolution, evolve
from embodied.evolution.workers import Began, Failed, Finished, Interrupted, Workers
from embodied.runs.progress import Progress
from tests.evolution import misbehaving
from tests.evolution.short import SMALL


def next_of(workers, kinds):
    while True:
        for event in workers.events():
            if isinstance(event, kinds):
                return event


@pytest.fixture
def evolution(tmp_path):
    made = Evolution(dataclasses.replace(SMALL, population=8, lifetimes=8, checkpoint_seconds=0.0), tmp_path)
    yield made
    made.ledger.close()


def test_every_way_to_go_wrong_is_a_failure_of_its_own_kind_and_the_evolution_goes_on(tmp_path):
    config = dataclasses.replace(SMALL, population=8, lifetimes=10, workers=2, patience=25.0, memory=2.0)
    evolution = Evolution(config, tmp_path)
    with Progress("test") as progress:
        evolve(evolution, progress, misbehaving.misbehave)
    rows = evolution.ledger.lifetimes()
    evolution.ledger.close()
    failures = {row["id"]: (row["failure"], row["error"]) for row in rows if row["status"] == "failed"}
    assert {number: kind for number, (kind, _) in failures.items()} == {
        misbehaving.SEGFAULT: "died",
        misbehaving.HANG: "hung",
        misbehaving.GROW: "memory",
        misbehaving.EXIT: "died",
        misbehaving.ERROR: "error",
        misbehaving.KILLED: "died",
    }
    for number, word in {
        misbehaving.SEGFAULT: "SIGSEGV",
        misbehaving.HANG: "25 s",
        misbehaving.GROW: "of the 2.0 it may use",
        misbehaving.EXIT: "exit status 7",
        misbehaving.ERROR: "exploded",
        misbehaving.KILLED: "killed 5 times",
    }.items():
        assert word in failures[number][1]
    assert [row["id"] for row in rows if row["status"] == "finished"] == [0, 7, 8, 9]
    assert {row["parent"] for row in rows[8:]} <= {0, 7, 8}
    assert rows[misbehaving.HANG]["environment_steps"] == 128


def test_a_killed_worker_is_replaced_and_its_lifetime_goes_on_from_its_checkpoint(evolution):
    birth = evolution.next_birth()
    order = dataclasses.replace(evolution.order(birth), steps=128 * 40)
    undisturbed = dataclasses.replace(order, folder=order.folder.with_name("undisturbed"))
    workers = Workers(1)
    workers.submit(undisturbed)
    whole = next_of(workers, Finished).outcome
    workers.submit(order)
    while max((int(p.name) for p in order.folder.glob("checkpoints/[0-9]*")), default=0) < 128 * 20:
        time.sleep(0.005)
    os.kill(workers.pids[0], signal.SIGKILL)
    assert next_of(workers, Interrupted).cause == "signal SIGKILL"
    assert next_of(workers, Began).steps >= 128 * 20
    outcome = next_of(workers, Finished).outcome
    workers.close()
    assert (outcome.fitness, outcome.curve, outcome.measures) == (whole.fitness, whole.curve, whole.measures)
    assert (whole.stints, outcome.stints) == (1, 2)
    one, two = (load_file(folder / "policy.safetensors") for folder in (order.folder, undisturbed.folder))
    assert all(torch.equal(one[name], two[name]) for name in one | two)


def test_an_error_within_a_lifetime_is_reported_with_its_kind(evolution):
    workers = Workers(1)
    workers.submit(dataclasses.replace(evolution.order(evolution.next_birth()), genome="{}"))
    failed = next_of(workers, (Failed, Finished))
    assert failed.failure == "error"
    assert "GenomeError" in failed.error
    workers.close()


def test_workers_that_cannot_start_stop_the_evolution_and_no_body_is_blamed(tmp_path):
    """A script without a guard runs itself again in every worker."""
    script = tmp_path / "script.py"
    script.write_text(
        f"from pathlib import Path\n"
        f"from embodied.evolution.evolve import Evolution, evolve\n"
        f"from embodied.runs.progress import Progress\n"
        f"from tests.evolution.short import SMALL\n"
        f"with Progress('test') as progress:\n"
        f"    evolve(Evolution(SMALL, Path({str(tmp_path)!r})), progress)\n"
    )
    done = subprocess.run(
        [sys.executable, str(script)],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": os.getcwd()},
    )
    assert 'if __name__ == "__main__":' in done.stderr.splitlines()[-1]
    db = sqlite3.connect(tmp_path / "ledger.sqlite")
    assert db.execute("SELECT count(*) FROM lifetimes WHERE status = 'failed'").fetchone() == (0,)
    db.close()
