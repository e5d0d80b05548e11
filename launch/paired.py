"""Evolution against random search, paired by seed: the experiment of docs/results.md, and its table.

    .venv/bin/python launch/paired.py [FOLDER] [SEED ...]

For each seed both searches begin with the same 16 bodies and have the same budget, 64 lifetimes of 250,000 steps; then
the best body of each is trained again from nothing on three fresh seeds. An hour and a quarter on two cores. Stop it
whenever you like, it goes on where it was.
"""

import json
import math
import subprocess
import sys
from pathlib import Path
from statistics import fmean, stdev

SEARCHES = ("tournament", "random")
FRESH = (1001, 1002, 1003)
QUANTILE = {2: 12.706, 3: 4.303, 4: 3.182, 5: 2.776, 6: 2.571}
"""Student's t, 97.5 %, by number of pairs."""


def embodied(*arguments: object) -> None:
    """Runs a command; what it writes stays if it is stopped."""
    subprocess.run([sys.executable, "-m", "embodied", *map(str, arguments)], check=True)


def live(out: Path, seeds: list[int]) -> None:
    """Evolutions, and trainings of their best bodies."""
    for seed in seeds:
        for search in SEARCHES:
            run = out / f"{search}-{seed}"
            embodied("evolve", "--preset", "hour", "--search", search, "--seed", seed, "--out", run, "--resume")
    for seed in seeds:
        for search in SEARCHES:
            best = out / f"{search}-{seed}" / "best.json"
            for fresh in FRESH:
                again = out / "again" / f"{search}-{seed}-{fresh}"
                embodied("train", "--preset", "hour", "--body", best, "--seed", fresh, "--out", again, "--resume")


def figures(out: Path, seed: int) -> dict[str, dict[str, float]]:
    """By search what the table tells of a seed."""
    file = out / f"paired-{seed}.json"
    runs = [out / f"{search}-{seed}" for search in SEARCHES]
    embodied("report", runs[0], "--beside", runs[1], "--json", file)
    pair = json.loads(file.read_text())["beside"]
    found = {}
    for search, key in zip(SEARCHES, ("run", "beside"), strict=True):
        again = [json.loads((out / "again" / f"{search}-{seed}-{f}" / "evaluation.json").read_text()) for f in FRESH]
        found[search] = {
            "best": pair[key]["best"],
            "median of the last 16": pair[key]["last_16_median"],
            "million steps to pass the initial best": (pair[key]["steps_to_initial_best"] or math.nan) / 1e6,
            "best, trained again": fmean(evaluation["forward"]["mean"] for evaluation in again),
        }
    return found


def show(found: dict[int, dict[str, dict[str, float]]]) -> None:
    """The table, a row per figure and seed, and paired differences with their 95 % interval over seeds."""
    for name in next(iter(found.values()))["random"]:
        print(f"\n{name}\n  seed   evolution      random  difference")
        differences = []
        for seed, by_search in found.items():
            one, other = (by_search[search][name] for search in SEARCHES)
            differences.append(one - other)
            print(f"  {seed:4d}{one:12,.2f}{other:12,.2f}{one - other:12,.2f}")
        if len(differences) in QUANTILE and not any(map(math.isnan, differences)):
            half = QUANTILE[len(differences)] * stdev(differences) / math.sqrt(len(differences))
            print(f"  mean difference {fmean(differences):,.2f}, 95 % interval ± {half:,.2f}")


if __name__ == "__main__":
    place = Path(sys.argv[1] if len(sys.argv) > 1 else "runs/paired")
    chosen = [int(seed) for seed in sys.argv[2:]] or [1, 2, 3]
    live(place, chosen)
    show({seed: figures(place, seed) for seed in chosen})
