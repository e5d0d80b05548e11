"""What the page says, as HTML: the figures, who is in flight, and whose body is shown."""

from __future__ import annotations

import json
from collections.abc import Sequence
from html import escape

from embodied.report.viewer.picture import ACCENT, CALM, INK, QUIET, number
from embodied.report.viewer.sweep import Figures, Row, Sweep
from morphologies import Body

_SMALL = f"font-size:11px;color:{INK};opacity:0.75"
_SHARE = f"height:5px;border-radius:3px;background:{CALM}"
MOST = 32
"""Lifetimes in flight that are listed."""


def page(content: str) -> str:
    """With the page's margins and type."""
    return f'<div style="padding:4px 10px;font-size:13px;line-height:1.45;color:{INK}">{content}</div>'


def figures(found: Figures, lifetimes: int, alive: bool) -> str:
    """The sweep's figures as tiles, and a bar of how far it is."""
    done = found.finished + found.failed
    if done >= lifetimes:
        state = "finished"
    else:
        state = "running" if alive else "stopped; go on with --resume"
    best = f"best, lifetime {found.best_id}" if found.best_id is not None else "best"
    tiles = [
        (f"{found.finished:,}", f"finished of {lifetimes:,}"),
        (f"{found.running:,}", "in flight" if alive or not found.running else "cut off"),
        (f"{found.failed:,}", "failed"),
        (number(found.best), best),
        (number(found.median), "recent median"),
    ]
    cells = "".join(
        f'<div style="white-space:nowrap"><div style="font-size:19px;font-weight:600;line-height:1.2;'
        f'color:{ACCENT if "best" in name else INK}">{value}</div><div style="{_SMALL}">{name}</div></div>'
        for value, name in tiles
    )
    return page(
        f'<div style="display:flex;flex-wrap:wrap;justify-content:space-between;gap:8px 12px">{cells}</div>'
        f'<div style="{_SMALL};margin-top:6px">{state}</div>{_bar(done / lifetimes)}'
    )


def heading(title: str, task: str) -> str:
    """Who is shown, and at what."""
    return page(
        f'<span style="font-size:19px;font-weight:600">{escape(title)}</span> '
        f'<span style="{_SMALL}">on {escape(task)}</span>'
    )


def key(entries: Sequence[tuple[str, str]], hollow: Sequence[tuple[str, str]] = ()) -> str:
    """Names beside their colours; the hollow ones as rings."""
    looks = [(f"background:{colour}", name) for colour, name in entries]
    looks += [(f"border:2px solid {colour}", name) for colour, name in hollow]
    marks = "".join(
        f'<span style="white-space:nowrap"><span style="display:inline-block;box-sizing:border-box;width:9px;'
        f'height:9px;border-radius:5px;margin-right:4px;{look}"></span>{name}</span>'
        for look, name in looks
    )
    return f'<div style="display:flex;flex-wrap:wrap;gap:2px 12px;{_SMALL}">{marks}</div>'


def section(title: str, legend: str, drawing: str, note: str = "") -> str:
    """A drawing under its title."""
    if not drawing:
        return ""
    below = f'<div style="{_SMALL}">{note}</div>' if note else ""
    return page(f'<div style="font-weight:600;margin-top:6px">{title}</div>{legend}{drawing}{below}')


def in_flight(sweep: Sweep, budget: int) -> str:
    """A table of those that live now and how far they are.

    Args:
        sweep: as it is.
        budget: environment steps of a lifetime.
    """
    running = sweep.running
    if not running:
        return page(f'<span style="{_SMALL}">nobody</span>')
    lines = []
    for row in running[:MOST]:
        steps = sweep.steps.get(row["id"], 0)
        told = f"{steps:,} of {budget:,} steps" if steps else "just begun"
        lines.append(
            f'<tr><td style="padding:2px 10px 2px 0;font-weight:600">{row["id"]}</td>'
            f'<td style="padding:2px 10px 2px 0;white-space:nowrap">{origin(row)}</td>'
            f'<td style="width:45%">{_bar(steps / budget)}<span style="{_SMALL}">{told}</span></td></tr>'
        )
    rest = f'<div style="{_SMALL}">and {len(running) - MOST} more</div>' if len(running) > MOST else ""
    return page(f'<table style="border-collapse:collapse;width:100%">{"".join(lines)}</table>{rest}')


def origin(row: Row) -> str:
    """Where a lifetime comes from."""
    if row["parent"] is None:
        return "initial" if not row["operator"] else escape(row["operator"])
    return f"{escape(str(row['operator'])).replace('_', ' ')} of {row['parent']}"


def lifetime(rows: Sequence[Row], chosen: Row, shown: Body | None) -> str:
    """What a lifetime was and gave.

    Args:
        rows: of the ledger.
        chosen: the one that is told of.
        shown: its body; None where it cannot be had.
    """
    measures = json.loads(chosen["measures"] or "{}")
    description = shown.description.as_dict() if shown else {}
    children = [str(row["id"]) for row in rows if row["parent"] == chosen["id"]]
    facts = [
        ("born", f"generation {chosen['generation']}, {origin(chosen)}"),
        ("children", f"{', '.join(children[:12])}{' …' if len(children) > 12 else ''}" if children else "none"),
        ("fitness", _fitness(chosen)),
        ("speed", _with(measures.get("speed"), "m/s", 2)),
        ("cost of transport", _with(measures.get("cost_of_transport"), "J/(kg·m)", 0)),
        *body_facts(description),
    ]
    if chosen["status"] == "failed":
        facts.insert(2, ("failed", escape(f"{chosen['failure']}: {chosen['error']}")))
    return _table(facts)


def body_facts(description: dict[str, float]) -> list[tuple[str, str]]:
    """A body's figures; see `morphologies.describe`."""
    if not description:
        return []
    size = " × ".join(f"{description[name]:.2f}" for name in ("length", "width", "height") if name in description)
    return [
        ("limbs", f"{description['limbs']:.0f} with {description.get('motors', 0):.0f} motors"),
        ("mass", _with(description.get("mass"), "kg", 1)),
        ("size", f"{size} m" if size else "–"),
    ]


def body(shown: Body) -> str:
    """A body that no ledger tells of."""
    return _table(body_facts(shown.description.as_dict()))


def moment(seconds: float, distance: float, falls: int) -> str:
    """How the episode on the stage stands."""
    speed = round(distance / seconds, 2) + 0.0 if seconds > 0 else 0.0  # no minus before a zero
    fallen = f" · {falls} {'fall' if falls == 1 else 'falls'}" if falls else ""
    return page(
        f'<span style="font-variant-numeric:tabular-nums"><b>{seconds:5.1f} s</b> · '
        f"{round(distance, 2) + 0.0:6.2f} m forward · "
        f"{speed:5.2f} m/s{fallen}</span>"
    )


def notice(text: str) -> str:
    """Something that a person should know; nothing where there is nothing."""
    if not text:
        return ""
    return page(
        f'<div style="border-left:3px solid {ACCENT};background:#fdf3ea;padding:4px 8px;font-size:12px">'
        f"{escape(text)}</div>"
    )


def _fitness(row: Row) -> str:
    if row["status"] == "running":
        return "not known yet"
    if row["fitness"] is None:
        return "–"
    return f"<b>{number(row['fitness'])}</b> ({number(row['fitness_low'])} to {number(row['fitness_high'])})"


def _with(value: float | None, unit: str, digits: int) -> str:
    return "–" if value is None else f"{value:,.{digits}f} {unit}"


def _table(facts: Sequence[tuple[str, str]]) -> str:
    lines = "".join(
        f'<tr><td style="padding:1px 12px 1px 0;white-space:nowrap;vertical-align:top;{_SMALL};font-size:12px">{name}'
        f'</td><td style="padding:1px 0">{value}</td></tr>'
        for name, value in facts
    )
    return page(f'<table style="border-collapse:collapse">{lines}</table>')


def _bar(share: float) -> str:
    width = 100.0 * min(1.0, max(0.0, share))
    return (
        f'<div style="background:{QUIET}55;border-radius:3px;margin:3px 0"><div style="{_SHARE};width:{width:.1f}%">'
        "</div></div>"
    )
