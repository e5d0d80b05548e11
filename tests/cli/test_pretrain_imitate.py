"""``embodied pretrain imitate`` as a user runs it: a run, killed and taken up, evaluated, and what it refuses."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

from embodied.cli import training_loop
from embodied.cli.main import main
from embodied.learning.load import load
from embodied.motion.files import motion_folder
from embodied.runs.metrics import read_metrics

SMALL = ("--worlds", "8", "--steps", "300", "--ppo.rollout-steps", "8", "--ppo.minibatch", "32", "--policy.hidden", "8")


@pytest.fixture
def clips(tmp_path: Path) -> Path:
    folder = tmp_path / "clips"
    folder.mkdir()
    for name in ("sit", "trot"):
        (folder / f"{name}.npz").write_bytes((motion_folder() / "go1" / f"{name}.npz").read_bytes())
    return folder


def imitate(clips: Path, out: Path, *more: str) -> None:
    main(["pretrain", "imitate", "--motions", str(clips), "--out", str(out), "--checkpoint-every", "2", *SMALL, *more])


def test_a_run_shows_how_clips_are_tracked_and_ends_with_a_table(clips, tmp_path, capsys):
    imitate(clips, tmp_path / "run")
    said = capsys.readouterr().out
    assert "2 clips, 8 s of motion" in said
    assert "clips were tracked to their end" in said
    result = json.loads((tmp_path / "run" / "evaluation.json").read_text())
    assert {each["clip"] for each in result["clips"]} == {"sit", "trot"}
    assert 0.0 <= result["share_good"] <= result["share_to_end"] <= 1.0
    entries = read_metrics(tmp_path / "run")
    assert len(entries) == 5
    assert {"tracking/share_to_end", "tracking/joint_error", "tracking/root_error"} <= entries[-1].keys()
    main(["eval", str(tmp_path / "run"), "--json", str(tmp_path / "again.json")])
    again = json.loads((tmp_path / "again.json").read_text())[str(tmp_path / "run")]
    assert again == result
    imitate(clips, tmp_path / "run", "--resume")
    assert "finished already" in capsys.readouterr().out


def test_a_run_that_was_killed_goes_on_bit_for_bit(clips, tmp_path, monkeypatch, capsys):
    imitate(clips, tmp_path / "whole")
    kept = training_loop.save_checkpoint

    def killed(*given):
        kept(*given)
        raise KeyboardInterrupt

    monkeypatch.setattr(training_loop, "save_checkpoint", killed)
    with pytest.raises(SystemExit):
        imitate(clips, tmp_path / "halved")
    monkeypatch.setattr(training_loop, "save_checkpoint", kept)
    imitate(clips, tmp_path / "halved", "--resume")
    assert "from step 128 on" in capsys.readouterr().out
    whole, halved = (load(tmp_path / name).state_dict() for name in ("whole", "halved"))
    assert all(torch.equal(whole[name], value) for name, value in halved.items())
    for name in ("evaluation.json", "metrics.jsonl"):
        assert (tmp_path / "whole" / name).read_bytes() == (tmp_path / "halved" / name).read_bytes(), name


def refused(capsys, *arguments: str) -> str:
    with pytest.raises(SystemExit) as stopped:
        main(list(arguments))
    assert stopped.value.code == 2
    return capsys.readouterr().err


def test_a_run_does_not_go_on_with_other_clips(clips, tmp_path, capsys):
    imitate(clips, tmp_path / "run")
    capsys.readouterr()
    (clips / "trot.npz").write_bytes((motion_folder() / "go1" / "walk.npz").read_bytes())
    given = ("--motions", str(clips), "--out", str(tmp_path / "run"), "--checkpoint-every", "2", *SMALL)
    said = refused(capsys, "pretrain", "imitate", *given, "--resume")
    assert "began with other clips (trot" in said


def test_what_cannot_be_learned_is_refused_before_a_folder_is_made(clips, tmp_path, capsys):
    out = str(tmp_path / "none")
    assert "did you mean imitate" in refused(capsys, "pretrain", "imitat")
    assert "for go1, not for max" in refused(
        capsys, "pretrain", "imitate", "--robot", "max", "--motions", str(clips), "--out", out
    )
    assert "neither a file nor a folder" in refused(capsys, "pretrain", "imitate", "--motions", "nowhere", "--out", out)
    assert "clips" in refused(capsys, "pretrain", "imitate", "--robot", "ant", "--out", out)
    assert not (tmp_path / "none").exists()


def test_clips_can_be_learned_with_their_mirror_images(clips, tmp_path):
    imitate(clips, tmp_path / "run", "--symmetry.augment")
    assert "asymmetry" in read_metrics(tmp_path / "run")[-1]


def test_a_warm_start_begins_with_another_runs_policy_and_the_run_does_not_need_it_later(clips, tmp_path, capsys):
    known, out = tmp_path / "known", tmp_path / "run"
    imitate(clips, known)
    (clips / "walk.npz").write_bytes((motion_folder() / "go1" / "walk.npz").read_bytes())
    still = ("--ppo.learning-rate", "1e-12", "--ppo.final-learning-rate", "1e-12")
    imitate(clips, out, "--warm-start", str(known), *still)
    before, after = (dict(load(path).named_parameters()) for path in (known, out))
    assert all(torch.allclose(before[name], value, atol=1e-6) for name, value in after.items())
    (known / "policy.safetensors").unlink()
    imitate(clips, out, "--warm-start", str(known), *still, "--resume")
    assert "finished already" in capsys.readouterr().out


def test_a_warm_start_from_another_kind_of_policy_is_refused(clips, tmp_path, capsys):
    imitate(clips, tmp_path / "known")
    given = ("pretrain", "imitate", "--motions", str(clips), "--out", str(tmp_path / "run"), *SMALL)
    said = refused(capsys, *given, "--policy.hidden", "12", "--warm-start", str(tmp_path / "known"))
    assert "other inputs, outputs or layers" in said
    assert "holds no trained policy" in refused(capsys, *given, "--warm-start", str(clips))
    assert not (tmp_path / "run").exists()
