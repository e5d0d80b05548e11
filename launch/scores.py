"""What doing nothing, acting at random and PPO score on every task: the experiment of docs/results.md, and its table.

    .venv/bin/python launch/scores.py [FOLDER] [TASK ...]

Each task's policy is trained with the ant for a million steps on one seed; 32 full episodes of each. Three quarters of
an hour on two cores. Stop it whenever you like, it goes on where it was.
"""

import json
import subprocess
import sys
from pathlib import Path

TASKS = (
    *("flat", "variable", "manipulation", "patrol", "point_nav", "obstacle", "escape", "incline", "push_box_incline"),
    *("manipulate_ball", "exploration", "velocity"),
)
PRESETS = {"velocity": "velocity"}
"""Where DERL's hyperparameters are not the customary ones."""
STEPS, EPISODES, SEED = 1_000_000, 32, 0
WHO = ("zero", "random", "trained")


def embodied(*arguments: object) -> None:
    """Runs a command; what it writes stays if it is stopped."""
    subprocess.run([sys.executable, "-m", "embodied", *map(str, arguments)], check=True)


def play(out: Path, task: str) -> None:
    """Trains on one task and evaluates all three."""
    run = out / task
    preset = ["--preset", PRESETS[task]] if task in PRESETS else []
    given = ["--task", task, "--body", "ant", "--steps", STEPS, "--seed", SEED]
    embodied("train", *preset, *given, "--out", run, "--resume")
    for who in WHO:
        file = out / f"{task}-{who}.json"
        if not file.exists():
            given = [run] if who == "trained" else ["--policy", who, "--task", task, "--body", "ant"]
            embodied("eval", *given, "--episodes", EPISODES, "--seed", SEED, "--json", file)


def show(out: Path, tasks: list[str]) -> None:
    """The table: mean return, and the mean of the task's own metrics, of each."""
    print("| task | " + " | ".join(f"{who}: return" for who in WHO) + " | metric: zero, random, trained |")
    print("|---|" + "---|" * (len(WHO) + 1))
    for task in tasks:
        found = [next(iter(json.loads((out / f"{task}-{who}.json").read_text()).values())) for who in WHO]
        returns = [f"{figures['return']['mean']:,.1f} ± {figures['return']['std']:,.1f}" for figures in found]
        named = ", ".join(
            f"{name} " + " / ".join(f"{figures[name]['mean']:,.2f}" for figures in found)
            for name in found[0].get("metrics", ())
        )
        print(f"| {task} | {' | '.join(returns)} | {named} |")


if __name__ == "__main__":
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else "runs/scores")
    chosen = sys.argv[2:] or list(TASKS)
    for name in chosen:
        play(folder, name)
    show(folder, chosen)
