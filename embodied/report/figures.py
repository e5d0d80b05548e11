"""The figures of a run, as plain data."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from statistics import median
from typing import Any

from embodied.evolution.ledger import read_ledger
from embodied.report.compare import paired
from embodied.report.history import read_history
from embodied.report.imitation import imitation_figures
from embodied.report.repertoire import KIND as ASE
from embodied.report.repertoire import repertoire_figures
from embodied.report.science import science
from embodied.report.transfer import read_transfers, transfer_figures
from embodied.runs.errors import UserError
from embodied.runs.folder import read_run_config
from embodied.runs.metrics import read_metrics
from embodied.skills.tracking_run import KIND


def run_figures(path: Path) -> dict[str, Any]:
    """Figures of an evolution or a training.

    Raises:
        UserError: the folder holds no run, or one whose files are damaged.
    """
    config = read_run_config(path)
    kind = config["kind"]
    if kind == "evolve":
        return _evolution(path, config.get("population", 0))
    if kind == "train":
        return _training(path)
    if kind == "transfer":
        return {"kind": "transfer"}
    if kind == ASE:
        return repertoire_figures(path)
    if kind == KIND:
        return imitation_figures(path)
    raise UserError(f"{path} holds a run of {kind!r}, which has no figures")


def report_figures(path: Path, beside: Path | None = None, arenas: Sequence[Path] = ()) -> dict[str, Any]:
    """Those of `run_figures`, and, of an evolution, its science, how it stands to another, and how bodies transfer.

    Args:
        path: of the run.
        beside: another evolution's, to compare with.
        arenas: other evolutions', whose bodies' transfer stands beside.

    Raises:
        UserError: as `run_figures`, and for runs that cannot be compared.
    """
    found = run_figures(path)
    if found["kind"] in ("evolve", "transfer") and (transfers := read_transfers((path, *arenas))):
        found["transfer"] = transfer_figures(transfers)
    if found["kind"] != "evolve":
        if beside is not None:
            raise UserError(f"--beside compares evolutions, and {path} holds a training")
        return found
    history = read_history(path)
    if history.lives:
        found |= science(history)
    if beside is not None:
        found["beside"] = paired(history, read_history(beside))
    return found


def _evolution(path: Path, population: int) -> dict[str, Any]:
    with read_ledger(path) as ledger:
        rows = ledger.lifetimes()
    finished = [row for row in rows if row["status"] == "finished"]
    initial = [row for row in finished if row["id"] < population]
    best = max(finished, key=lambda row: row["fitness"], default=None)
    first = max(initial, key=lambda row: row["fitness"], default=None)
    return {
        "kind": "evolve",
        "lifetimes_finished": len(finished),
        "lifetimes_failed": sum(row["status"] == "failed" for row in rows),
        "lifetimes_unfinished": sum(row["status"] == "running" for row in rows),
        "lifetimes_cut_short": sum(row["stopped_at_rung"] is not None for row in finished),
        "environment_steps": sum(row["environment_steps"] or 0 for row in rows),
        "cpu_seconds": sum(row["cpu_seconds"] for row in finished),
        "best_fitness": best and best["fitness"],
        "best_fitness_interval": best and [best["fitness_low"], best["fitness_high"]],
        "best_lifetime": best and best["id"],
        "best_generation": best and best["generation"],
        "best_derl_fitness": best and best["derl_fitness"],
        "initial_best_fitness": first and first["fitness"],
        "initial_best_lifetime": first and first["id"],
        "initial_median_fitness": median(row["fitness"] for row in initial) if initial else None,
        "last_median_fitness": median(
            row["fitness"] for row in sorted(finished, key=lambda row: row["finish_order"])[-max(1, len(initial)) :]
        )
        if finished
        else None,
        "best_genome": best and json.loads(best["genome"]),
        "initial_best_genome": first and json.loads(first["genome"]),
    }


def _training(path: Path) -> dict[str, Any]:
    entries = read_metrics(path)
    last = entries[-1] if entries else {}
    figures: dict[str, Any] = {
        "kind": "train",
        "environment_steps": int(last.get("step", 0)),
        "episodes": int(last.get("episodes", 0)),
        "unhealthy_episodes": int(last.get("unhealthy_episodes", 0)),
        "recent_return": last.get("episode/return"),
        "finished": (path / "evaluation.json").exists(),
    }
    if figures["finished"]:
        try:
            figures["evaluation"] = json.loads((path / "evaluation.json").read_text())
        except ValueError:
            raise UserError(f"{path / 'evaluation.json'} is damaged; remove it and go on with --resume") from None
    return figures
