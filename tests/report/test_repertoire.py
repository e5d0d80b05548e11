"""The report of a skill prior: figures, a page for runs that are over or under way, damaged files, latents on film."""

import html
import json
import re
import shlex
import subprocess
import sys
from pathlib import Path

import imageio_ffmpeg
import matplotlib.image
import numpy as np
import pytest
import torch
import yaml
from matplotlib.figure import Figure

from embodied.cli.main import main
from embodied.graphics import HINT
from embodied.report import style
from embodied.report.latents import chosen_latents
from embodied.report.page.repertoire import write_repertoire
from embodied.report.pictures.repertoire import clip_distances, course
from embodied.report.repertoire import read_repertoire, repertoire_figures
from embodied.report.skills_film import DARK, GAP, WORDS, line_of, mosaic
from embodied.runs.errors import UserError
from embodied.skills.ase.evaluation import RepertoireFigures
from tests.report.test_page import checked

CLIPS = Path(__file__).parents[2] / "assets" / "motions" / "go1"
DISTANCES = {"trot": 0.3, "<b>stand": 0.1, "gallop": 0.9, "walk": 0.34}
FOUND = RepertoireFigures(
    coverage=0.75,
    distances=DISTANCES,
    best={"trot": 1, "<b>stand": 0, "gallop": 4, "walk": 1},
    agreement=0.6,
    diversity=0.15,
    transitions=0.9,
    pairs=12,
    right_on_agent=0.8,
    right_on_clips=0.7,
    falls=3,
    latents=torch.eye(5)[:, :3],
)
LESSONS = {"steps": [100.0, 200.0, 250.0], "error": [0.6, 0.3, 0.25], "led": [1.0, 0.5, 0.0]}


@pytest.fixture(autouse=True)
def coarse(monkeypatch):
    monkeypatch.setattr(style, "DOTS", 30)


def write_run(folder, iterations=6, resting=2, evaluation=None, lessons=LESSONS, **more):
    """A run whose clips lie nowhere and that has no prior: figures that were made up."""
    folder.mkdir()
    config = {"kind": "ase", "robot": "go1", "motions": ["/nowhere"], "steps": 1000, "teacher": "runs/tracker"}
    (folder / "config.yaml").write_text(yaml.safe_dump(config | more))
    (folder / "clips.json").write_text(json.dumps(dict.fromkeys(DISTANCES, "0")))
    with (folder / "metrics.jsonl").open("w") as file:
        for i in range(1, iterations + 1):
            entry = {"step": 100 * i, "episodes": i, "unhealthy_episodes": 0, "episode/length": 50.0}
            entry |= {"clips/distance": 0.5, "clips/near": i / 10, "clips/seen": 0.5, "clips/effective": 1.5}
            entry |= {"clips/transitions": 0.4}
            if i > 1:
                entry |= {f"discriminator/{name}": i / 10 for name in ("agreement", "right_on_agent", "right_on_clips")}
                entry |= {"reward/style": 1.1, "reward/skill": 0.4}
            if i > resting:
                entry |= {"policy_loss": 0.1, "action_diversity": 0.4, "drift": 0.01}
            file.write(json.dumps(entry) + "\n")
    if evaluation:
        (folder / "evaluation.json").write_text(json.dumps(evaluation.summary()))
    if lessons:
        (folder / "cloning.json").write_text(json.dumps(lessons))
    return folder


def test_a_finished_run_gets_a_page_that_begins_with_what_tells(tmp_path, capsys):
    run = write_run(tmp_path / "run", iterations=10, evaluation=FOUND)
    main(["report", str(run)])
    assert "Latents could not be filmed" in capsys.readouterr().out
    text = checked(run / "report" / "index.html")
    head = html.unescape(text[: text.index("<nav")])
    for word in ("3 of 4", "0.35", "0.60", "0.150 rad", "floor 0.1 rad", "90 %", "12 different pairs", "80 %, 70 %"):
        assert word in head, word
    for word in ("among 20 robots", "1,000 of 1,000", "0.250", "250 steps of teaching, tracker", "2 different ones"):
        assert word in head, word
    assert "collapsed" not in head
    assert "Not measured yet" not in text
    assert "first 200 steps" in text
    assert "75 % within 0.35" in text.replace("\n", "")
    for name in ("agreement", "told", "nearness", "clips-met", "action-diversity", "live-transitions", "rewards"):
        assert matplotlib.image.imread(run / "report" / f"{name}.png").std() > 0.01, name
    for name in ("clip-distances", "taught", "drift"):
        assert matplotlib.image.imread(run / "report" / f"{name}.png").std() > 0.01, name


def test_a_prior_that_has_collapsed_is_called_so(tmp_path):
    found = FOUND.summary() | {"diversity": 0.09}
    run = write_run(tmp_path / "run")
    (run / "evaluation.json").write_text(json.dumps(found))
    assert "collapsed" in checked(write_repertoire(run).page)


@pytest.mark.parametrize("iterations", [1, 2, 4])
def test_a_run_under_way_gets_a_page_that_says_what_is_missing(tmp_path, iterations):
    run = write_run(tmp_path / "a run", iterations=iterations, lessons=None, teacher=None)
    text = checked(write_repertoire(run).page)
    assert "Not measured yet" in text
    assert f"--out '{run}' --resume" in html.unescape(text)
    assert "There is no film" in text
    for word in ("clip-distances", "Taught first", "rested", "nan"):
        assert word not in re.sub(r"base64,[A-Za-z0-9+/=]+", "", text), word


def test_before_the_first_iteration_there_is_a_sentence_and_no_page(tmp_path, capsys):
    run = write_run(tmp_path / "run", iterations=0)
    main(["report", str(run)])
    assert "No iteration is finished yet" in capsys.readouterr().out
    assert not (run / "report").exists()


def test_the_actor_rested_until_it_had_a_loss_and_only_where_it_was_taught(tmp_path):
    assert read_repertoire(write_run(tmp_path / "taught", resting=3)).rested == 300
    assert read_repertoire(write_run(tmp_path / "resting", resting=9)).rested == 600
    assert read_repertoire(write_run(tmp_path / "alone", resting=1, teacher=None)).rested == 0


def test_figures_are_those_of_the_files(tmp_path):
    figures = repertoire_figures(write_run(tmp_path / "run", evaluation=FOUND))
    assert figures["coverage"] == figures["evaluation"]["coverage"] == 0.75
    assert (figures["environment_steps"], figures["budget"], figures["finished"]) == (600, 1000, True)
    assert (figures["agreement"], figures["clips_near"], figures["lesson_error"]) == (0.6, 0.6, 0.25)
    assert "lesson_error" not in repertoire_figures(write_run(tmp_path / "other", lessons=None))


def changed(**fields):
    return json.dumps(FOUND.summary() | fields)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("evaluation.json", ""),
        ("evaluation.json", "[]"),
        ("evaluation.json", "{}"),
        ("evaluation.json", "[" * 100_000),
        ("evaluation.json", changed(coverage=float("nan"))),
        ("evaluation.json", changed(falls="3")),
        ("evaluation.json", changed(distances={})),
        ("evaluation.json", changed(distances=DISTANCES | {"trot": float("inf")})),
        ("evaluation.json", changed(distances={"trot": 0.3})),
        ("evaluation.json", changed(best_latents=FOUND.best | {"trot": 5})),
        ("evaluation.json", changed(best_latents=FOUND.best | {"trot": True})),
        ("evaluation.json", changed(latents=[[1.0], [1.0, 2.0]])),
        ("evaluation.json", changed(latents=[[float("nan")]] * 5)),
        ("evaluation.json", changed(coverage_at=[0.5])),
        ("cloning.json", "{"),
        ("cloning.json", json.dumps({"steps": [1.0], "error": [0.1]})),
        ("cloning.json", json.dumps({"steps": [], "error": [], "led": []})),
        ("cloning.json", json.dumps(LESSONS | {"error": [0.6, 0.3]})),
        ("cloning.json", json.dumps(LESSONS | {"error": [0.6, float("inf"), 0.3]})),
        ("cloning.json", json.dumps(LESSONS | {"steps": [100.0, 50.0, 20.0]})),
        ("clips.json", "3"),
        ("metrics.jsonl", '{"step": 100, "clips/near": "much"}\n'),
        ("metrics.jsonl", '{"step": 100, "clips/near": NaN}\n'),
        ("config.yaml", "kind: ase\nrobot: go1\nsteps: many\n"),
    ],
)
def test_damaged_files_are_named(tmp_path, capsys, name, text):
    run = write_run(tmp_path / "run", evaluation=FOUND)
    (run / name).write_text(text)
    with pytest.raises(UserError, match=rf"{name} is damaged[;:] "):
        read_repertoire(run)
    with pytest.raises(SystemExit) as left:
        main(["report", str(run)])
    assert left.value.code == 2
    assert f"{name} is damaged" in capsys.readouterr().err.replace("\n", "")


def test_latents_that_come_nearest_to_clips_are_shown_each_once_then_others(tmp_path):
    run = read_repertoire(write_run(tmp_path / "run", evaluation=FOUND))
    drawn = torch.full((4, 3), 0.5)
    shown = chosen_latents(run.evaluation, drawn)
    assert [each.number for each in shown] == [0, 1, 4, None]
    assert [each.clip for each in shown] == ["<b>stand", "trot", "gallop", None]
    assert torch.equal(torch.stack([each.latent for each in shown[:3]]), FOUND.latents[[0, 1, 4]])
    assert torch.equal(shown[3].latent, drawn[0])
    assert [each.number for each in chosen_latents(run.evaluation, drawn[:2])] == [0, 1]
    assert all(each.clip is None for each in chosen_latents(None, drawn))


def test_the_curve_of_coverage_is_the_share_of_clips_within_each_threshold(tmp_path):
    run = read_repertoire(write_run(tmp_path / "run", evaluation=FOUND))
    assert run.evaluation is not None
    figure = Figure()
    clip_distances(run.evaluation).paint(figure)
    at, share = figure.axes[1].lines[0].get_data()
    for threshold in (0.05, 0.2, 0.31, 0.35, 0.6, 0.95):
        place = np.searchsorted(np.asarray(at), threshold, side="right") - 1
        assert np.asarray(share)[place] == pytest.approx(FOUND.share_within(threshold))


def test_clips_seen_are_drawn_as_a_number_of_clips(tmp_path):
    run = read_repertoire(write_run(tmp_path / "run"))
    (picture,) = [each for each in course(run) if each.name == "clips-met"]
    figure = Figure()
    picture.paint(figure)
    assert set(figure.axes[0].lines[0].get_data()[1]) == {2.0}  # half of four


def test_pictures_lie_in_rows_with_their_words_below():
    light = np.full((20, 64, 3), 200, np.uint8)
    picture = np.concatenate((light, line_of("7 · trot", 64)))
    whole = mosaic([picture] * 3, 2)
    assert whole.shape == (2 * (20 + WORDS) + GAP, 2 * 64 + GAP, 3)
    assert (whole[:20, :64] == 200).all()
    assert (whole[20 + WORDS + GAP :, 64:] == DARK).all()
    words = whole[20 : 20 + WORDS, :64]
    assert words.min() == DARK
    assert words.max() > 180
    assert (line_of("", 64) == DARK).all()
    assert line_of("$x^2$ and a name that is far longer than its picture is wide", 64).shape == (WORDS, 64, 3)


FILMED = """
import sys
from embodied.graphics import choose_egl
choose_egl()
from embodied.cli.main import main
from embodied.report import latents
latents.SECONDS, latents.SHOWN = 0.3, 4
main(["report", sys.argv[1]])
"""


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # the reader leaves its pipes open
def test_a_run_is_filmed_and_one_that_was_stopped_is_ended_as_its_page_says(tmp_path, monkeypatch):
    for name, value in (("SECONDS", 0.6), ("SWITCH", 0.2), ("SETTLED", 0.1)):
        monkeypatch.setattr(f"embodied.skills.ase.evaluation.{name}", value)
    run, sizes = tmp_path / "run", ["--worlds", "4", "--latents", "2", "--threads", "1", "--ase.rollout-steps", "4"]
    sizes += ["--ase.hidden", "8", "8", "--ase.discriminator-hidden", "8", "--ase.clip-windows", "20"]
    sizes += ["--ase.replay-size", "20", "--ase.minibatch", "16", "--ase.discriminator-minibatch", "8"]
    clips = [str(CLIPS / "trot.npz"), str(CLIPS / "stand.npz")]
    main(["pretrain", "ase", "--motions", *clips, *sizes, "--steps", "32", "--out", str(run)])
    evaluation = (run / "evaluation.json").read_text()

    done = subprocess.run([sys.executable, "-c", FILMED, str(run)], capture_output=True, text=True)
    if HINT not in done.stderr + done.stdout:
        assert done.returncode == 0, done.stderr
        assert checked(run / "report" / "index.html").count("<video") == 1
        frames = imageio_ffmpeg.read_frames(str(run / "report" / "latents.mp4"))
        width, height = next(frames)["size"]
        assert (width, height) == (2 * 256 + GAP, 2 * (192 + WORDS) + GAP)
        first = np.frombuffer(next(frames), np.uint8).reshape(height, width, 3).astype(float)
        one, other = first[:192, :256], first[:192, 256 + GAP :]
        assert one.std() > 20
        assert np.abs(one - other).mean() < 4, "all begin alike, turned to one side"

    # As if it had been stopped a tenth of the way.
    for name in ("evaluation.json", "prior.safetensors"):
        (run / name).unlink()
    config = (run / "config.yaml").read_text()
    (run / "config.yaml").write_text(config.replace("\nsteps: 32\n", "\nsteps: 320\n"))
    monkeypatch.setattr("embodied.report.page.repertoire.film_of", no_film)
    text = checked(write_repertoire(run).page)
    said = [html.unescape(each) for each in re.findall("<code>(.*?)</code>", text)]
    assert said[1] == "--steps 32"
    main(shlex.split(" ".join(said))[1:])
    assert (run / "evaluation.json").read_text() == evaluation


def no_film(*_):
    raise UserError("it was filmed already")
