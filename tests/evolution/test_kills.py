"""SIGKILL at any moment, of the driver, of a worker, or of both: the evolution completes and counts nothing twice."""

import contextlib
import os
import random
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from tests.evolution.ledger_check import Saved, check_ledger

COMMAND = [
    *(sys.executable, "-c", "from embodied.cli.main import main; main()", "evolve", "--population", "3"),
    *("--worlds", "8", "--episodes", "16", "--seed", "5", "--checkpoint-seconds", "0", "--ppo.rollout-steps", "16"),
    *("--ppo.minibatch", "64", "--ppo.epochs", "1"),
]
SLOW = pytest.mark.slow


class Run:
    """An evolution in processes of its own, that can be killed and taken up again."""

    def __init__(self, folder, lifetimes, steps, workers):
        self.folder = folder
        self._steps = steps
        self._command = [
            *(*COMMAND, "--out", str(folder), "--resume", "--lifetimes", str(lifetimes)),
            *("--steps", str(steps), "--workers", str(workers)),
        ]
        self.process = None

    def go_on(self):
        self.process = subprocess.Popen(
            self._command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, start_new_session=True
        )

    @property
    def workers(self):
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children")
        try:
            pids = [int(pid) for pid in children.read_text().split()]
            return [pid for pid in pids if b"spawn_main" in Path(f"/proc/{pid}/cmdline").read_bytes()]
        except OSError:
            return []

    def kill(self, victims):
        """Kills them, waits until the driver's workers are gone where it was killed too, and returns who it was."""
        workers = self.workers
        if victims != "driver":
            for pid in workers if victims == "both" else random.sample(workers, min(1, len(workers))):
                _kill(pid)
        if victims != "worker":
            self.process.kill()
            self.process.communicate()
            while any(Path(f"/proc/{pid}").exists() for pid in workers):
                time.sleep(0.01)

    def progress(self):
        """The environment steps that stand in its folders: those of the newest checkpoint or of the whole lifetime."""
        return sum(map(self._steps_of, self.folder.glob("lifetimes/[0-9]*")))

    def _steps_of(self, lifetime):
        if (lifetime / "policy.safetensors").exists():
            return self._steps
        return max((int(path.name) for path in lifetime.glob("checkpoints/[0-9]*") if path.name.isdigit()), default=0)

    def wait(self):
        _, errors = self.process.communicate()
        assert self.process.returncode == 0, errors.decode()


def _kill(pid):
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)


def kill_at_random(run, kills, total_steps, seed, victims=("driver", "worker", "both")):
    """
    Kills at random moments of its progress until so many have struck; returns what was on disk at each.

    The moments are drawn in environment steps, one in each of so many equal parts of the first 70 per cent, so that
    they strike on a machine of any speed; some fall earlier, while the processes are still starting.
    """
    rng = random.Random(seed)
    saved = Saved(run.folder)
    run.go_on()
    for strike in range(kills):
        reached = 0.7 * total_steps * (strike + rng.random()) / kills
        patience = rng.uniform(0.0, 8.0)
        victim = rng.choice(victims)
        started = time.monotonic()
        while run.progress() < reached and (time.monotonic() - started < patience):
            time.sleep(0.005)
        while victim == "worker" and not run.workers and run.process.poll() is None:
            time.sleep(0.005)
        if run.process.poll() is not None:
            run.wait()
            raise AssertionError(f"the evolution ended after {strike} kills: it was too short for them")
        run.kill(victim)
        if victim != "worker":
            saved.note()
            run.go_on()
    run.wait()
    return saved


def dump(folder):
    db = sqlite3.connect(f"file:{folder}/ledger.sqlite?mode=ro", uri=True)
    db.row_factory = sqlite3.Row
    times = {"started_at", "finished_at", "wall_seconds", "cpu_seconds", "stints"}
    tables = {
        table: [
            {key: row[key] for key in row.keys() if key not in times}  # noqa: SIM118 - sqlite3.Row
            for row in db.execute(f"SELECT * FROM {table} ORDER BY 1, 2")
        ]
        for table in ("lifetimes", "curves", "evaluations", "rungs")
    }
    db.close()
    return tables


@pytest.mark.parametrize(("kills", "lifetimes", "steps"), [(3, 4, 12_800), pytest.param(50, 30, 60_000, marks=SLOW)])
def test_an_evolution_killed_at_random_moments_completes_and_counts_nothing_twice(tmp_path, kills, lifetimes, steps):
    run = Run(tmp_path / "run", lifetimes, steps, workers=2)
    saved = kill_at_random(run, kills, lifetimes * steps, seed=kills)
    check_ledger(run.folder, lifetimes)
    resumed = saved.check()
    if kills > 10:
        assert resumed > 0


@pytest.mark.parametrize(("kills", "lifetimes", "steps"), [(2, 3, 25_600), pytest.param(10, 8, 60_000, marks=SLOW)])
def test_killed_with_one_worker_ledger_and_weights_are_those_of_a_run_never_killed(tmp_path, kills, lifetimes, steps):
    whole, killed = (Run(tmp_path / name, lifetimes, steps, workers=1) for name in ("whole", "killed"))
    whole.go_on()
    whole.wait()
    kill_at_random(killed, kills, lifetimes * steps, seed=kills)
    assert dump(killed.folder) == dump(whole.folder)
    for number in range(lifetimes):
        one, two = (
            load_file(run.folder / "lifetimes" / f"{number:06d}" / "policy.safetensors") for run in (whole, killed)
        )
        assert all(torch.equal(one[name], two[name]) for name in one | two)
