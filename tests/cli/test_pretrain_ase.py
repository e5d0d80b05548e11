"""``embodied pretrain ase`` from end to end: a run, its continuation, its report, and a policy that commands it."""

import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from embodied.cli.main import main
from embodied.runs.metrics import read_metrics
from embodied.skills.ase.prior import load_prior

CLIPS = Path(__file__).parents[2] / "assets" / "motions" / "go1"
SMALL = [
    *("--motions", str(CLIPS / "trot.npz"), str(CLIPS / "stand.npz"), "--worlds", "4", "--latents", "2"),
    *("--threads", "1", "--checkpoint-every", "1", "--ase.rollout-steps", "4", "--ase.hidden", "8", "8"),
    *("--ase.discriminator-hidden", "8", "--ase.clip-windows", "20", "--ase.replay-size", "20"),
    *("--ase.minibatch", "16", "--ase.discriminator-minibatch", "8"),
]


@pytest.fixture(autouse=True)
def short_evaluation(monkeypatch):
    monkeypatch.setattr("embodied.skills.ase.evaluation.SECONDS", 0.6)
    monkeypatch.setattr("embodied.skills.ase.evaluation.SWITCH", 0.2)
    monkeypatch.setattr("embodied.skills.ase.evaluation.SETTLED", 0.1)


def refused(capsys, *arguments):
    with pytest.raises(SystemExit) as left:
        main(list(arguments))
    assert left.value.code == 2
    return capsys.readouterr().err


def test_a_repertoire_is_learned_continued_reported_and_commanded(tmp_path, capsys, monkeypatch):
    run, whole = tmp_path / "run", tmp_path / "whole"
    main(["pretrain", "ase", *SMALL, "--steps", "64", "--out", str(run)])
    assert "reproduced by some of 2 latents" in capsys.readouterr().out
    assert "already holds a run" in refused(capsys, "pretrain", "ase", *SMALL, "--steps", "64", "--out", str(run))
    other = [word.replace("stand", "walk") for word in SMALL]
    assert "another configuration" in refused(
        capsys, "pretrain", "ase", *other, "--steps", "64", "--out", str(run), "--resume"
    )
    main(["pretrain", "ase", *SMALL, "--steps", "96", "--out", str(run), "--resume"])
    assert "from step 64 on" in capsys.readouterr().out
    main(["pretrain", "ase", *SMALL, "--steps", "96", "--out", str(whole)])
    one, other = (load_file(place / "prior.safetensors") for place in (run, whole))
    assert all(torch.equal(value, other[name]) for name, value in one.items())
    assert read_metrics(run) == read_metrics(whole)
    capsys.readouterr()
    figures = json.loads((run / "evaluation.json").read_text())
    assert set(figures["distances"]) == {"trot", "stand"}
    assert load_prior(run).robot == "go1"

    main(["report", str(run), "--json", str(tmp_path / "figures.json")])
    found = json.loads((tmp_path / "figures.json").read_text())
    assert found["kind"] == "ase"
    assert found["environment_steps"] == 96
    assert found["coverage"] == figures["coverage"]

    command = ["train", "--task", "heading", "--prior", str(run), "--hold", "3", "--worlds", "2", "--threads", "1"]
    command += ["--episodes", "2", "--ppo.rollout-steps", "4", "--out", str(tmp_path / "high")]
    monkeypatch.setattr("embodied.tasks.skilled.SkilledTask.episode_steps", 10)
    main([*command, "--steps", "72"])
    assert read_metrics(tmp_path / "high")[-1]["step"] == 72
    trained = json.loads((tmp_path / "high" / "evaluation.json").read_text())["returns"]
    (run / "prior.safetensors").unlink()  # the run has its own copy
    main(["eval", str(tmp_path / "high"), "--episodes", "2", "--json", str(tmp_path / "eval.json")])
    assert len(trained) == 2
    assert json.loads((tmp_path / "eval.json").read_text())


def test_a_tracking_policy_teaches_first(tmp_path, capsys):
    teacher, taught, whole = tmp_path / "teacher", tmp_path / "taught", tmp_path / "whole"
    sizes = ["--policy.hidden", "8", "--ppo.rollout-steps", "4", "--ppo.minibatch", "16", "--worlds", "4"]
    main(["pretrain", "imitate", *SMALL[:3], *sizes, "--threads", "1", "--steps", "32", "--out", str(teacher)])
    lessons = ["--cloning.steps", "200", "--cloning.minibatch", "32", "--cloning.kept", "100", "--cloning.resting", "2"]
    command = ["pretrain", "ase", *SMALL, "--teacher", str(teacher), *lessons]
    main([*command, "--steps", "64", "--out", str(taught)])
    curve = json.loads((taught / "cloning.json").read_text())
    assert curve["steps"][-1] == 200
    assert len(curve["error"]) == len(curve["steps"])
    main([*command, "--steps", "96", "--out", str(taught), "--resume"])
    main([*command, "--steps", "96", "--out", str(whole)])
    one, other = (load_file(place / "prior.safetensors") for place in (taught, whole))
    assert all(torch.equal(value, other[name]) for name, value in one.items()), "it was taught once"

    refusal = refused(capsys, *command, "--teacher", str(taught), "--steps", "64", "--out", str(tmp_path / "other"))
    assert "no imitation" in refusal
    assert not (tmp_path / "other").exists(), "the command may be given again, corrected"
    assert "--cloning.led must lie between" in refused(
        capsys, *command, "--cloning.led", "2", "--out", str(tmp_path / "x")
    )


def test_what_cannot_be_is_refused(tmp_path, capsys):
    command = ["pretrain", "ase", "--motions", str(CLIPS / "trot.npz"), "--out", str(tmp_path / "run")]
    assert "--ase.latent must be at least 2" in refused(capsys, *command, "--ase.latent", "1")
    assert "must be above one rollout" in refused(capsys, *command, "--steps", "100")
    assert "--update-threads must be at least 1" in refused(capsys, *command, "--update-threads", "0")
    assert not (tmp_path / "run").exists()
    assert "is for max, not for go1" in refused(capsys, *command[:2], "--motions", "max", *command[4:])
    high = ["train", "--task", "heading", "--out", str(tmp_path / "high")]
    assert "name one with --prior" in refused(capsys, *high, "--hold", "3")
    assert "holds no skill prior" in refused(capsys, *high, "--prior", str(tmp_path))
    assert not (tmp_path / "high").exists()
