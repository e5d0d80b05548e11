import json
from dataclasses import replace

import pytest

from embodied.bench.training import Training, train_and_repeat
from embodied.cli.bench import BENCHES, _measure
from embodied.cli.main import main
from embodied.learning.ppo import PPOConfig
from embodied.runs.errors import UserError
from tests.bench.silence import Silent


def run(tmp_path, *arguments):
    """The figures that a bench writes."""
    main(["bench", *arguments, "--json", str(tmp_path / "bench.json")])
    return json.loads((tmp_path / "bench.json").read_text())


def test_every_layer_repeats_the_training_bit_for_bit():
    """The replays compare their final states with the training's themselves, and refuse to time anything else."""
    config = Training(steps=512, worlds=8, threads=1, ppo=PPOConfig(rollout_steps=16, minibatch=64))
    rates = train_and_repeat(config, Silent())
    figures = rates.figures()
    assert figures["environment_steps"] == 512
    assert len(rates.bare) == len(rates.world) == len(rates.environment) == len(rates.training) == 4
    assert set(figures["ratio_to_bare"]) == {"world", "environment", "training"}
    assert all(rate > 0 for rate in figures["steps_per_second"].values())


def test_a_bench_writes_its_figures_with_versions(tmp_path, capsys):
    figures = run(tmp_path, "training", "--steps", "64", "--worlds", "4", "--threads", "1", "--ppo.rollout-steps", "8")
    assert figures["machine"]["mujoco"]
    assert figures["machine"]["gymnasium"]
    assert figures["training"]["threads"] == 1
    assert "bare" in capsys.readouterr().out


def test_the_driver_and_writing_are_what_an_evolution_costs(tmp_path):
    evolution = run(tmp_path, "evolution", "--lifetimes", "1", "--steps", "8192", "--workers", "1")["evolution"]
    parts = evolution["driver_cpu_seconds"] + evolution["writing_cpu_seconds"]
    assert evolution["writing_cpu_seconds"] > 0
    assert evolution["overhead"] == parts / evolution["workers_cpu_seconds"]


SMALLEST = {
    "tune": "--samples 32 --worlds 4 --seconds 0.01 --rounds 1 --cores 1",
    "physics-profile": "--learning 1 --worlds 2 --warm-up 2 --control-steps 10 --threads 1",
    "physics-options": "--learning 1 --worlds 2 --warm-up 2 --control-steps 10 --threads 1 --rounds 1 --episodes 0"
    " --only islands",
    "topologies": "--lifetimes 40 --population 8 --batch 8",
    "memory": "--steps 128 --looks 2 --worlds 4 --threads 1 --ppo.rollout-steps 8 --ppo.minibatch 16",
}
"""Flags of benches whose other tests leave the command line out."""


@pytest.mark.parametrize("name", SMALLEST)
def test_a_bench_runs_by_its_name_prints_its_table_and_writes_its_figures(name, tmp_path, capsys):
    figures = run(tmp_path, name, *SMALLEST[name].split())
    assert set(figures) == {name, "machine"}
    rows = _measure(name).rows(figures[name])
    said = [line.split() for line in capsys.readouterr().out.splitlines()]
    for row in rows:
        assert " ".join(row).split() in said


def test_terrain_is_compared_with_level_ground(tmp_path):
    terrain = run(tmp_path, "terrain", "--steps", "64", "--worlds", "4", "--threads", "1", "--runs", "1")["terrain"]
    assert len(terrain["steps_per_second"]) == 3
    assert all(ratio > 0 for ratio in terrain["ratio_to_flat"].values())


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["trainin"], "did you mean training"),
        (["training", "--worlds", "0"], "--worlds must be at least 1"),
        (["vector-envs", "--worlds", "64", "0"], "--worlds must be at least 1"),
        (["tune", "--seconds", "0"], "--seconds must be above 0"),
        (["terrain", "--seed", "-1"], "--seed must lie between"),
        (["one-world", "--json", "."], "is a folder"),
    ],
)
def test_what_cannot_be_measured_is_refused_by_name(arguments, told, capsys):
    with pytest.raises(SystemExit) as exit:
        main(["bench", *arguments])
    assert exit.value.code == 2
    assert told in capsys.readouterr().err


def test_without_a_name_most_are_run_briefly_and_what_cannot_be_is_left_out(tmp_path, capsys, monkeypatch):
    asked = []

    def measure(name):
        def run_it(flags, progress):
            asked.append(flags)
            if name == "gpu":
                raise UserError("no GPU")
            return {"rate": 1.0}

        return replace(_measure(name), run=run_it, rows=lambda figures: [(name, str(figures["rate"]))])

    monkeypatch.setattr("embodied.cli.bench._measure", measure)
    figures = run(tmp_path)
    brief = {name for name in BENCHES if _measure(name).brief is not None}
    assert {"training", "vector-envs", "learners", "lifetimes", "evolution", "gpu"} <= brief
    assert len(asked) == len(brief)
    assert set(figures) == (brief - {"gpu"}) | {"machine"}
    assert "gpu is left out: no GPU" in capsys.readouterr().out


def test_help_names_every_bench(capsys):
    with pytest.raises(SystemExit) as exit:
        main(["bench", "--help"])
    assert exit.value.code == 0
    told = capsys.readouterr().out
    assert all(name in told for name in BENCHES)
