"""What can be wrong with an evolution's folder: each is refused by name, and nothing is harmed."""

import sqlite3
import subprocess
import sys

import pytest
import yaml

from embodied.cli.main import main
from tests.cli.test_bad_input import EVOLVE, everything, refused

LONG = [*EVOLVE, "--lifetimes", "4", "--population", "2"]


@pytest.fixture(scope="module")
def lived(tmp_path_factory):
    folder = tmp_path_factory.mktemp("lived") / "run"
    main([*LONG, "--out", str(folder)])
    return folder


def rows_and_files(folder):
    db = sqlite3.connect(f"file:{folder}/ledger.sqlite?mode=ro", uri=True)
    rows = list(db.iterdump())
    db.close()
    return rows, {path: content for path, content in everything(folder).items() if "ledger.sqlite" not in path.name}


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ("UPDATE meta SET value = '99' WHERE key = 'version'", "version 99, newer than"),
        ("UPDATE meta SET value = '1' WHERE key = 'version'", "version 1, older than"),
        ("UPDATE lifetimes SET genome = '' WHERE id = 1", "lifetime 1 has no genome"),
        ("UPDATE lifetimes SET genome = '{}' WHERE id = 1", "genome of lifetime 1"),
        ("DELETE FROM lifetimes WHERE id = 1", "lifetime 1 is missing"),
        ("UPDATE lifetimes SET parent = 3 WHERE id = 0", "lifetime 0 descends from 3"),
        ("UPDATE lifetimes SET parent = 2 WHERE id = 2", "it is its own ancestor"),
        ("DROP TABLE rungs", "has lost its rungs"),
    ],
)
def test_a_damaged_ledger_is_refused_by_name_and_left_as_it_was(capsys, lived, tmp_path, change, says):
    folder = tmp_path / "run"
    folder.mkdir()
    for path in lived.iterdir():
        if path.is_file() and not path.name.startswith("ledger.sqlite-"):
            (folder / path.name).write_bytes(path.read_bytes())
    db = sqlite3.connect(folder / "ledger.sqlite")
    db.execute("PRAGMA foreign_keys = OFF")
    db.execute(change)
    db.commit()
    db.close()
    before = rows_and_files(folder)
    for command in ([*LONG, "--out", folder, "--resume"], ["report", folder], ["play", folder]):
        if command[0] == "evolve" or "genome of" not in says:
            assert says in refused(capsys, *command)
    assert rows_and_files(folder) == before


def test_a_second_driver_is_told_the_first_one_s_pid(capsys, tmp_path):
    folder = tmp_path / "run"
    endless = [*LONG, "--steps", "100000000", "--out", str(folder)]
    living = subprocess.Popen([sys.executable, "-m", "embodied", *endless], stdout=subprocess.PIPE, text=True)
    try:
        assert living.stdout is not None
        living.stdout.readline()
        assert str(living.pid) in refused(capsys, *endless, "--resume")
    finally:
        living.kill()
        living.wait()
        if living.stdout:
            living.stdout.close()


def test_a_resumed_run_whose_preset_changed_is_refused_naming_the_field(capsys, tmp_path):
    preset, folder = tmp_path / "mine.yaml", tmp_path / "run"
    preset.write_text(yaml.safe_dump({"search": "tournament", "ppo": {"gamma": 0.99}}))
    main([*EVOLVE, "--preset", str(preset), "--out", str(folder)])
    before = everything(folder)
    for changed, says in (
        ({"search": "map-elites", "ppo": {"gamma": 0.99}}, "search: 'tournament' -> 'map-elites'"),
        ({"search": "tournament", "ppo": {"gamma": 0.9}}, "ppo.gamma: 0.99 -> 0.9"),
    ):
        preset.write_text(yaml.safe_dump(changed))
        again = [*EVOLVE, "--preset", str(preset), "--out", folder, "--resume", "--lifetimes", "3"]
        assert says in refused(capsys, *again)
    assert everything(folder) == before


@pytest.mark.parametrize(
    ("flags", "says"),
    [
        (["--objectives", "fitness", "beauty"], "beauty"),
        (["--objectives", "fitness", "limbs"], "for nsga2"),
        (["--search", "nsga2", "--objectives", "limbs", "limbs"], "different"),
        (["--halving-factor", "1"], "--halving-factor"),
        (["--patience", "1"], "--patience"),
        (["--memory", "0.01"], "--memory"),
        (["--checkpoint-seconds", "-1"], "--checkpoint-seconds"),
        (["--checkpoint-seconds", "nan"], "--checkpoint-seconds"),
    ],
)
def test_an_impossible_evolution_is_refused_by_its_flag(capsys, tmp_path, flags, says):
    assert says in refused(capsys, *EVOLVE, *flags, "--out", tmp_path / "run")
    assert not (tmp_path / "run").exists()
