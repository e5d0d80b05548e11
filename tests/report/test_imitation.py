"""The report of an imitation: figures, pace, and a page for runs that are over, under way, or without their clips."""

import json
import os
import subprocess
import sys

import imageio_ffmpeg
import matplotlib.image
import numpy as np
import pytest
import yaml
from torch.utils.tensorboard import SummaryWriter

from embodied.cli.main import main
from embodied.graphics import HINT
from embodied.motion.files import motion_folder
from embodied.report import style
from embodied.report.imitation import read_imitation
from embodied.report.pace import read_pace
from embodied.report.page.imitation import chosen, write_imitation
from embodied.report.pictures.imitation import ranked, verdict
from embodied.runs.errors import UserError
from embodied.skills.tracking_evaluation import ClipResult, TrackingResult
from tests.report.test_page import checked

CLIPS = {
    "lost_late": ClipResult("lost_late", 3.0, 4.0, False, 0.05, 0.05),
    "near": ClipResult("near", 4.0, 4.0, True, 0.03, 0.06),
    "nearer": ClipResult("nearer", 4.0, 4.0, True, 0.06, 0.01),
    "off_joints": ClipResult("off_joints", 4.0, 4.0, True, 0.15, 0.01),
    "off_root": ClipResult("off_root", 4.0, 4.0, True, 0.01, 0.3),
}


@pytest.fixture(autouse=True)
def coarse(monkeypatch):
    monkeypatch.setattr(style, "DOTS", 30)


def write_run(folder, iterations=7, finished=True, **more):
    """A run whose clips lie nowhere: figures that were made up."""
    folder.mkdir()
    rewards = {"joint_pos": 0.3, "joint_vel": 0.05, "feet": 0.1, "root_pose": 0.5, "root_velocity": 0.05}
    config = {"kind": "imitate", "robot": "go1", "motions": ["/nowhere"], "steps": 1000, "tracking": {}}
    config["tracking"]["rewards"] = rewards
    (folder / "config.yaml").write_text(yaml.safe_dump(config | more))
    with (folder / "metrics.jsonl").open("w") as file:
        for i in range(1, iterations + 1):
            entry = {"step": 100 * i, "episode/length": 50.0 if i > 1 else None, "episodes": i, "unhealthy_episodes": 0}
            entry |= {f"episode/{name}": 50.0 * weight / 2 if i > 1 else None for name, weight in rewards.items()}
            entry |= {"tracking/score": i / 10, "tracking/share_to_end": i / 8, "tracking/joint_error": 0.2 / i}
            entry |= {"tracking/root_error": 0.3 / i, "tracking/clips_seen": 5.0, "clip/near": i / 8}
            entry |= {"clip/<b>off": i / 9} if i > 3 else {}
            file.write(json.dumps(entry) + "\n")
    if finished:
        (folder / "evaluation.json").write_text(json.dumps(TrackingResult(tuple(CLIPS.values())).as_dict()))
    return folder


def test_clips_are_ranked_by_verdict_and_by_both_errors_in_units_of_their_thresholds():
    result = TrackingResult(tuple(CLIPS.values()))
    assert [clip.clip for clip in ranked(result)] == ["nearer", "near", "off_joints", "off_root", "lost_late"]
    assert [verdict(clip) for clip in ranked(result)] == ["well", "well", "off", "off", "lost"]


def test_the_fastest_clip_that_is_tracked_well_is_on_top_and_others_from_the_best_to_the_worst():
    clips = [read_clip(name) for name in ("sit_still", "trot", "gallop_left", "stand", "walk")]
    result = TrackingResult(
        tuple(
            ClipResult(clip.name, 1.0, 1.0, clip.name != "gallop_left", 0.01 * place, 0.0)
            for place, clip in enumerate(clips)
        )
    )
    assert chosen(result, clips) == ("trot", ["sit_still", "stand", "walk", "gallop_left"])
    assert chosen(TrackingResult(result.clips[:1]), clips[:1]) == ("sit_still", [])


def read_clip(name):
    from embodied.motion.files import read_clips

    (clip,) = read_clips(motion_folder() / "go1" / f"{name}.npz")
    return clip


def test_the_pace_is_read_from_what_tensorboard_wrote_and_pauses_do_not_count(tmp_path):
    assert read_pace(tmp_path) is None
    for begun, steps in ((1000.0, range(1, 5)), (9000.0, range(4, 9))):  # killed after 4, taken up from 3
        with SummaryWriter(str(tmp_path / "tensorboard"), filename_suffix=f".{begun}") as events:
            for step in steps:
                for name in ("episode/return", "kl"):
                    events.add_scalar(name, 1.0, 300_000 * step, walltime=begun + 2.0 * step)
    pace = read_pace(tmp_path)
    assert pace is not None
    assert pace.rate == pytest.approx(150_000.0)
    assert pace.seconds == pytest.approx(6.0 + 8.0)
    (first, _) = sorted((tmp_path / "tensorboard").iterdir())
    first.write_bytes(first.read_bytes()[:-5])  # torn while it was written
    assert read_pace(tmp_path) == pace


def test_curves_are_averaged_and_parts_are_means_between_steps(tmp_path):
    run = read_imitation(write_run(tmp_path / "run", iterations=6, finished=False))
    steps, values = run.curve("tracking/score", points=3)
    np.testing.assert_allclose(steps, [150, 350, 550])
    np.testing.assert_allclose(values, [0.15, 0.35, 0.55])
    np.testing.assert_allclose(run.parts("clip/<b>off", np.array([0.0, 300.0, 600.0])), [np.nan, 5 / 9])
    assert (run.finished, run.budget, run.steps, run.clips) == (False, 1000, 600, ["<b>off", "near"])


def test_a_finished_run_gets_a_page_with_every_clip_though_its_clips_are_gone(tmp_path, capsys):
    run = write_run(tmp_path / "run")
    main(["report", str(run)])
    assert "Clips could not all be tracked and filmed" in capsys.readouterr().out
    text = checked(run / "report" / "index.html")
    for word in ("Imitation of 5 clips by go1", "lost late", "off joints", "4 of 5 clips", "0.300", "/nowhere"):
        assert word in text
    for name in ("tracked", "earned", "joint-error", "root-error", "clips-over-steps", "clip-errors"):
        assert matplotlib.image.imread(run / "report" / f"{name}.png").std() > 0.01, name


@pytest.mark.parametrize("iterations", [1, 3])
def test_a_run_that_has_only_begun_gets_a_page_with_what_there_is(tmp_path, iterations):
    run = write_run(tmp_path / "run", iterations=iterations, finished=False)
    text = checked(write_imitation(run).page)
    assert "under way or stopped" in text
    assert "The clips were not evaluated" in text


def test_before_the_first_iteration_there_is_a_sentence_and_no_page(tmp_path, capsys):
    run = write_run(tmp_path / "run", iterations=0, finished=False)
    main(["report", str(run)])
    assert "No iteration is finished yet" in capsys.readouterr().out
    assert not (run / "report").exists()


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"clips": []}', '{"clips": [{"clip": "a"}]}', '{"clips": [3]}'])
def test_a_damaged_evaluation_is_named(tmp_path, text):
    run = write_run(tmp_path / "run")
    (run / "evaluation.json").write_text(text)
    with pytest.raises(UserError, match=r"evaluation.json is damaged"):
        read_imitation(run)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # the reader leaves its pipes open
def test_a_run_under_way_is_evaluated_and_filmed_beside_its_clips(tmp_path, capsys):
    run, clips = tmp_path / "run", [str(motion_folder() / "go1" / f"{name}.npz") for name in ("bound", "gallop_left")]
    small = ("--worlds", "4", "--ppo.rollout-steps", "8", "--ppo.minibatch", "16", "--policy.hidden", "8")
    main(["pretrain", "imitate", "--motions", *clips, "--out", str(run), "--steps", "64", *small])
    evaluation = json.loads((run / "evaluation.json").read_text())
    for name in ("evaluation.json", "policy.safetensors"):
        (run / name).unlink()
    done = subprocess.run(
        [sys.executable, "-m", "embodied", "report", str(run)], capture_output=True, text=True, env={**os.environ}
    )
    assert done.returncode == 0, done.stderr
    text = checked(run / "report" / "index.html")
    for clip in evaluation["clips"]:
        assert f"{clip['joint_error']:.3f}" in text
    if HINT in done.stdout:
        pytest.skip("no off-screen OpenGL on this machine")
    assert text.count("<video") == 2
    frames = imageio_ffmpeg.read_frames(str(run / "report" / "videos" / "bound.mp4"))
    width, height = next(frames)["size"]
    pictures = [np.frombuffer(frame, np.uint8).reshape(height, width, 3).astype(int) for frame in frames]
    # A policy that has learned nothing does not bound: the clip's blue comes apart from the robot.
    blue = [((picture[..., 2] - picture[..., 0]) > 90).sum() for picture in pictures]
    assert len(pictures) > 5
    assert min(blue) > 200
    assert not [path for path in (run / "report" / "videos").iterdir() if path.suffix not in (".mp4", ".png")]
