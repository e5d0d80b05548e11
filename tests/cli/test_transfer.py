"""`embodied transfer` as people use it, and what they get wrong with it."""

import json
import re
import shutil
import sqlite3

import pytest
import yaml

from embodied.cli.main import main
from embodied.evolution.ledger import VERSION
from embodied.report import style
from embodied.report.page import write_report
from tests.cli.test_bad_input import EVOLVE, TRAIN, everything, refused
from tests.report.synthetic import write_run
from tests.report.test_page import checked

TRANSFER = ["transfer", "--top", "1", "--steps", "256", "--worlds", "8", "--workers", "1"]
TRANSFER += ["--ppo.rollout-steps", "16", "--ppo.minibatch", "64", "--ppo.epochs", "1"]


def evolution(folder, **config):
    lives = [{"fitness": float(n), "fingerprint": f"{n:02x}"} for n in range(3)]
    return write_run(folder, lives, **{"seed": 1, "population": 2, **config})


@pytest.fixture(scope="module")
def arenas(tmp_path_factory):
    """Two evolutions of hand-made lifetimes whose bodies were really transferred, with one command."""
    folder = tmp_path_factory.mktemp("arenas")
    runs = [evolution(folder / "flat"), evolution(folder / "variable", task="variable")]
    main([*TRANSFER, *map(str, runs), "--tasks", "flat", "exploration"])
    return runs


def test_it_says_how_long_it_takes_does_it_and_shows_the_table(tmp_path, capsys):
    run = evolution(tmp_path / "run")
    main([*TRANSFER, str(run), "--tasks", "flat", "patrol", "--steps", "1024", "--initial", "0"])
    said = capsys.readouterr().out
    assert re.search(r"2 trainings of 1,024 steps, about .* on 1 worker\n", said)
    assert said.index("about") < said.index("[1/2]")
    assert re.search(r"patrol return +−?[\d.]+\n", said)
    assert f"embodied report {run}" in said
    config = yaml.safe_load((run / "transfer" / "config.yaml").read_text())
    assert (config["kind"], config["run"], config["top"]) == ("transfer", [str(run)], 1)
    assert (run / "transfer" / "patrol" / "000002" / "policy.safetensors").exists()


def test_arenas_stand_side_by_side_in_figures_and_page(arenas, tmp_path, monkeypatch):
    monkeypatch.setattr(style, "DOTS", 30)
    flat, variable = arenas
    main(["report", str(flat), "--beside", str(variable), "--json", str(tmp_path / "figures.json")])
    tasks = json.loads((tmp_path / "figures.json").read_text())["transfer"]["tasks"]
    assert list(tasks) == ["exploration", "flat"]
    assert tasks["exploration"]["metric"] == "cells"
    found = tasks["exploration"]
    assert set(found) == {"metric", "evolved on flat", "evolved on variable", "initial"}
    assert found["evolved on flat"]["metric"]["mean"] >= 1.0
    outcome = json.loads((flat / "transfer" / "exploration" / "000002" / "outcome.json").read_text())
    returns = [episode[0] for episode in outcome["evaluation"]]
    assert found["evolved on flat"]["return"]["values"] == [pytest.approx(sum(returns) / len(returns))]
    written = write_report(flat, arenas=[variable])
    text = checked(written.page)
    for words in ("evolved on flat", "evolved on variable", "exploration", "bodies-on-other-tasks"):
        assert words in text
    assert "bodies-on-other-tasks.png" in {path.name for path in written.pictures}


def test_what_was_transferred_can_be_played_evaluated_and_reported_alone(arenas, tmp_path, capsys):
    folder = arenas[0] / "transfer"
    main(["eval", str(folder / "exploration" / "000002"), "--episodes", "2", "--json", str(tmp_path / "eval.json")])
    (figures,) = json.loads((tmp_path / "eval.json").read_text()).values()
    assert figures["task"] == "exploration"
    capsys.readouterr()
    main(["report", str(folder)])
    assert "exploration return" in capsys.readouterr().out


def test_a_finished_transfer_is_taken_up_and_left_as_it_is(arenas, capsys):
    run = arenas[0]
    before = everything(run / "transfer")
    main([*TRANSFER, str(run), "--tasks", "flat", "exploration", "--resume"])
    said = capsys.readouterr().out
    assert "is finished already" in said
    assert "exploration return" in said
    assert "Measuring" not in said
    assert everything(run / "transfer") == before


@pytest.mark.parametrize(
    ("flags", "says"),
    [
        ([], "continue it with --resume"),
        (["--resume", "--top", "2"], "top: 1 -> 2"),
        (["--resume", "--steps", "512"], "steps: 256 -> 512"),
        (["--resume", "--seed", "3"], "seed: 0 -> 3"),
        (["--resume", "--ppo.gamma", "0.9"], "ppo.gamma: 0.99 -> 0.9"),
    ],
)
def test_another_configuration_is_refused_naming_the_field(arenas, capsys, flags, says):
    run = arenas[0]
    before = everything(run)
    assert says in refused(capsys, *TRANSFER, run, "--tasks", "flat", "exploration", *flags)
    assert everything(run) == before


def test_too_few_bodies_are_said_and_taken(tmp_path, capsys):
    run = write_run(tmp_path / "run", [{"fingerprint": "0a"}, {"fingerprint": "0a"}], seed=1)
    main([*TRANSFER, str(run), "--top", "9", "--tasks", "flat"])
    assert "has one body, not 9" in capsys.readouterr().out
    assert len(list((run / "transfer" / "flat").iterdir())) == 1


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ([], "name the folder of an evolution"),
        (["nowhere"], "holds no run"),
        (["run", "run"], "named twice"),
        (["run", "--tasks", "patroll"], "did you mean patrol"),
        (["run", "--tasks", "flat", "flat"], "--tasks"),
        (["run", "--top", "0"], "--top"),
        (["run", "--episodes", "2"], "--episodes"),
        (["run", "--workers", "0"], "--workers"),
        (["run", "--device", "cuda"], "cuda"),
        (["run", "--preset", "none"], "no preset 'none' for transfer"),
        (["run", "other", "--out", "there"], "--out is for one evolution"),
        (["living"], "no lifetime of living is finished"),
        (["unborn"], "has not begun"),
        (["newer"], f"newer than the {VERSION} read here"),
        (["older"], f"older than {VERSION}"),
        (["damaged"], "no ledger"),
        (["nameless"], "names no task, seed or population"),
    ],
)
def test_what_cannot_be_transferred_is_refused_and_nothing_is_made(tmp_path, capsys, monkeypatch, arguments, says):
    monkeypatch.chdir(tmp_path)
    evolution(tmp_path / "run")
    evolution(tmp_path / "other")
    write_run(tmp_path / "living", [{"status": "running"}, {"status": "failed"}], seed=1)
    (evolution(tmp_path / "unborn") / "ledger.sqlite").unlink()
    for name, version in (("newer", VERSION + 1), ("older", VERSION - 1)):
        _set_version(evolution(tmp_path / name) / "ledger.sqlite", version)
    (evolution(tmp_path / "damaged") / "ledger.sqlite").write_text("nothing of the kind" * 100)
    evolution(tmp_path / "nameless", seed=None)
    before = everything(tmp_path)
    assert says in refused(capsys, *TRANSFER, *arguments)
    assert {path: content for path, content in everything(tmp_path).items() if "-" not in path.suffix} == before
    assert not list(tmp_path.rglob("transfer"))


def _set_version(path, version):
    db = sqlite3.connect(path)
    db.execute("UPDATE meta SET value = ? WHERE key = 'version'", (str(version),))
    db.commit()
    db.close()


def test_a_training_is_no_evolution(tmp_path, capsys):
    main([*TRAIN, "--out", str(tmp_path / "run")])
    capsys.readouterr()
    assert "takes bodies from an evolution" in refused(capsys, *TRANSFER, tmp_path / "run")


@pytest.mark.parametrize(
    ("others", "says"),
    [
        (["variable"], "their fitness cannot be compared. How their bodies learn other tasks can"),
        (["same", "same2"], "with one run at a time"),
    ],
)
def test_runs_that_cannot_stand_beside_are_refused_with_the_way_out(tmp_path, capsys, monkeypatch, others, says):
    monkeypatch.chdir(tmp_path)
    run = evolution(tmp_path / "run")
    for name in others:
        evolution(tmp_path / name, task="variable" if name == "variable" else "flat")
    assert says in refused(capsys, "report", run, "--beside", *others)


@pytest.mark.parametrize(("file", "content"), [("outcome.json", "{}"), ("bodies.json", '{"format": "else"}')])
def test_damaged_files_are_named(arenas, tmp_path, capsys, file, content):
    run = tmp_path / "run"
    shutil.copytree(arenas[0], run)
    path = next((run / "transfer").rglob(file))
    path.write_text(content)
    assert f"{path} is damaged" in refused(capsys, "report", run)


@pytest.mark.slow
@pytest.mark.parametrize("task", ["variable", "manipulation"])
def test_evolution_runs_and_reports_on_every_arena(tmp_path, capsys, task):
    run = tmp_path / "run"
    main([*EVOLVE, "--task", task, "--out", str(run)])
    assert "lifetimes finished      2" in capsys.readouterr().out
    main(["report", str(run)])
    assert f"on {task}" in checked(run / "report" / "index.html")
