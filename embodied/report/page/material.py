"""What the page is made of: a run, one beside it, and what draws pictures, portraits and films into its folder."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from embodied.report.bodies import Portraits
from embodied.report.films import Films
from embodied.report.history import History, Life
from embodied.report.page import parts
from embodied.report.style import Picture, draw
from embodied.report.transfer import Results


@dataclass
class Material:
    """Everything that sections are made from."""

    history: History
    beside: History | None
    folder: Path
    portraits: Portraits
    films: Films
    say: Callable[[str], None]
    transfers: list[Results] = field(default_factory=list)
    """How its bodies, and those of other runs beside it, learned other tasks."""
    drawn: list[Path] = field(default_factory=list)
    """PNG files of the pictures so far."""

    def figure(self, picture: Picture) -> str:
        """A picture, drawn into the folder and embedded."""
        self.say(picture.title)
        path = draw(picture, self.folder)
        self.drawn.append(path)
        return parts.figure(picture, path)

    def portrait(self, life: Life) -> str:
        """A body's picture, embedded; nothing where none can be drawn."""
        return parts.portrait(self.portraits.path(life), life)

    def moving(self, life: Life) -> str:
        """A body's film, or its picture where there is none."""
        self.say(f"film of lifetime {life.id}")
        path = self.films.path(life)
        return parts.film(path, life, self.portraits.path(life)) if path else self.portrait(life)
