"""The ledger: who was born from whom by which mutation, and what each lifetime of learning gave. SQLite, WAL."""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from embodied.runs.errors import UserError

FORMAT = "embodied.ledger"
VERSION = 1
TIMES = ("started_at", "finished_at", "wall_seconds", "cpu_seconds")
"""Columns in which two runs of one seed differ."""

_SCHEMA = """
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE lifetimes (
    id INTEGER PRIMARY KEY,
    parent INTEGER REFERENCES lifetimes (id),
    generation INTEGER NOT NULL,
    operator TEXT,
    attempts INTEGER NOT NULL,
    failed_operators TEXT NOT NULL,
    genome TEXT NOT NULL,
    fingerprint TEXT NOT NULL,
    seed INTEGER NOT NULL,
    status TEXT NOT NULL CHECK (status IN ('running', 'finished', 'failed')),
    finish_order INTEGER UNIQUE,
    fitness REAL,
    fitness_std REAL,
    fitness_low REAL,
    fitness_high REAL,
    derl_fitness REAL,
    environment_steps INTEGER,
    unhealthy_episodes INTEGER,
    description TEXT,
    versions TEXT,
    error TEXT,
    started_at REAL NOT NULL,
    finished_at REAL,
    wall_seconds REAL,
    cpu_seconds REAL
);
CREATE TABLE curves (
    lifetime INTEGER NOT NULL REFERENCES lifetimes (id),
    steps INTEGER NOT NULL,
    reward REAL,
    fitness REAL,
    length REAL,
    PRIMARY KEY (lifetime, steps)
) WITHOUT ROWID;
CREATE TABLE evaluations (
    lifetime INTEGER NOT NULL REFERENCES lifetimes (id),
    episode INTEGER NOT NULL,
    reward REAL NOT NULL,
    fitness REAL NOT NULL,
    length INTEGER NOT NULL,
    PRIMARY KEY (lifetime, episode)
) WITHOUT ROWID;
"""


@dataclass(frozen=True)
class Birth:
    """A lifetime as it begins."""

    id: int
    parent: int | None
    generation: int
    operator: str | None
    """The mutation that made the genome; None for the initial population."""
    attempts: int
    failed_operators: dict[str, int]
    genome: str
    """JSON."""
    fingerprint: str
    seed: int


@dataclass(frozen=True)
class Outcome:
    """What a lifetime gave."""

    fitness: float
    """Mean over the evaluation's episodes of what the task measures; on ``flat`` the sum of forward velocities, m/s,
    over control steps."""
    fitness_std: float
    """Over the episodes."""
    fitness_low: float
    fitness_high: float
    """The 95 % bootstrap interval of the mean."""
    derl_fitness: float | None
    """Mean over the last 8 % of iterations of the mean of the last 10 finished episodes; None when no episode could
    reach its time limit."""
    environment_steps: int
    unhealthy_episodes: int
    description: dict[str, float]
    versions: dict[str, str]
    curve: list[tuple[int, float | None, float | None, float | None]]
    """(steps, mean return, mean fitness, mean length) of the last episodes, per iteration."""
    evaluation: list[tuple[float, float, int]]
    """(return, fitness, length) per episode."""
    wall_seconds: float
    cpu_seconds: float


class Ledger:
    """One evolution's database. Only the driver opens it for writing; each call is one transaction."""

    def __init__(self, path: Path, readonly: bool = False) -> None:
        """Opens a ledger, or makes one.

        Args:
            path: of the file.
            readonly: to look only; nothing is then written, and a ledger that is not there is refused.

        Raises:
            UserError: the file is not a ledger, is damaged, or comes from a newer version.
        """
        self.path = path
        try:
            where = f"{path.absolute().as_uri()}?mode={'ro' if readonly else 'rwc'}"
            self._db = sqlite3.connect(where, uri=True, isolation_level=None, timeout=30)
            self._db.row_factory = sqlite3.Row
            self._check()
            if readonly:
                return
            self._db.execute("PRAGMA journal_mode = WAL")
            self._db.execute("PRAGMA synchronous = FULL")
            self._db.execute("PRAGMA foreign_keys = ON")
            if not self._tables():
                with self._transaction():
                    for statement in _SCHEMA.split(";\n"):
                        if statement.strip():
                            self._db.execute(statement)
                    rows = [("format", FORMAT), ("version", str(VERSION))]
                    self._db.executemany("INSERT INTO meta VALUES (?, ?)", rows)
        except sqlite3.DatabaseError as error:
            raise _explained(path, error) from None

    def _tables(self) -> set[str]:
        return {row[0] for row in self._db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}

    def _check(self) -> None:
        tables = self._tables()
        if not tables:
            return
        meta = dict(self._db.execute("SELECT key, value FROM meta")) if "meta" in tables else {}
        if meta.get("format") != FORMAT or not str(meta.get("version")).isdecimal():
            raise UserError(f"{self.path} is a database, but no ledger of embodied")
        if missing := {"lifetimes", "curves", "evaluations"} - tables:
            raise UserError(f"{self.path} is damaged: it has lost its {', '.join(sorted(missing))}")
        if int(meta["version"]) > VERSION:
            raise UserError(f"{self.path} has version {meta['version']}, newer than the {VERSION} read here; upgrade")

    def _transaction(self) -> _Transaction:
        return _Transaction(self._db, self.path)

    def begin(self, birth: Birth) -> None:
        """A lifetime begins; one that was running when the driver died begins again as it was."""
        with self._transaction():
            self._db.execute(
                "INSERT INTO lifetimes (id, parent, generation, operator, attempts, failed_operators, genome, "
                "fingerprint, seed, status, started_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, 'running', ?) "
                "ON CONFLICT (id) DO UPDATE SET started_at = excluded.started_at WHERE status = 'running'",
                (
                    *(birth.id, birth.parent, birth.generation, birth.operator, birth.attempts),
                    *(json.dumps(birth.failed_operators), birth.genome, birth.fingerprint, birth.seed, time.time()),
                ),
            )

    def finish(self, lifetime: int, outcome: Outcome) -> None:
        """A lifetime ended well."""
        with self._transaction():
            self._db.execute(
                "UPDATE lifetimes SET status = 'finished', finish_order = ?, fitness = ?, fitness_std = ?, "
                "fitness_low = ?, fitness_high = ?, derl_fitness = ?, environment_steps = ?, unhealthy_episodes = ?, "
                "description = ?, versions = ?, finished_at = ?, wall_seconds = ?, cpu_seconds = ? WHERE id = ?",
                (
                    *(self._next_order(), outcome.fitness, outcome.fitness_std, outcome.fitness_low),
                    *(outcome.fitness_high, outcome.derl_fitness, outcome.environment_steps),
                    *(outcome.unhealthy_episodes, json.dumps(outcome.description), json.dumps(outcome.versions)),
                    *(time.time(), outcome.wall_seconds, outcome.cpu_seconds, lifetime),
                ),
            )
            self._db.executemany(
                "INSERT INTO curves VALUES (?, ?, ?, ?, ?)", [(lifetime, *point) for point in outcome.curve]
            )
            self._db.executemany(
                "INSERT INTO evaluations VALUES (?, ?, ?, ?, ?)",
                [(lifetime, episode, *figures) for episode, figures in enumerate(outcome.evaluation)],
            )

    def fail(self, lifetime: int, error: str) -> None:
        """A lifetime ended in failure; it is counted, and never a parent."""
        with self._transaction():
            self._db.execute(
                "UPDATE lifetimes SET status = 'failed', finish_order = ?, error = ?, finished_at = ? WHERE id = ?",
                (self._next_order(), error, time.time(), lifetime),
            )

    def _next_order(self) -> int:
        return self._db.execute("SELECT coalesce(max(finish_order), -1) + 1 FROM lifetimes").fetchone()[0]

    def lifetimes(self, status: str | None = None) -> list[dict[str, Any]]:
        """All lifetimes, or those of a status, by id."""
        where, values = ("WHERE status = ?", (status,)) if status else ("", ())
        try:
            return [dict(row) for row in self._db.execute(f"SELECT * FROM lifetimes {where} ORDER BY id", values)]
        except sqlite3.Error as error:
            raise _explained(self.path, error) from None

    def curve(self, lifetime: int) -> list[dict[str, Any]]:
        """A lifetime's learning curve."""
        rows = self._db.execute(
            "SELECT steps, reward, fitness, length FROM curves WHERE lifetime = ? ORDER BY steps", (lifetime,)
        )
        return [dict(row) for row in rows]

    def dump(self) -> Iterator[tuple[Any, ...]]:
        """Every row of every table, times left out: equal for two runs of one seed with one worker."""
        for table in ("meta", "lifetimes", "curves", "evaluations"):
            for row in self._db.execute(f"SELECT * FROM {table} ORDER BY 1, 2"):
                yield (table, *(row[key] for key in row.keys() if key not in TIMES))  # noqa: SIM118 - sqlite3.Row

    def close(self) -> None:
        """Closes the database."""
        self._db.close()


class _Transaction:
    """All or nothing; what SQLite refuses becomes a sentence."""

    def __init__(self, db: sqlite3.Connection, path: Path) -> None:
        self._db, self._path = db, path

    def __enter__(self) -> None:
        try:
            self._db.execute("BEGIN IMMEDIATE")
        except sqlite3.Error as error:
            raise _explained(self._path, error) from None

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        try:
            self._db.execute("COMMIT" if kind is None else "ROLLBACK")
        except sqlite3.Error as problem:
            error = error or problem
        if isinstance(error, sqlite3.Error):
            raise _explained(self._path, error) from None


def _explained(path: Path, error: sqlite3.Error) -> UserError:
    text = str(error)
    if "full" in text:
        return UserError(f"there is no space left to write {path}; free some, then go on with --resume")
    if "locked" in text:
        return UserError(f"{path} is locked by another program; close that, then go on with --resume")
    if "readonly" in text or "unable to open" in text:
        return UserError(f"there is no permission to write {path}; choose another --out, or change its permissions")
    return UserError(f"{path} is damaged or no ledger: {text}")
