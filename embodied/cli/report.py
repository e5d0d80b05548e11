"""``embodied report``: the figures of a run, as a table or as JSON."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from tyro.conf import Positional

from embodied.cli.arguments import parse
from embodied.cli.output import table, write_json
from embodied.report.figures import run_figures
from embodied.runs.errors import UserError


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
