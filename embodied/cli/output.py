"""How commands put out what they found: tables for people, JSON files for programs."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from embodied.runs.errors import UserError
from embodied.runs.files import write_atomically


def refuse_no_file(path: Path) -> None:
    """Raises UserError where a path cannot be a file to write."""
    if not path.name or path.is_dir():
        raise UserError(f"{path} is a folder; name a file to write")


def write_json(path: Path, figures: dict[str, Any]) -> None:
    """Writes figures and says where."""
    refuse_no_file(path)
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
