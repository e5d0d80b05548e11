"""The ledger: who was born from whom by which mutation, and what each lifetime of learning gave. SQLite, WAL."""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from embodied.runs.errors import UserError
from morphologies import Genome, GenomeError, from_json

LEDGER = "ledger.sqlite"
"""Its name in an evolution's folder."""
FORMAT = "embodied.ledger"
VERSION = 2
TIMES = ("started_at", "finished_at", "wall_seconds", "cpu_seconds", "stints")
"""Columns in which two runs of one seed differ: when, how long, and how often they were interrupted."""

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
    budget INTEGER,
    environment_steps INTEGER,
    stopped_at_rung INTEGER,
    unhealthy_episodes INTEGER,
    description TEXT,
    measures TEXT,
    versions TEXT,
    failure TEXT,
    error TEXT,
    stints INTEGER,
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
CREATE TABLE rungs (
    lifetime INTEGER NOT NULL REFERENCES lifetimes (id),
    rung INTEGER NOT NULL,
    steps INTEGER NOT NULL,
    value REAL,
    goes_on INTEGER NOT NULL,
    PRIMARY KEY (lifetime, rung)
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


Point = tuple[int, float | None, float | None, float | None]
"""Of a learning curve: environment steps, and mean return, fitness and length of the last episodes."""


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
    budget: int
    """Environment steps that the lifetime was to have."""
    environment_steps: int
    stopped_at_rung: int | None
    """Where successive halving cut it short; None where it did not."""
    unhealthy_episodes: int
    description: dict[str, float]
    measures: dict[str, float | None]
    """See `embodied.evolution.measures`."""
    versions: dict[str, str]
    curve: list[Point]
    """(steps, mean return, mean fitness, mean length) of the last episodes, per iteration."""
    evaluation: list[tuple[float, float, int]]
    """(return, fitness, length) per episode."""
    stints: int
    """In how many it was lived: 1 and one for every time it was interrupted after it had begun."""
    wall_seconds: float
    cpu_seconds: float


@dataclass(frozen=True)
class Failure:
    """What a lifetime that failed left."""

    kind: str
    """``error``, ``died``, ``hung`` or ``memory``."""
    error: str
    steps: int
    """Environment steps that it had made."""


def genome_of(row: Mapping[str, Any]) -> Genome:
    """The genome of a lifetime's row.

    Raises:
        UserError: it is none.
    """
    try:
        return from_json(row["genome"])
    except GenomeError as error:
        raise UserError(f"the ledger is damaged: the genome of lifetime {row['id']} is none ({error})") from None


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
        if int(meta["version"]) > VERSION:
            raise UserError(f"{self.path} has version {meta['version']}, newer than the {VERSION} read here; upgrade")
        if int(meta["version"]) < VERSION:
            raise UserError(
                f"{self.path} has version {meta['version']}, older than {VERSION}: read it with its own embodied"
            )
        if missing := {"lifetimes", "curves", "rungs", "evaluations"} - tables:
            raise UserError(f"{self.path} is damaged: it has lost its {', '.join(sorted(missing))}")

    def _transaction(self) -> _Transaction:
        return _Transaction(self._db, self.path)

    def begin(self, *births: Birth) -> None:
        """Lifetimes begin, all or none; one that was running when the driver died begins again as it was."""
        with self._transaction():
            for birth in births:
                self._begin(birth)

    def _begin(self, birth: Birth) -> None:
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
        self.end({lifetime: outcome})

    def fail(self, lifetime: int, failure: str, error: str, steps: int) -> None:
        """A lifetime ended in failure; it is counted, and never a parent.

        Args:
            lifetime: which.
            failure: its kind: ``error``, ``died``, ``hung`` or ``memory``.
            error: what there is to say.
            steps: environment steps that it had made.
        """
        self.end({lifetime: Failure(failure, error, steps)})

    def end(self, ends: Mapping[int, Outcome | Failure]) -> None:
        """Lifetimes ended, in that order, and together: either all of it is in the ledger or nothing."""
        with self._transaction():
            for lifetime, end in ends.items():
                if isinstance(end, Failure):
                    self._fail(lifetime, end)
                else:
                    self._finish(lifetime, end)

    def _finish(self, lifetime: int, outcome: Outcome) -> None:
        self._db.execute(
            "UPDATE lifetimes SET status = 'finished', finish_order = ?, fitness = ?, fitness_std = ?, "
            "fitness_low = ?, fitness_high = ?, derl_fitness = ?, budget = ?, environment_steps = ?, "
            "stopped_at_rung = ?, unhealthy_episodes = ?, description = ?, measures = ?, versions = ?, stints = ?, "
            "finished_at = ?, wall_seconds = ?, cpu_seconds = ? WHERE id = ?",
            (
                *(self._next_order(), outcome.fitness, outcome.fitness_std, outcome.fitness_low),
                *(outcome.fitness_high, outcome.derl_fitness, outcome.budget, outcome.environment_steps),
                *(outcome.stopped_at_rung, outcome.unhealthy_episodes, json.dumps(outcome.description)),
                *(json.dumps(outcome.measures), json.dumps(outcome.versions), outcome.stints),
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

    def _fail(self, lifetime: int, failure: Failure) -> None:
        self._db.execute(
            "UPDATE lifetimes SET status = 'failed', finish_order = ?, failure = ?, error = ?, "
            "environment_steps = ?, finished_at = ? WHERE id = ?",
            (self._next_order(), failure.kind, failure.error, failure.steps, time.time(), lifetime),
        )

    def reach(self, lifetime: int, rung: int, steps: int, value: float | None, goes_on: bool) -> None:
        """A lifetime reached a rung of successive halving, and what was decided."""
        with self._transaction():
            self._db.execute("INSERT INTO rungs VALUES (?, ?, ?, ?, ?)", (lifetime, rung, steps, value, goes_on))

    def rungs(self) -> list[dict[str, Any]]:
        """All decisions of successive halving."""
        return [dict(row) for row in self._db.execute("SELECT * FROM rungs ORDER BY lifetime, rung")]

    def _next_order(self) -> int:
        return self._db.execute("SELECT coalesce(max(finish_order), -1) + 1 FROM lifetimes").fetchone()[0]

    def lifetimes(self, status: str | None = None) -> list[dict[str, Any]]:
        """All lifetimes, or those of a status, by id."""
        where, values = ("WHERE status = ?", (status,)) if status else ("", ())
        try:
            rows = [dict(row) for row in self._db.execute(f"SELECT * FROM lifetimes {where} ORDER BY id", values)]
        except sqlite3.Error as error:
            raise _explained(self.path, error) from None
        self._refuse_damage(rows, complete=status is None)
        return rows

    def _refuse_damage(self, rows: list[dict[str, Any]], complete: bool) -> None:
        """Raises UserError where a row that others stand on is missing, has no genome, or descends from itself."""

        def damaged(what: str) -> UserError:
            return UserError(f"{self.path} is damaged: {what}")

        for number, row in enumerate(rows):
            if complete and row["id"] != number:
                raise damaged(f"lifetime {number} is missing")
            if not row["genome"]:
                raise damaged(f"lifetime {row['id']} has no genome")
            if row["parent"] is not None and not 0 <= row["parent"] < row["id"]:
                raise damaged(
                    f"lifetime {row['id']} descends from {row['parent']}, which is not older: it is its own ancestor"
                )

    def curves(self) -> dict[int, list[Point]]:
        """All learning curves by lifetime."""
        found: dict[int, list[Point]] = {}
        for lifetime, *point in self._db.execute("SELECT * FROM curves ORDER BY lifetime, steps"):
            found.setdefault(lifetime, []).append(tuple(point))
        return found

    def curve(self, lifetime: int) -> list[dict[str, Any]]:
        """A lifetime's learning curve."""
        rows = self._db.execute(
            "SELECT steps, reward, fitness, length FROM curves WHERE lifetime = ? ORDER BY steps", (lifetime,)
        )
        return [dict(row) for row in rows]

    def dump(self) -> Iterator[tuple[Any, ...]]:
        """Every row of every table, times left out: equal for two runs of one seed with one worker."""
        for table in ("meta", "lifetimes", "curves", "rungs", "evaluations"):
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


@contextmanager
def read_ledger(run: Path) -> Iterator[Ledger]:
    """The ledger in an evolution's folder, to look only: who writes it is not disturbed.

    Raises:
        UserError: there is none yet, or it is damaged.
    """
    path = run / LEDGER
    if not path.exists():
        raise UserError(f"{run} holds no ledger yet: the evolution has not begun")
    with closing(Ledger(path, readonly=True)) as ledger:
        try:
            yield ledger
        except sqlite3.Error as error:
            raise _explained(path, error) from None


def _explained(path: Path, error: sqlite3.Error) -> UserError:
    text = str(error)
    if "full" in text:
        return UserError(f"there is no space left to write {path}; free some, then go on with --resume")
    if "locked" in text:
        return UserError(f"{path} is locked by another program; close that, then go on with --resume")
    if "readonly" in text or "unable to open" in text:
        return UserError(f"there is no permission to write {path}; choose another --out, or change its permissions")
    return UserError(f"{path} is damaged or no ledger: {text}")
