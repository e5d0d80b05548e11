import json

from embodied.bench.training import bench_training
from embodied.cli.main import main
from embodied.learning.ppo import PPOConfig


def test_every_layer_repeats_the_training_bit_for_bit():
    """The replays compare their final states with the training's themselves, and refuse to time anything else."""
    seen = []
    rates = bench_training(
        "flat", "ant", 512, 8, 1, PPOConfig(rollout_steps=16, minibatch=64), 0, lambda *a: seen.append(a)
    )
    figures = rates.figures()
    assert figures["environment_steps"] == 512
    assert len(rates.bare) == len(rates.world) == len(rates.environment) == len(rates.training) == len(seen) == 4
    assert set(figures["ratio_to_bare"]) == {"world", "environment", "training"}
    assert all(rate > 0 for rate in figures["steps_per_second"].values())


def test_bench_writes_its_figures_with_versions(tmp_path):
    main(
        [
            "bench",
            "--steps",
            "256",
            "--worlds",
            "4",
            "--threads",
            "1",
            "--peer-steps",
            "0",
            "--lifetimes",
            "2",
            "--lifetime-steps",
            "8192",
            "--one-world-steps",
            "50",
            "--terrain-steps",
            "64",
            "--json",
            str(tmp_path / "bench.json"),
        ]
    )
    figures = json.loads((tmp_path / "bench.json").read_text())
    assert figures["machine"]["mujoco"]
    assert figures["threads"] == 1
    evolution = figures["evolution"]
    parts = evolution["driver_cpu_seconds"] + evolution["writing_cpu_seconds"]
    assert evolution["writing_cpu_seconds"] > 0
    assert evolution["overhead"] == parts / evolution["workers_cpu_seconds"]
    assert len(figures["terrain"]["steps_per_second"]) == 3
    assert all(ratio > 0 for ratio in figures["terrain"]["ratio_to_flat"].values())
    assert all(figures["one_world"][name] > 0 for name in ("door_steps_per_second", "plain_steps_per_second", "ratio"))


def test_bench_feeds_stable_baselines3_three_ways(tmp_path):
    arguments = ["bench", "--steps", "128", "--worlds", "4", "--threads", "1", "--peer-steps", "64", "--peer-runs", "1"]
    arguments += ["--lifetimes", "0", "--one-world-steps", "0", "--terrain-steps", "0"]
    main([*arguments, "--json", str(tmp_path / "bench.json")])
    peers = json.loads((tmp_path / "bench.json").read_text())["stable_baselines3"]
    assert set(peers) == {"gymnasium", "dummy", "batched"}
