"""Parts of the page as HTML text: figures, cards, films, tables. All that comes from a run is escaped here."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Sequence
from html import escape
from pathlib import Path

from embodied.report.history import Life
from embodied.report.style import Picture, short


def data_of(path: Path, kind: str) -> str:
    """A file as a data address."""
    return f"data:{kind};base64,{base64.b64encode(path.read_bytes()).decode()}"


def figure(picture: Picture, path: Path) -> str:
    """A picture with its title and caption."""
    wide = " wide" if picture.wide else ""
    width, height = (round(100 * side) for side in picture.size)
    return (
        f'<figure class="plot{wide}" id="{escape(picture.name)}"><h3>{escape(picture.title)}</h3>'
        f'<div class="scroll"><img src="{data_of(path, "image/png")}" width="{width}" height="{height}" '
        f'alt="{escape(picture.title)}" loading="lazy" decoding="async"></div>'
        f"<figcaption>{escape(picture.caption)}</figcaption></figure>"
    )


def section(name: str, title: str, lead: str, *content: str) -> str:
    """A part of the page with a heading; empty parts are left out."""
    body = "".join(part for part in content if part)
    lead = f'<p class="lead">{escape(lead)}</p>' if lead else ""
    return f'<section id="{name}"><h2>{escape(title)}</h2>{lead}{body}</section>'


def grid(*content: str) -> str:
    """Figures two to a row where there is room."""
    return f'<div class="grid">{"".join(content)}</div>'


def portrait(path: Path | None, life: Life) -> str:
    """A body's picture; nothing where there is none."""
    if path is None:
        return ""
    return (
        f'<img class="body" src="{data_of(path, "image/png")}" width="320" height="256" '
        f'alt="Body of lifetime {life.id}" loading="lazy" decoding="async">'
    )


def film(path: Path, life: Life, poster: Path | None) -> str:
    """A body's film."""
    return video(path, f"Lifetime {life.id} in motion", (480, 352), poster)


def video(path: Path, label: str, size: tuple[int, int], poster: Path | None = None) -> str:
    """A film that plays by itself while it is seen; ``size`` is its width and height, pixels."""
    still = f' poster="{data_of(poster, "image/png")}"' if poster else ""
    return (
        f'<video src="{data_of(path, "video/mp4")}" width="{size[0]}" height="{size[1]}" muted loop playsinline '
        f'controls preload="metadata" aria-label="{escape(label)}"{still}></video>'
    )


def origin(life: Life) -> str:
    """How a body came to be, in a word or two."""
    return life.operator.replace("_", " ") if life.operator else "random" if life.parent is None else "mutated"


def facts(life: Life) -> str:
    """One line on what a body is and how it came to be."""
    said = [origin(life)]
    if "limbs" in life.description:
        said.append(f"{life.description['limbs']:g} limbs")
    if "mass" in life.description:
        said.append(f"{life.description['mass']:.1f} kg")
    if (speed := life.measures.get("speed")) is not None:
        said.append(f"{speed:.2f} m/s")
    return _unbroken(said)


def _unbroken(said: Sequence[str]) -> str:
    """Words that break into lines between, never within, what belongs together."""
    return " · ".join(each.replace(" ", "\u00a0") for each in said)


def body_card(life: Life, picture: str, rank: str = "") -> str:
    """A body with its picture or film, its fitness and what it is."""
    mark = f'<span class="rank">{escape(rank)}</span>' if rank else ""
    return (
        f'<article class="card">{mark}{picture}<div class="words"><b>{number(life.fitness)}</b>'
        f"<span>{_unbroken((f'lifetime {life.id}', f'generation {life.generation}'))}</span>"
        f"<span>{escape(facts(life))}</span></div></article>"
    )


def key_figure(value: str, label: str, note: str = "") -> str:
    """A card of the headline."""
    note = f"<small>{escape(note)}</small>" if note else ""
    return f'<div class="key"><b>{escape(value)}</b><span>{escape(label)}</span>{note}</div>'


def table(head: Sequence[str], rows: Iterable[Sequence[str]], caption: str = "") -> str:
    """A small table; the first column names the rows."""
    heads = "".join(f"<th scope=col>{escape(name)}</th>" for name in head)
    body = "".join(
        f"<tr><th scope=row>{escape(row[0])}</th>{''.join(f'<td>{escape(cell)}</td>' for cell in row[1:])}</tr>"
        for row in rows
    )
    words = f'<p class="note">{escape(caption)}</p>' if caption else ""
    drawn = f'<table class="small"><thead><tr>{heads}</tr></thead><tbody>{body}</tbody></table>'
    return f'<div class="scroll">{drawn}</div>{words}'


def note(text: str) -> str:
    """A sentence on its own."""
    return f'<p class="note">{escape(text)}</p>'


def number(value: float | None) -> str:
    """A figure for people; a dash for none."""
    return "–" if value is None or value != value else short(value).replace("-", "−")


def percent(value: float | None) -> str:
    """A share for people; a dash for none."""
    return "–" if value is None or value != value else f"{100 * value:.0f} %"
