"""The invariants of a ledger, read with sqlite3 and json alone: it shares no code with what wrote it."""

import json
import sqlite3
from pathlib import Path


def check_ledger(folder, lifetimes):
    """Raises AssertionError for the first promise that the run's ledger breaks; returns its rows by id."""
    db = sqlite3.connect(f"file:{folder}/ledger.sqlite?mode=ro", uri=True)
    db.row_factory = sqlite3.Row
    assert db.execute("PRAGMA integrity_check").fetchone()[0] == "ok"
    assert db.execute("PRAGMA foreign_key_check").fetchall() == []
    rows = {row["id"]: row for row in db.execute("SELECT * FROM lifetimes")}
    assert sorted(rows) == list(range(lifetimes)), "every lifetime is there once"
    assert all(row["status"] == "finished" for row in rows.values())
    assert sorted(row["finish_order"] for row in rows.values()) == list(range(lifetimes))
    for number, row in rows.items():
        genome = json.loads(row["genome"])
        assert json.loads(Path(folder, "lifetimes", f"{number:06d}", "genome.json").read_text()) == genome
        if row["parent"] is None:
            assert row["operator"] is None
            assert row["generation"] == 0
        else:
            parent = rows[row["parent"]]
            assert parent["id"] < number
            assert row["generation"] == parent["generation"] + 1
            assert genome != json.loads(parent["genome"])
        episodes = [e["fitness"] for e in db.execute("SELECT * FROM evaluations WHERE lifetime = ?", (number,))]
        assert abs(sum(episodes) / len(episodes) - row["fitness"]) < 1e-9 * max(1.0, abs(row["fitness"]))
        steps = [p["steps"] for p in db.execute("SELECT * FROM curves WHERE lifetime = ? ORDER BY steps", (number,))]
        assert steps == [steps[0] * (i + 1) for i in range(len(steps))], "every iteration counted once"
        assert steps[-1] == row["environment_steps"] == row["budget"]
        assert len(_stints(folder, number)) == row["stints"]
    fingerprints = [row["fingerprint"] for row in rows.values() if row["parent"] is None]
    assert len(set(fingerprints)) == len(fingerprints)
    db.close()
    return rows


def _stints(folder, number):
    path = Path(folder, "lifetimes", f"{number:06d}", "stints.jsonl")
    return [json.loads(line)["from_steps"] for line in path.read_text().splitlines()]


class Saved:
    """What was on disk at each kill, and whether every lifetime went on from there."""

    def __init__(self, folder):
        self._folder = folder
        self._seen = []

    def note(self):
        """Looks at the folder; nothing may be writing in it."""
        self._seen.append(
            {
                int(lifetime.name): (
                    len(_stints(self._folder, int(lifetime.name))) if (lifetime / "stints.jsonl").exists() else 0,
                    max((int(p.name) for p in (lifetime / "checkpoints").glob("[0-9]*")), default=0),
                )
                for lifetime in Path(self._folder, "lifetimes").glob("[0-9]*")
            }
        )

    def check(self):
        """No stint begins before a checkpoint that was there; so nothing is trained twice from the start."""
        resumed = 0
        for seen in self._seen:
            for lifetime, (stints, steps) in seen.items():
                for later in _stints(self._folder, lifetime)[stints:]:
                    assert later >= steps, f"lifetime {lifetime} went on from {later}, though it had reached {steps}"
                    resumed += later > 0
        return resumed
