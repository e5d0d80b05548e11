"""``embodied report``: the figures of a run, as a table or as JSON."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tyro.conf import Positional

from embodied.cli.arguments import parse
from embodied.report.figures import run_figures
from embodied.runs.errors import UserError
from embodied.runs.files import write_atomically


@dataclass(frozen=True)
class Report:
    """The figures of a run."""

    run: Positional[Path] = Path()
    """Its folder."""
    json: Path | None = None
    """Write the figures to this file instead of printing them."""


def run(arguments: list[str]) -> None:
    """The command."""
    given = parse("report", Report, arguments, "The figures of a run.")
    if given.run == Path():
        raise UserError("name the run's folder: embodied report RUN")
    figures = run_figures(given.run)
    if given.json is None:
        print(table(figures))
    else:
        write_json(given.json, figures)


def write_json(path: Path, figures: dict[str, Any]) -> None:
    """Writes figures and says where."""
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(path, json.dumps(figures, indent=2) + "\n")
    print(path)


def table(figures: dict[str, Any]) -> str:
    """Names and values in two columns; whole genomes are left to the JSON."""
    return aligned(
        [(name.replace("_", " "), _cell(value)) for name, value in figures.items() if not isinstance(value, dict)]
    )


def aligned(rows: Sequence[tuple[str, ...]]) -> str:
    """Rows with their columns below one another, however wide: paths stay whole."""
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
    )


def _cell(value: Any) -> str:
    if value is None:
        return "-"
    if isinstance(value, float):
        return f"{value:,.1f}"
    if isinstance(value, list):
        return " to ".join(map(_cell, value))
    return f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else str(value)
