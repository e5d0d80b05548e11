"""How commands put out what they found: tables for people, JSON files for programs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from embodied.runs.errors import UserError
from embodied.runs.files import write_atomically
from embodied.runs.table import aligned


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


def _cell(value: Any) -> str:
    if value is None:
        return "-"
    if isinstance(value, float):
        return f"{value:,.1f}" if abs(value) >= 10 else f"{value:.3g}"
    if isinstance(value, list):
        return " to ".join(map(_cell, value))
    return f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else str(value)
