"""Does a skill prior pay? Policies that command one against policies that learn the same task from nothing.

    .venv/bin/python launch/commanding.py FOLDER [PRIOR]

Heading and location on the prior's robot, three seeds each: a million steps of the robot's own from nothing, half as
many with the prior; without PRIOR only those from nothing. Makes the table of docs/results.md. A quarter of an hour for
each half on one core. Stop it whenever you like, it goes on where it was.
"""

import argparse
import json
import subprocess
import sys
from pathlib import Path

from embodied.export.load import find_prior
from embodied.runs.errors import UserError
from embodied.runs.metrics import read_metrics

TASKS, SEEDS, STEPS, EPISODES = ("heading", "location"), (0, 1, 2), 1_000_000, 64
ROBOT = "go1"
WINDOW = 50_000
"""Steps over which returns of exploring episodes are averaged."""


def trained(out: Path, task: str, seed: int, prior: str | None) -> Path:
    """Trains, or goes on; the run's folder."""
    run = out / f"{task}-{'prior' if prior else 'scratch'}-{seed}"
    how = ["--preset", "commanded", "--prior", prior] if prior else ["--preset", "legged"]
    steps = STEPS // 2 if prior else STEPS
    given = ["--task", task, "--body", ROBOT, "--seed", seed, "--steps", steps, "--episodes", EPISODES, "--threads", 1]
    command = [sys.executable, "-m", "embodied", "train", *how, *given, "--out", run, "--resume"]
    done = subprocess.run([str(word) for word in command], stdout=subprocess.DEVNULL)
    if done.returncode:  # it has said why
        sys.exit(done.returncode)
    return run


def scored(run: Path) -> float:
    """Mean return of full episodes by the mean action, at the end."""
    returns = json.loads((run / "evaluation.json").read_text())["returns"]
    return sum(returns) / len(returns)


def exploring(run: Path, steps: int) -> float:
    """Mean return of the episodes that ended in the window before so many steps."""
    found = [entry for entry in read_metrics(run) if steps - WINDOW < entry["step"] <= steps]
    returns = [entry["episode/return"] for entry in found if "episode/return" in entry]
    return sum(returns) / max(len(returns), 1)


BUDGETS = (200_000, 400_000, 600_000, 800_000, 1_000_000)
"""Of training from nothing; with the prior it is half of each."""


def print_budgets(out: Path) -> None:
    """What one reaches at a budget's end, and the other at half of it; means over the seeds, while exploring."""
    print(
        "\nReturns of exploring episodes at each budget's end, and with the prior at half of it; means of the seeds\n"
    )
    print(f"| task | | {' | '.join(f'{budget / 1e6:g} M' for budget in BUDGETS)} |")
    print("|---|---|" + "---:|" * len(BUDGETS))
    for task in TASKS:
        for how, name, part in (("scratch", "from nothing", 1.0), ("prior", "with the prior, half the steps", 0.5)):
            told = []
            for budget in BUDGETS:
                each = [exploring(out / f"{task}-{how}-{seed}", round(part * budget)) for seed in SEEDS]
                told.append(f"{sum(each) / len(each):.0f}")
            print(f"| {task} | {name} | {' | '.join(told)} |")


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
    print("Returns: of 64 episodes by the mean action at the end (of exploring episodes after half a million steps)\n")
    print("| task | seed | from nothing, 1 M steps | with the prior, 0.5 M steps |")
    print("|---|---|---|---|")
    for task in TASKS:
        for seed in SEEDS:
            runs = [out / f"{task}-{how}-{seed}" for how in ("scratch", "prior")[: 2 if prior else 1]]
            told = [f"{scored(run):.0f} ({exploring(run, STEPS // 2):.0f})" for run in runs]
            print(f"| {task} | {seed} | {' | '.join(told)} |")
    if prior:
        print_budgets(out)


if __name__ == "__main__":
    main()
