"""What people get wrong: each is answered with a sentence and status 2, and nothing is harmed."""

import errno
import json
import os
import shutil
import subprocess
import sys

import pytest

from embodied.cli.main import main
from morphologies import find_body, to_json

TRAIN = ["train", "--steps", "256", "--worlds", "4", "--episodes", "1", "--ppo.rollout-steps", "16"]
EVOLVE = ["evolve", "--lifetimes", "2", "--population", "2", "--steps", "64", "--worlds", "4", "--workers", "1"]
EVOLVE += ["--ppo.rollout-steps", "8"]


def refused(capsys, *arguments):
    """The sentence a command is refused with."""
    with pytest.raises(SystemExit) as stopped:
        main([str(a) for a in arguments])
    assert stopped.value.code == 2
    error = capsys.readouterr().err
    assert "Traceback" not in error
    return error


def everything(folder):
    return {
        path.relative_to(folder): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name != ".lock"
    }


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    folder = tmp_path_factory.mktemp("trained") / "run"
    main([*TRAIN, "--out", str(folder)])
    return folder


@pytest.fixture(scope="module")
def evolved(tmp_path_factory):
    folder = tmp_path_factory.mktemp("evolved") / "run"
    main([*EVOLVE, "--out", str(folder)])
    return folder


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["evlove"], "did you mean evolve"),
        (["train", "--task", "flatt"], "did you mean flat"),
        (["train", "--body", "antt"], "did you mean ant"),
        (["evolve", "--task", "flatt"], "did you mean flat"),
        (["evolve", "--preset", "quickstrat"], "did you mean quickstart"),
        (["evolve", "--preset", "missing.yaml"], "missing.yaml"),
        (["train", "--config", "missing.yaml"], "missing.yaml"),
        (["evolve", "--lifetimes", "0"], "lifetimes"),
        (["evolve", "--device", "cuda"], "cuda"),
        (["train", "--worlds", "0"], "worlds"),
        (["train", "--steps", "0"], "steps"),
        (["train", "--device", "gpu"], "warp-cpu"),
        (["train", "--ppo.minibatch", "0"], "minibatch"),
        (["play"], "name a run"),
        (["eval", "nowhere"], "holds no run"),
        (["eval", "--policy", "zero", "--episodes", "0"], "episodes"),
        (["report", "nowhere"], "holds no run"),
        (["train", "--stepz", "3"], "--steps"),
        (["train", "--seed", "-1"], "seed"),
        (["evolve", "--seed", str(2**63)], "seed"),
        (["eval", "--policy", "zero", "--seed", "-1"], "seed"),
        (["train", "--worlds", "1000000000000"], "worlds"),
        (["train", "--steps", "2000"], "learn nothing"),
        (["train", "--ppo.gamma", "7"], "gamma"),
        (["train", "--ppo.learning-rate", "nan"], "learning-rate"),
        (["train", "--policy.hidden", "0"], "hidden"),
        (["evolve", "--episodes", "15"], "episodes"),
        (["bench", "--worlds", "0"], "worlds"),
        (["bench", "--json", "."], "folder"),
        (["play", "--policy", "zero", "--seconds", "0"], "seconds"),
        (["play", "--policy", "zero", "--width", "101"], "width"),
        (["play", "--policy", "zero", "--video", "."], "folder"),
    ],
)
def test_a_wrong_name_or_number_is_refused_with_the_way_out(capsys, tmp_path, monkeypatch, arguments, says):
    monkeypatch.chdir(tmp_path)
    assert says in refused(capsys, *arguments)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("{", "is not JSON"),
        ('{"format": "embodied.genome", "version": 9}', "newer"),
        (to_json(find_body("ant").genome).replace('"gear": 200', '"gear": 7'), "gear"),
        (to_json(find_body("ant").genome).replace('"gear": 200', '"gear": ' + "9" * 5000), "is not JSON"),
        (to_json(find_body("ant").genome).replace('"height": 0.2', '"height": 1' + "0" * 400), "height"),
    ],
)
def test_a_broken_genome_is_refused_naming_its_file(capsys, tmp_path, text, says):
    genome = tmp_path / "mine.json"
    genome.write_text(text)
    error = refused(capsys, *TRAIN, "--body", genome, "--out", tmp_path / "run")
    assert "mine.json" in error
    assert says in error
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("text", ["steps: many", "stepz: 3", "- 1", "ppo: {clip: high}", "a: [", "\x00"])
def test_a_preset_that_does_not_fit_is_refused_naming_its_file(capsys, tmp_path, text):
    preset = tmp_path / "mine.yaml"
    preset.write_text(text)
    assert "mine.yaml" in refused(capsys, "train", "--preset", preset, "--out", tmp_path / "run")
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("command", [TRAIN, EVOLVE])
def test_an_existing_run_is_neither_overwritten_nor_mixed_up(capsys, trained, evolved, command):
    folder = trained if command is TRAIN else evolved
    before = everything(folder)
    assert "--resume" in refused(capsys, *command, "--out", folder)
    assert "seed" in refused(capsys, *command, "--out", folder, "--seed", "5", "--resume")
    assert "rollout_steps" in refused(capsys, *command, "--out", folder, "--resume", "--ppo.rollout-steps", "4")
    other = EVOLVE if command is TRAIN else TRAIN
    assert "another configuration" in refused(capsys, *other, "--out", folder, "--resume")
    assert everything(folder) == before


def test_a_finished_run_resumed_reports_and_is_left_alone(capsys, trained, evolved):
    for command, folder in ((TRAIN, trained), (EVOLVE, evolved)):
        before = everything(folder)
        main([*command, "--out", str(folder), "--resume"])
        assert "finished already" in capsys.readouterr().out
        assert everything(folder) == before


def test_a_folder_of_something_else_is_left_alone(capsys, tmp_path):
    (tmp_path / "thesis.tex").write_text("\\begin{document}")
    assert "thesis.tex" in refused(capsys, *TRAIN, "--out", tmp_path)
    assert "is a file" in refused(capsys, *TRAIN, "--out", tmp_path / "thesis.tex")
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.tex"]


def test_a_run_in_use_is_refused_with_the_pid_of_its_user(capsys, tmp_path):
    folder = tmp_path / "run"
    living = subprocess.Popen(
        [sys.executable, "-m", "embodied", *TRAIN, "--steps", "10000000", "--out", folder],
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert living.stdout is not None
        living.stdout.readline()  # it says what it will do once it holds the folder
        assert str(living.pid) in refused(capsys, *TRAIN, "--steps", "10000000", "--out", folder, "--resume")
    finally:
        living.kill()
        living.wait()
        if living.stdout:
            living.stdout.close()
    main([*TRAIN, "--out", str(folder), "--resume"])  # the lock went with the process


def test_a_checkpoint_cut_short_is_named_and_an_older_one_serves(capsys, trained, tmp_path):
    folder = tmp_path / "run"
    shutil.copytree(trained, folder)
    (folder / "policy.safetensors").unlink()
    (folder / "evaluation.json").unlink()
    for tensors in (folder / "checkpoints").glob("*/tensors.safetensors"):
        tensors.write_bytes(tensors.read_bytes()[:100])
    assert "tensors.safetensors is damaged" in refused(capsys, "eval", folder)
    assert "tensors.safetensors is damaged" in refused(capsys, *TRAIN, "--out", folder, "--resume")


def test_a_damaged_policy_is_named(capsys, trained, tmp_path):
    folder = tmp_path / "run"
    shutil.copytree(trained, folder)
    policy = folder / "policy.safetensors"
    policy.write_bytes(policy.read_bytes()[:50])
    assert "policy.safetensors is damaged" in refused(capsys, "eval", folder, "--episodes", "1")


def test_a_ledger_that_is_none_is_named(capsys, evolved, tmp_path):
    folder = tmp_path / "run"
    shutil.copytree(evolved, folder)
    for leftover in folder.glob("ledger.sqlite-*"):
        leftover.unlink()
    (folder / "ledger.sqlite").write_bytes(b"not a ledger" * 100)
    assert "ledger.sqlite" in refused(capsys, "report", folder)
    assert "ledger.sqlite" in refused(capsys, *EVOLVE, "--out", folder, "--resume")
    assert (folder / "ledger.sqlite").read_bytes() == b"not a ledger" * 100


@pytest.mark.parametrize("kind", [errno.ENOSPC, errno.EACCES])
def test_no_space_and_no_permission_are_said_in_words(capsys, tmp_path, monkeypatch, kind):
    def refuse(*_):
        raise OSError(kind, os.strerror(kind), str(tmp_path))

    monkeypatch.setattr("os.fsync", refuse)
    error = refused(capsys, *TRAIN, "--out", tmp_path / "run")
    assert ("no space" if kind == errno.ENOSPC else "no permission") in error
    monkeypatch.undo()
    main([*TRAIN, "--out", str(tmp_path / "run"), "--resume"])


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs Linux's /dev/full")
def test_a_disk_that_fills_up_while_training_loses_nothing(capsys, tmp_path, monkeypatch):
    folder = tmp_path / "run"
    written = []
    real = os.fsync

    def fill_up(handle):
        written.append(handle)
        if len(written) > 8:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(folder))
        real(handle)

    monkeypatch.setattr("os.fsync", fill_up)
    assert "no space" in refused(capsys, *TRAIN, "--checkpoint-every", "1", "--out", folder)
    monkeypatch.undo()
    main([*TRAIN, "--checkpoint-every", "1", "--out", str(folder), "--resume"])
    assert (folder / "evaluation.json").exists()


def test_looking_at_a_run_writes_nothing_into_it(capsys, evolved, tmp_path):
    before = everything(evolved)
    main(["report", str(evolved), "--json", str(tmp_path / "figures.json")])
    assert everything(evolved) == before
    main(["report", str(evolved)])
    assert {path: content for path, content in everything(evolved).items() if path.parts[0] != "report"} == before
    folder = tmp_path / "run"
    shutil.copytree(evolved, folder)
    for file in folder.glob("ledger.sqlite*"):
        file.unlink()
    assert "no ledger" in refused(capsys, "report", folder)
    assert not (folder / "ledger.sqlite").exists()


def test_the_steps_of_a_lifetime_cannot_change_while_an_evolution_runs(capsys, evolved):
    assert "steps" in refused(capsys, *EVOLVE, "--steps", "128", "--out", evolved, "--resume")


def test_a_finished_training_goes_on_when_its_total_is_raised(capsys, trained, tmp_path):
    folder = tmp_path / "run"
    shutil.copytree(trained, folder)
    main([*TRAIN, "--steps", "512", "--out", str(folder), "--resume"])
    assert "from step 256 on" in capsys.readouterr().out
    main(["train", "--config", str(folder / "config.yaml"), "--out", str(folder), "--resume"])
    assert "finished already" in capsys.readouterr().out


def test_an_evolution_in_which_every_lifetime_fails_is_not_a_success(capsys, tmp_path):
    error = refused(capsys, *EVOLVE, "--ppo.learning-rate", "1e30", "--out", tmp_path / "run")
    assert "every lifetime" in error


def test_a_lifetime_that_could_not_write_is_not_counted_as_failed(capsys, evolved, tmp_path):
    folder = tmp_path / "run"
    shutil.copytree(evolved, folder)
    shutil.rmtree(folder / "lifetimes")
    (folder / "lifetimes").write_text("in the way")
    arguments = [*EVOLVE, "--lifetimes", "3", "--out", folder, "--resume"]
    assert "lifetimes" in refused(capsys, *arguments)
    (folder / "lifetimes").unlink()
    main([str(a) for a in arguments])
    main(["report", str(folder), "--json", str(tmp_path / "figures.json")])
    figures = json.loads((tmp_path / "figures.json").read_text())
    assert (figures["lifetimes_finished"], figures["lifetimes_failed"]) == (3, 0)
