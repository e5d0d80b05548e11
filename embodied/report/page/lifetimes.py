"""The table of all lifetimes: as data for a few lines of script that sort and page it, its best rows also as HTML."""

from __future__ import annotations

import json
from html import escape
from typing import Any

from embodied.report.history import History, Life
from embodied.report.page.parts import number, origin

COLUMNS = (
    ("lifetime", 0),
    ("fitness", 1),
    ("parent", 0),
    ("generation", 0),
    ("origin", None),
    ("limbs", 0),
    ("mass, kg", 1),
    ("height, m", 2),
    ("speed, m/s", 2),
    ("cost, J/(kg m)", 0),
    ("stands", 2),
    ("pushed", 2),
    ("steps", 0),
    ("ended", None),
)
"""Names, and digits after the point; None for words."""
STATIC = 20
"""Rows that are there without a script."""


def lifetimes(history: History) -> str:
    """The table with its data."""
    rows = [_row(life) for life in history.lives]
    rows += [_failed(row) for row in history.failures]
    rows.sort(key=lambda row: (row[1] is None, -(row[1] or 0.0)))
    digits_of = [digits for _, digits in COLUMNS]
    heads = "".join(
        f'<th scope=col data-column="{i}"{_kind(digits)}><button type="button">{escape(name)}</button></th>'
        for i, (name, digits) in enumerate(COLUMNS)
    )
    body = "".join(
        f"<tr>{''.join(f'<td{_kind(d)}>{_cell(v, d)}</td>' for v, d in zip(row, digits_of, strict=True))}</tr>"
        for row in rows[:STATIC]
    )
    few = f'<p class="note">Without scripts only the best {STATIC} are shown.</p>' if len(rows) > STATIC else ""
    data = json.dumps({"digits": digits_of, "rows": rows}, separators=(",", ":"))
    return (
        '<div class="scroll"><table id="lifetimes-table" class="all"><thead><tr>'
        f"{heads}</tr></thead><tbody>{body}</tbody></table></div>"
        '<p id="pages" class="pages" hidden><button type="button" data-go="-1">‹ before</button>'
        '<span aria-live="polite"></span><button type="button" data-go="1">next ›</button></p>'
        f"<noscript>{few}</noscript>"
        '<script type="application/json" class="rows" id="lifetimes-data">'
        f"{data.replace('<', chr(92) + 'u003c')}</script>"
    )


def _row(life: Life) -> list[Any]:
    description, measures = life.description, life.measures
    return [
        life.id,
        round(life.fitness, 2),
        life.parent,
        life.generation,
        origin(life),
        description.get("limbs"),
        _round(description.get("mass"), 2),
        _round(description.get("height"), 3),
        _round(measures.get("speed"), 3),
        _round(measures.get("cost_of_transport"), 1),
        _round(measures.get("stands"), 3),
        _round(measures.get("stands_pushed"), 3),
        life.steps,
        "cut short" if life.cut_short else "whole",
    ]


def _failed(row: dict[str, Any]) -> list[Any]:
    origin_of = (row["operator"] or "random").replace("_", " ")
    nothing = [None] * 7
    ended = f"failed: {row['failure'] or 'error'}"
    return [row["id"], None, row["parent"], row["generation"], origin_of, *nothing, row["environment_steps"], ended]


def _round(value: float | None, digits: int) -> float | None:
    return None if value is None else round(value, digits)


def _cell(value: Any, digits: int | None) -> str:
    if value is None:
        return number(None)
    return escape(str(value)) if digits is None else f"{value:,.{digits}f}"


def _kind(digits: int | None) -> str:
    return ' class="words"' if digits is None else ""
