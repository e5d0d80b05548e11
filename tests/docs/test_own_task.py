"""The page on writing a task, followed to the letter: its code is saved, tested, trained and evolved."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

PAGE = Path(__file__).parents[2] / "docs" / "own-task.md"
EMBODIED = [sys.executable, "-m", "embodied"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("own")
    task, use, test = re.findall(r"```python\n(.*?)```", PAGE.read_text(), flags=re.DOTALL)
    (folder / "approach.py").write_text(task)
    (folder / "use.py").write_text(use)
    (folder / "test_approach.py").write_text(test)
    return folder


def run(folder, *command, status=0):
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == status, done.stderr
    return done.stdout + done.stderr


def test_the_task_is_about_sixty_lines(folder):
    assert len((folder / "approach.py").read_text().splitlines()) <= 80


def test_it_keeps_its_promises(folder):
    assert "1 passed" in run(folder, sys.executable, "-m", "pytest", "-q", "-k", "promises", "test_approach.py")


def test_python_finds_it_and_its_observation_can_be_explained(folder):
    assert "lidar" in run(folder, sys.executable, "use.py")


def test_it_is_trained_and_evaluated_by_the_commands(folder):
    small = ("--steps", "1024", "--worlds", "8", "--episodes", "2", "--ppo.rollout-steps", "32", "--out", "run")
    run(folder, *EMBODIED, "train", "--task", "approach:Approach", *small)
    run(folder, *EMBODIED, "eval", "run", "--episodes", "2", "--json", "figures.json")
    figures = json.loads((folder / "figures.json").read_text())["run"]
    assert figures["left"]["mean"] > 0


def test_workers_of_an_evolution_know_it(folder):
    small = ("--lifetimes", "2", "--population", "2", "--steps", "512", "--worlds", "8", "--episodes", "16")
    run(
        folder,
        *(*EMBODIED, "evolve", "--task", "approach:Approach", *small, "--ppo.rollout-steps", "32", "--workers", "1"),
        *("--out", "evolution"),
    )
    assert (folder / "evolution" / "ledger.sqlite").exists()


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("nowhere:Approach", "no module 'nowhere'"),
        ("approach:Retreat", "no attribute 'Retreat'"),
        ("approach:math", "'module' object is not callable"),
        ("json:JSONDecoder", "no embodied.tasks.Task"),
    ],
)
def test_a_task_that_is_not_there_is_refused_in_a_sentence(folder, name, said):
    output = run(folder, *EMBODIED, "train", "--task", name, "--out", "none", status=2)
    assert said in output
    assert "Traceback" not in output
