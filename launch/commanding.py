"""Does a skill prior pay? Policies that command one against policies that learn the same task from nothing.

    .venv/bin/python launch/commanding.py FOLDER [PRIOR]

Heading and location on the prior's robot, three seeds each, a million steps of the robot's own either way; without
PRIOR only those from nothing. Makes the table of docs/results.md. A quarter of an hour for each half on two cores. Stop
it whenever you like, it goes on where it was.
"""

import argparse
import subprocess
import sys
from pathlib import Path

from embodied.export.load import find_prior
from embodied.runs.errors import UserError
from embodied.runs.metrics import read_metrics

TASKS, SEEDS, STEPS, EPISODES = ("heading", "location"), (0, 1, 2), 1_000_000, 64
ROBOT = "go1"
WINDOW = 50_000
"""Steps over which returns of episodes are averaged."""


def trained(out: Path, task: str, seed: int, prior: str | None) -> Path:
    """Trains, or goes on; the run's folder."""
    run = out / f"{task}-{'prior' if prior else 'scratch'}-{seed}"
    how = ["--preset", "commanded", "--prior", prior] if prior else ["--preset", "legged"]
    given = ["--task", task, "--body", ROBOT, "--seed", seed, "--steps", STEPS, "--episodes", EPISODES, "--threads", 1]
    command = [sys.executable, "-m", "embodied", "train", *how, *given, "--out", run, "--resume"]
    done = subprocess.run([str(word) for word in command], stdout=subprocess.DEVNULL)
    if done.returncode:  # it has said why
        sys.exit(done.returncode)
    return run


def curve(run: Path) -> list[tuple[float, float]]:
    """Steps, and the mean return of the episodes that ended in the window before."""
    found = [(entry["step"], entry["episode/return"]) for entry in read_metrics(run) if "episode/return" in entry]
    points = []
    for step, _ in found:
        if step >= WINDOW:
            inside = [value for at, value in found if step - WINDOW < at <= step]
            points.append((step, sum(inside) / len(inside)))
    return points


def main() -> None:
    """Trains what is missing and prints what holds."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("folder", type=Path, help="of the runs")
    parser.add_argument("prior", nargs="?", help="run of pretrain ase, prior file, bundle, or name of one that ships")
    given = parser.parse_args()
    out, prior = given.folder, given.prior
    if prior is not None:  # a wrong one is told before anything is trained
        try:
            find_prior(Path(prior))
        except UserError as error:
            parser.error(str(error))
    for task in TASKS:
        for seed in SEEDS:
            trained(out, task, seed, None)
            if prior:
                trained(out, task, seed, prior)
    print("| task | seed | at the end from nothing | at the end with the prior | so much after | share |")
    print("|---|---|---|---|---|---|")
    for task in TASKS:
        for seed in SEEDS:
            end = curve(out / f"{task}-scratch-{seed}")[-1][1]
            line = f"| {task} | {seed} | {end:.0f} |"
            if prior:
                points = curve(out / f"{task}-prior-{seed}")
                reached = next((step for step, value in points if value >= end), None)
                share = "not" if reached is None else f"{reached / STEPS:.2f}"
                line += f" {points[-1][1]:.0f} | {'-' if reached is None else f'{reached:,} steps'} | {share} |"
            print(line)


if __name__ == "__main__":
    main()
