"""Trainings on a device, by Warp's CPU device: stored, taken up, moved, evaluated, and refused where there is none."""

import json

import pytest
import torch

pytest.importorskip("mujoco_warp", reason="needs the extra gpu")

import embodied
from embodied.cli import train as command
from embodied.cli import training_loop
from embodied.cli.main import main
from embodied.physics.devices import is_gpu_world
from embodied.runs.checkpoint import latest_checkpoint
from embodied.runs.configuration import find_preset, read_config

SMALL = ("--worlds", "4", "--ppo.rollout-steps", "8", "--ppo.minibatch", "16", "--episodes", "2")
EACH = 4 * 8
"""Steps of a rollout."""


def train(folder, rollouts, *flags, device="warp-cpu"):
    main(["train", "--device", device, "--steps", str(rollouts * EACH), "--out", str(folder), *SMALL, *flags])


def metrics(folder):
    return [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    folder = tmp_path_factory.mktemp("trained") / "run"
    train(folder, 4)
    return folder


def test_it_leaves_what_a_training_on_the_cpu_leaves(trained):
    rows = metrics(trained)
    assert [row["step"] for row in rows] == [EACH * n for n in range(1, 5)]
    assert rows[-1]["updates"] > 0
    assert rows[-1]["env/rewards_not_finite"] == rows[-1]["env/worlds_broken"] == 0
    policy = embodied.load(trained)
    assert all(tensor.device.type == "cpu" for tensor in policy.state_dict().values())
    assert json.loads((trained / "evaluation.json").read_text())["episodes"] == 2


def test_stopped_after_a_checkpoint_and_resumed_it_gives_the_weights_of_one_never_stopped(
    trained, tmp_path, monkeypatch
):
    save, saved = training_loop.save_checkpoint, []

    def save_and_stop(*args):
        save(*args)
        saved.append(args)
        if len(saved) == 2:
            raise KeyboardInterrupt

    monkeypatch.setattr(training_loop, "save_checkpoint", save_and_stop)
    with pytest.raises(SystemExit) as stopped:
        train(tmp_path / "run", 4, "--checkpoint-every", "1")
    assert stopped.value.code == 130
    monkeypatch.setattr(training_loop, "save_checkpoint", save)
    train(tmp_path / "run", 4, "--checkpoint-every", "1", "--resume")
    one, other = (embodied.load(folder).state_dict() for folder in (tmp_path / "run", trained))
    assert all(torch.equal(one[name], other[name]) for name in other)
    assert metrics(tmp_path / "run") == metrics(trained)


@pytest.mark.parametrize(("begun", "resumed"), [("warp-cpu", "cpu"), ("cpu", "warp-cpu")])
def test_a_training_goes_on_on_another_device_with_what_it_has_learned(tmp_path, begun, resumed):
    train(tmp_path, 2, device=begun)
    before, _ = latest_checkpoint(tmp_path / "checkpoints")
    train(tmp_path, 4, "--resume", device=resumed)
    after, facts = latest_checkpoint(tmp_path / "checkpoints")
    assert facts["device"] == resumed
    assert [row["step"] for row in metrics(tmp_path)] == [EACH * n for n in range(1, 5)]
    # Moments and statistics went along: the optimiser's steps and the normaliser's samples count on.
    assert after["ppo/adam/steps"] > before["ppo/adam/steps"]
    assert after["policy/normalisers.proprio.count"] == 2 * before["policy/normalisers.proprio.count"]
    moved = after["policy/log_std"] - before["policy/log_std"]
    assert 0 < moved.abs().max() < 0.1


def test_a_policy_is_evaluated_on_either_engine(trained, tmp_path, capsys):
    for device in ("cpu", "warp-cpu"):
        main(["eval", str(trained), "--episodes", "2", "--device", device, "--json", str(tmp_path / f"{device}.json")])
    one, other = (json.loads((tmp_path / f"{device}.json").read_text()) for device in ("cpu", "warp-cpu"))
    assert one.keys() == other.keys() == {str(trained)}
    assert other[str(trained)]["episodes"] == 2
    main(["eval", "--policy", "random", "--episodes", "2", "--device", "warp-cpu"])
    assert "random" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["train", "--device", "gpu"], "warp-cpu"),
        (["train", "--device", "cuda:x"], "warp-cpu"),
        (["eval", "--policy", "zero", "--device", "gpu"], "warp-cpu"),
        (["train", "--task", "gymnasium:Pendulum-v1", "--device", "warp-cpu"], "on the CPU"),
        (["train", "--device", "cuda:99"], "cuda:99"),
    ],
)
def test_a_device_that_is_not_there_is_refused_before_a_folder_is_made(tmp_path, monkeypatch, capsys, arguments, says):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as stopped:
        main(arguments)
    assert stopped.value.code == 2
    assert says in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("device", "flag", "spread"),
    [
        ("cpu", None, False),
        ("cuda", None, True),
        ("warp-cpu", None, True),
        ("cpu", True, True),
        ("cuda:1", False, False),
    ],
)
def test_ages_are_spread_on_a_device_unless_told_otherwise(device, flag, spread):
    assert command.ages_are_spread(command.Train(device=device, spread_ages=flag)) == spread


def test_a_training_on_a_device_begins_at_different_ages(tmp_path, monkeypatch):
    ages = []

    def look(config, trainer, path):
        ages.extend(trainer.env.episode_length.tolist())
        raise KeyboardInterrupt

    monkeypatch.setattr(command, "_loop", look)
    with pytest.raises(SystemExit):
        train(tmp_path / "run", 2)
    assert len(set(ages)) == 4
    assert 0 <= min(ages) <= max(ages) < 1000


def test_the_preset_for_gpus_has_rsl_rl_s_batches_and_its_rate_follows_the_kl(tmp_path):
    preset = read_config(command.Train, find_preset("train", "gpu"), command.Train())
    assert is_gpu_world(preset.device)
    ppo = preset.ppo
    assert (preset.worlds, ppo.rollout_steps, ppo.epochs) == (4096, 24, 5)
    assert preset.worlds * ppo.rollout_steps == 4 * ppo.minibatch
    few = ("--worlds", "8", "--ppo.minibatch", "48", "--steps", "576", "--episodes", "1", "--policy.hidden", "16")
    main(["train", "--preset", "gpu", "--device", "warp-cpu", *few, "--out", str(tmp_path / "run")])
    first, *rows = metrics(tmp_path / "run")
    assert first["step"] == 8 * 24
    assert [row["updates"] for row in rows] == [5 * 4] * 2
    assert rows[0]["learning_rate"] != ppo.learning_rate
