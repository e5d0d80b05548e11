import json
import sqlite3

import pytest

from embodied.evolution.ledger import LEDGER, Birth, Ledger, read_ledger
from embodied.runs.errors import UserError
from morphologies import find_body, fingerprint, to_json
from tests.evolution.short import outcome


def birth(number, parent=None):
    genome = find_body("ant").genome
    operator = None if parent is None else "gear"
    return Birth(number, parent, 0 if parent is None else 1, operator, 1, {}, to_json(genome), fingerprint(genome), 7)


def test_a_lifetime_is_running_then_finished_with_its_curve_and_episodes(tmp_path):
    ledger = Ledger(tmp_path / "ledger.sqlite")
    ledger.begin(birth(0))
    assert [row["status"] for row in ledger.lifetimes()] == ["running"]
    ledger.finish(0, outcome(5.0))
    (row,) = ledger.lifetimes("finished")
    assert (row["fitness"], row["environment_steps"], row["finish_order"]) == (5.0, 4096, 0)
    assert json.loads(row["description"]) == {"mass": 10.0, "limbs": 4, "height": 0.5}
    assert [point["fitness"] for point in ledger.curve(0)] == [None, 4.0]


def test_a_failed_lifetime_is_kept_with_its_error_and_has_no_fitness(tmp_path):
    ledger = Ledger(tmp_path / "ledger.sqlite")
    ledger.begin(birth(0))
    ledger.fail(0, "died", "its worker died (signal SIGSEGV)", 4096)
    (row,) = ledger.lifetimes("failed")
    assert row["fitness"] is None
    assert "SIGSEGV" in row["error"]
    assert (row["failure"], row["environment_steps"]) == ("died", 4096)


def test_beginning_a_running_lifetime_again_changes_nothing_but_its_time(tmp_path):
    ledger = Ledger(tmp_path / "ledger.sqlite")
    ledger.begin(birth(0))
    before = list(ledger.dump())
    ledger.begin(birth(0))
    assert list(ledger.dump()) == before


def test_a_lifetime_is_written_whole_or_not_at_all(tmp_path):
    ledger = Ledger(tmp_path / "ledger.sqlite")
    ledger.begin(birth(0))
    twice = outcome()
    twice.curve.append(twice.curve[-1])  # breaks the key in the middle of the transaction
    with pytest.raises(UserError):
        ledger.finish(0, twice)
    assert [row["status"] for row in ledger.lifetimes()] == ["running"]
    assert ledger.curve(0) == []


def test_a_parent_must_have_lived(tmp_path):
    ledger = Ledger(tmp_path / "ledger.sqlite")
    with pytest.raises(UserError):
        ledger.begin(birth(1, parent=0))


def test_what_is_no_ledger_is_refused_and_left_as_it_was(tmp_path):
    text = tmp_path / "text.sqlite"
    text.write_text("this is not a database, but long enough to be looked at " * 20)
    other = tmp_path / "other.sqlite"
    with sqlite3.connect(other) as db:
        db.execute("CREATE TABLE recipes (name TEXT)")
    for path in (text, other):
        before = path.read_bytes()
        with pytest.raises(UserError, match=path.name):
            Ledger(path)
        assert path.read_bytes() == before


def test_a_ledger_of_a_newer_version_is_refused(tmp_path):
    path = tmp_path / "ledger.sqlite"
    Ledger(path).close()
    with sqlite3.connect(path) as db:
        db.execute("UPDATE meta SET value = '99' WHERE key = 'version'")
    with pytest.raises(UserError, match="newer"):
        Ledger(path)


def test_a_ledger_cut_short_is_refused(tmp_path):
    path = tmp_path / "ledger.sqlite"
    ledger = Ledger(path)
    ledger.begin(birth(0))
    ledger.close()
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(UserError, match="damaged"):
        Ledger(path).lifetimes()


def test_a_ledger_is_read_beside_who_writes_it_and_refused_where_there_is_none_or_it_is_damaged(tmp_path):
    with pytest.raises(UserError, match="has not begun"), read_ledger(tmp_path):
        pass
    writing = Ledger(tmp_path / LEDGER)
    writing.begin(birth(0))
    with read_ledger(tmp_path) as ledger:
        assert [row["id"] for row in ledger.lifetimes()] == [0]
        writing.begin(birth(1))
        assert [row["id"] for row in ledger.lifetimes()] == [0, 1]
        with pytest.raises(UserError, match="permission"):
            ledger.begin(birth(2))
    with pytest.raises(UserError, match="damaged or no ledger"), read_ledger(tmp_path) as ledger:
        ledger._db.execute("SELECT * FROM none_such")
    writing.close()
