"""Run folders: what they begin on, go on with, and refuse."""

import errno
import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from embodied.runs.errors import UserError
from embodied.runs.folder import RunFolder, read_run_config
from embodied.runs.lock import RunLock

CONFIG = {"seed": 3, "steps": 1000, "device": "cpu", "ppo": {"gamma": 0.99, "minibatch": 512}}


def begin(path, config=CONFIG, kind="train", resume=False):
    with RunFolder.open(path, kind, config, resume) as folder:
        return folder.fresh


def contents(path):
    return {p.relative_to(path): p.read_bytes() for p in path.rglob("*") if p.is_file() and p.name != ".lock"}


def test_a_run_begins_in_a_new_folder_and_stores_its_whole_configuration(tmp_path):
    path = tmp_path / "deep" / "run"
    assert begin(path)
    assert read_run_config(path) == {"kind": "train", **CONFIG}
    assert yaml.safe_load((path / "config.yaml").read_text())["ppo"]["gamma"] == 0.99


@pytest.mark.parametrize("resume", [False, True])
def test_an_empty_or_half_made_folder_is_begun_whether_or_not_it_is_to_be_resumed(tmp_path, resume):
    assert begin(tmp_path / "new", resume=resume)
    (tmp_path / "empty").mkdir()
    assert begin(tmp_path / "empty", resume=resume)
    half = tmp_path / "half"
    half.mkdir()
    (half / ".lock").write_text("123")
    (half / ".config.yaml.123.tmp").write_text("kind: tr")
    assert begin(half, resume=resume)
    assert read_run_config(half)["kind"] == "train"


def test_a_run_is_continued_only_when_asked(tmp_path):
    begin(tmp_path / "run")
    before = contents(tmp_path / "run")
    with pytest.raises(UserError, match=r"run.*--resume.*--out"):
        begin(tmp_path / "run")
    assert contents(tmp_path / "run") == before
    assert begin(tmp_path / "run", resume=True) is False


@pytest.mark.parametrize("field", ["steps", "device"])
def test_totals_and_places_may_differ_at_resume(tmp_path, field):
    begin(tmp_path)
    assert begin(tmp_path, {**CONFIG, field: "other"}, resume=True) is False


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"seed": 4}, "seed: 3 -> 4"),
        ({"ppo": {"gamma": 0.9, "minibatch": 512}}, "ppo.gamma: 0.99 -> 0.9"),
        ({"ppo": {"gamma": 0.99}}, "ppo.minibatch: 512 -> None"),
        ({"wings": 2}, "wings: None -> 2"),
    ],
)
def test_another_configuration_is_refused_naming_the_field(tmp_path, change, named):
    begin(tmp_path)
    before = contents(tmp_path)
    with pytest.raises(UserError) as refused:
        begin(tmp_path, {**CONFIG, **change}, resume=True)
    assert named in str(refused.value)
    assert str(tmp_path) in str(refused.value)
    assert contents(tmp_path) == before
    assert begin(tmp_path, resume=True) is False  # the refusal let the lock go


def test_every_differing_field_is_named_and_those_that_may_differ_are_not(tmp_path):
    begin(tmp_path)
    changed = {"seed": 5, "steps": 7, "device": "cuda", "ppo": {"gamma": 0.5, "minibatch": 512}}
    with pytest.raises(UserError) as refused:
        begin(tmp_path, changed, resume=True)
    assert "seed" in str(refused.value)
    assert "ppo.gamma" in str(refused.value)
    assert "steps" not in str(refused.value)
    assert "device" not in str(refused.value)


def test_the_folder_of_another_command_is_refused(tmp_path):
    begin(tmp_path)
    with pytest.raises(UserError, match="kind: 'train' -> 'evolve'"):
        begin(tmp_path, kind="evolve", resume=True)


@pytest.mark.parametrize("resume", [False, True])
def test_somebody_else_s_files_are_left_alone(tmp_path, resume):
    (tmp_path / "thesis.tex").write_text("precious")
    before = contents(tmp_path)
    with pytest.raises(UserError, match=r"thesis\.tex.*--out"):
        begin(tmp_path, resume=resume)
    assert contents(tmp_path) == before


@pytest.mark.parametrize("resume", [False, True])
def test_a_file_where_a_folder_should_be_is_refused(tmp_path, resume):
    file = tmp_path / "run"
    file.write_text("text")
    with pytest.raises(UserError, match=r"is a file.*--out"):
        begin(file, resume=resume)
    with pytest.raises(UserError, match="run"):
        begin(file / "below", resume=resume)
    assert file.read_text() == "text"


@pytest.mark.parametrize(
    ("code", "says"), [(errno.EACCES, "permission"), (errno.EROFS, "permission"), (errno.ENOSPC, "no space left")]
)
def test_a_folder_that_cannot_be_made_is_explained(tmp_path, monkeypatch, code, says):
    def refuse(path, *_, **__):
        raise OSError(code, os.strerror(code), str(path))

    monkeypatch.setattr(Path, "mkdir", refuse)
    with pytest.raises(UserError, match=says):
        begin(tmp_path / "run")


@pytest.mark.skipif(os.geteuid() == 0, reason="nothing can be denied to root")
def test_a_folder_without_permission_is_explained(tmp_path):
    tmp_path.chmod(0o500)
    with pytest.raises(UserError, match="permission"):
        begin(tmp_path / "run")


def test_a_beginning_that_fails_leaves_the_folder_free_and_is_begun_again(tmp_path, monkeypatch):
    def full(_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(tmp_path))

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        with pytest.raises(UserError, match="no space left") as refused:
            begin(tmp_path / "run")
    assert begin(tmp_path / "run")
    assert refused


@pytest.mark.parametrize("text", ["kind: [train", "just words", "seed: 3\n", "", "\x00"])
def test_a_damaged_configuration_is_named_and_the_folder_is_left_free(tmp_path, text):
    begin(tmp_path)
    (tmp_path / "config.yaml").write_text(text)
    with pytest.raises(UserError, match=r"config\.yaml") as refused:
        begin(tmp_path, resume=True)
    RunLock(tmp_path).release()
    assert refused


def test_reading_the_configuration_of_a_folder_without_a_run_is_refused(tmp_path):
    with pytest.raises(UserError, match=r"no run.*config\.yaml"):
        read_run_config(tmp_path)


def test_a_run_that_is_alive_cannot_be_taken_up_by_another(tmp_path):
    driver = (
        "import sys; from pathlib import Path; from embodied.runs.folder import RunFolder\n"
        f"folder = RunFolder.open(Path(sys.argv[1]), 'train', {CONFIG!r}, False)\n"
        "print('open', flush=True); sys.stdin.read()"
    )
    path = tmp_path / "run"
    with subprocess.Popen(
        [sys.executable, "-c", driver, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout.readline() == "open\n"
        with pytest.raises(UserError, match=rf"living process {process.pid}\b"):
            begin(path, resume=True)
        process.kill()
    assert begin(path, resume=True) is False
