"""The commands as people use them, on runs too short to learn anything."""

import json
import os
import shutil
import signal
import subprocess
import sys

import pytest
import safetensors.torch
import torch
import yaml

import embodied
from embodied.cli.main import COMMANDS, main
from tests.cli.test_bad_input import EVOLVE, TRAIN


@pytest.fixture(scope="module")
def evolution(tmp_path_factory):
    folder = tmp_path_factory.mktemp("evolution") / "run"
    main([*EVOLVE, "--out", str(folder)])
    return folder


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_explains_itself(capsys, command):
    with pytest.raises(SystemExit) as stopped:
        main([command, "--help"])
    assert stopped.value.code == 0
    assert "usage: embodied" in capsys.readouterr().out


def test_list_names_tasks_bodies_robots_and_presets(capsys):
    main(["list"])
    said = capsys.readouterr().out
    for word in ("flat", "kangaroo", "go1", "quickstart"):
        assert word in said


@pytest.mark.parametrize(
    ("what", "line"),
    [
        ("tasks", ("point_nav", "ant", "1000")),
        ("bodies", ("kangaroo", "9", "9", "22.8", "kg", "1.12", "m")),
        ("robots", ("walker", "dm_control")),
        ("presets", ("evolve", "quickstart")),
    ],
)
def test_list_says_more_of_each_kind(capsys, what, line):
    main(["list", what])
    said = [tuple(said.split()) for said in capsys.readouterr().out.splitlines()]
    assert any(words[: len(line)] == line for words in said)


def test_an_evolution_leaves_figures_genomes_and_a_policy_that_loads(capsys, evolution, tmp_path):
    main(["report", str(evolution), "--json", str(tmp_path / "figures.json")])
    figures = json.loads((tmp_path / "figures.json").read_text())
    assert figures["lifetimes_finished"] == 2
    assert figures["lifetimes_failed"] == 0
    assert figures["environment_steps"] == 2 * 64
    assert figures["best_fitness"] == figures["initial_best_fitness"]
    assert figures["best_genome"]["format"] == "embodied.genome"
    assert figures["best_derl_fitness"] is None  # no episode could reach its time limit in 16 steps a world
    main(["report", str(evolution)])
    assert "lifetimes finished" in capsys.readouterr().out
    main(["eval", str(evolution), "--episodes", "2", "--json", str(tmp_path / "eval.json")])
    (result,) = json.loads((tmp_path / "eval.json").read_text()).values()
    assert result["return"]["low"] <= result["return"]["mean"] <= result["return"]["high"]
    policy = embodied.load(evolution / "lifetimes" / f"{figures['best_lifetime']:06d}")
    env = embodied.make("flat", evolution / "best.json", num_worlds=3)
    observation, _ = env.reset(seed=0)
    assert policy(observation)[0].mean.shape == (3, *env.action_space.shape)
    env.close()


def test_a_run_repeated_from_its_own_config_is_identical(tmp_path):
    first, second = tmp_path / "first", tmp_path / "second"
    genome = tmp_path / "mine.json"
    main([*EVOLVE, "--out", str(tmp_path / "evolution")])
    shutil.copy(tmp_path / "evolution" / "best.json", genome)
    main([*TRAIN, "--body", str(genome), "--out", str(first)])
    genome.unlink()  # the configuration holds the genome itself
    main(["train", "--config", str(first / "config.yaml"), "--out", str(second)])
    one, two = (safetensors.torch.load_file(folder / "policy.safetensors") for folder in (first, second))
    assert all(torch.equal(one[name], two[name]) for name in one)
    assert yaml.safe_load((first / "config.yaml").read_text()) == yaml.safe_load((second / "config.yaml").read_text())


def test_a_training_killed_at_ten_moments_gives_the_weights_of_one_never_killed(tmp_path):
    """SIGKILL within ten different iterations, some steps into each, and the same command with --resume each time."""
    command = [*TRAIN, "--steps", "1536", "--checkpoint-every", "2", "--out"]  # 24 iterations of 64
    main([*command, str(tmp_path / "whole")])
    killed = tmp_path / "killed"
    deaths = 0
    for death in range(1, 11):
        process = subprocess.Popen(
            [sys.executable, "-c", _KILLED_AT, str(death), *command, str(killed), "--resume"],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            env={**os.environ, "OMP_NUM_THREADS": "1"},
        )
        process.communicate(timeout=120)
        deaths += process.returncode == -signal.SIGKILL
    assert deaths == 10
    main([*command, str(killed), "--resume"])
    one, two = (safetensors.torch.load_file(tmp_path / run / "policy.safetensors") for run in ("whole", "killed"))
    assert all(torch.equal(one[name], two[name]) for name in one)
    lines = [(tmp_path / run / "metrics.jsonl").read_text() for run in ("whole", "killed")]
    assert lines[0] == lines[1]


_KILLED_AT = """
import os, signal, sys
from embodied.cli.main import main
from embodied.learning.trainer import Trainer
# Dies by SIGKILL at a moment that differs from death to death: some steps into an iteration, having passed at least
# one more checkpoint than the last time.
death, arguments = int(sys.argv[1]), sys.argv[2:]
iterate = Trainer.iterate
made = 0
def iterate_and_die(self):
    global made
    if made == 2 + death % 2:
        step, left = self.env.step, [death]
        def step_and_die(actions):
            left[0] -= 1
            if left[0] == 0:
                os.kill(os.getpid(), signal.SIGKILL)
            return step(actions)
        self.env.step = step_and_die
    made += 1
    return iterate(self)
Trainer.iterate = iterate_and_die
main(arguments)
"""


def test_an_interrupted_training_says_how_to_go_on(tmp_path):
    process = subprocess.Popen(
        [sys.executable, "-m", "embodied", *TRAIN, "--steps", "10000000", "--out", str(tmp_path / "run")],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    process.stdout.readline()
    process.send_signal(signal.SIGINT)
    _, error = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "--resume" in error
