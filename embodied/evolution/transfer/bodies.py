"""Which bodies of an evolution are trained again: chosen once, and kept in a file of the transfer's own."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from embodied.evolution.ledger import genome_of, read_ledger
from embodied.runs.errors import UserError
from embodied.runs.files import write_atomically
from embodied.runs.folder import read_run_config
from morphologies import to_json

FILE, FORMAT, VERSION = "bodies.json", "embodied.transfer", 1


@dataclass(frozen=True)
class Chosen:
    """A body that is trained again."""

    lifetime: int
    """Its number in the evolution: of equal bodies the fittest, of those the first."""
    rank: int | None
    """Place among the best, from 0; None for one that is here for the initial population alone."""
    initial_rank: int | None
    """Place among the best of the initial population; None for all others."""
    fitness: float
    """In the evolution."""
    generation: int
    fingerprint: str
    genome: str
    """JSON."""


@dataclass(frozen=True)
class Source:
    """The evolution that bodies come from, as far as a transfer tells of it."""

    task: str
    search: str
    seed: int
    population: int
    lifetimes: int
    """That had ended well when bodies were chosen."""


def read_evolution(run: Path) -> tuple[Source, list[dict[str, Any]]]:
    """The evolution in a folder and the rows of its lifetimes that ended well.

    Raises:
        UserError: there is no evolution, none of its lifetimes ended well, or its files are damaged or of another
            version.
    """
    config = read_run_config(run)
    if config["kind"] != "evolve":
        raise UserError(f"{run} holds a run of {config['kind']!r}; transfer takes bodies from an evolution")
    with read_ledger(run) as ledger:
        rows = ledger.lifetimes("finished")
    if not rows:
        raise UserError(f"no lifetime of {run} is finished yet, so there is no body to transfer")
    task, seed, population = (config.get(name) for name in ("task", "seed", "population"))
    if not isinstance(task, str) or not isinstance(seed, int) or not isinstance(population, int):
        raise UserError(f"{run / 'config.yaml'} is damaged: it names no task, seed or population")
    return Source(task, str(config.get("search", "tournament")), seed, population, len(rows)), rows


def choose(source: Source, rows: Iterable[dict[str, Any]], top: int, initial: int) -> list[Chosen]:
    """The best bodies and the best initial ones, each genome once; fewer where there are no more."""
    ranked = sorted(rows, key=lambda row: (-row["fitness"], row["id"]))
    best = _first_of_each(ranked, top)
    first = _first_of_each((row for row in ranked if row["id"] < source.population), initial)
    ranks, initial_ranks = ({row["fingerprint"]: place for place, row in enumerate(part)} for part in (best, first))
    chosen: dict[str, Chosen] = {}
    for row in (*best, *first):
        name = row["fingerprint"]
        if name not in chosen:
            chosen[name] = Chosen(
                *(row["id"], ranks.get(name), initial_ranks.get(name), row["fitness"], row["generation"], name),
                to_json(genome_of(row)),
            )
    return list(chosen.values())


def _first_of_each(rows: Iterable[dict[str, Any]], most: int) -> list[dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {}
    for row in rows:
        if len(found) == most:
            break
        found.setdefault(row["fingerprint"], row)
    return list(found.values())


def write_bodies(folder: Path, source: Source, bodies: list[Chosen]) -> None:
    """Keeps what was chosen, so that it stays however far the evolution goes on."""
    data = {
        "format": FORMAT,
        "version": VERSION,
        "evolution": asdict(source),
        "bodies": [{**asdict(body), "genome": json.loads(body.genome)} for body in bodies],
    }
    write_atomically(folder / FILE, json.dumps(data, indent=1) + "\n")


def read_bodies(folder: Path) -> tuple[Source, list[Chosen]] | None:
    """What `write_bodies` kept; None where nothing was.

    Raises:
        UserError: the file is damaged or of a newer version.
    """
    path = folder / FILE
    if not path.exists():
        return None
    try:
        data = json.loads(path.read_text())
        if data["format"] != FORMAT:
            raise KeyError
        if data["version"] > VERSION:
            raise UserError(f"{path} has version {data['version']}, newer than the {VERSION} read here; upgrade")
        return Source(**data["evolution"]), list(_bodies(data["bodies"]))
    except OSError as error:
        raise UserError(f"{path} cannot be read: {error.strerror}") from None
    except (ValueError, KeyError, TypeError):
        raise UserError(f"{path} is damaged: it does not say which bodies were chosen") from None


def _bodies(stored: list[dict[str, Any]]) -> Iterator[Chosen]:
    for body in stored:
        yield Chosen(**{**body, "genome": json.dumps(body["genome"])})
