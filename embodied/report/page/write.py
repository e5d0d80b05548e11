"""Writes the page of an evolution: its parts in order, its pictures beside it as PNG files."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from embodied.report.bodies import Portraits
from embodied.report.compare import refuse_unlike
from embodied.report.films import Films
from embodied.report.history import read_history
from embodied.report.page import findings, outcome, transfer
from embodied.report.page.document import document
from embodied.report.page.material import Material
from embodied.report.transfer import read_transfers
from embodied.runs.errors import UserError
from embodied.runs.files import write_atomically

PARTS = (
    ("fitness", "Fitness", outcome.fitness),
    ("gallery", "Best bodies", outcome.gallery),
    ("family", "Family", outcome.family),
    ("learning", "Learning", findings.learning),
    ("nature", "Energy and stability", findings.character),
    ("diversity", "Diversity", findings.variety),
    ("operators", "Mutation", findings.mutation),
    ("transfer", transfer.TITLE, transfer.transfer),
    ("lifetimes", "All lifetimes", findings.records),
)


@dataclass(frozen=True)
class Written:
    """What was made."""

    page: Path
    pictures: list[Path]
    missing: str | None
    """Why there are no portraits of bodies or not all films; None where there are."""


def write_report(
    run: Path,
    beside: Path | None = None,
    say: Callable[[str], None] = lambda _: None,
    arenas: Sequence[Path] = (),
) -> Written:
    """Writes ``RUN/report/index.html``, for an evolution that is over or still going on.

    Args:
        run: its folder.
        beside: folder of another evolution on the same task, drawn beside it.
        say: told what is drawn next.
        arenas: folders of other evolutions, on any task, or of transfers: how their bodies learned other tasks is
            shown beside this run's.

    Raises:
        UserError: no lifetime is finished yet, or a run that cannot be read or compared.
    """
    history = read_history(run)
    if not history.lives:
        raise UserError(f"no lifetime of {run} is finished yet, so there is nothing to draw")
    other = read_history(beside) if beside is not None else None
    if other is not None:
        refuse_unlike(history, other)
    folder = run / "report"
    folder.mkdir(exist_ok=True)
    portraits, films = Portraits(folder / "bodies"), Films(history, folder / "videos")
    material = Material(history, other, folder, portraits, films, say, read_transfers((run, *arenas)))
    head = outcome.head(material)
    content = "".join(part(material) for _, _, part in PARTS)
    page = folder / "index.html"
    write_atomically(page, document(outcome.title(history), head, [part[:2] for part in PARTS], content))
    return Written(page, material.drawn, material.portraits.missing or material.films.missing)
