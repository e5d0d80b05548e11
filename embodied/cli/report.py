"""``embodied report``: the figures of a run, as a table or as JSON, and a page of evolutions, imitations, priors."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from tyro.conf import Positional

from embodied.cli.arguments import parse
from embodied.cli.output import refuse_no_file, table, write_json
from embodied.report.figures import report_figures
from embodied.report.history import read_history
from embodied.report.topologies import sharing, sharing_table
from embodied.report.transfer import companions, read_transfers, transfer_table
from embodied.runs.errors import UserError
from embodied.runs.table import aligned


@dataclass(frozen=True)
class Report:
    """The figures of a run."""

    run: Positional[Path] = Path()
    """Its folder."""
    beside: tuple[Path, ...] = ()
    """Folders of other evolutions: one on the same task, as a rule a random search, to compare fitness with; and any
    whose bodies were transferred to other tasks, to set beside those of this run."""
    json: Path | None = None
    """Write the figures to this file instead, and draw nothing."""


def run(arguments: list[str]) -> None:
    """The command."""
    given = parse("report", Report, arguments, "The figures of a run; of evolutions, imitations, priors a page.")
    if given.run == Path():
        raise UserError("name the run's folder: embodied report RUN")
    if given.json is not None:
        refuse_no_file(given.json)
    beside, arenas = companions(given.run, given.beside)
    figures = report_figures(given.run, beside, arenas)
    if given.json is not None:
        write_json(given.json, figures)
        return
    print(table({name: value for name, value in figures.items() if not isinstance(value, dict)}))
    if "beside" in figures:
        _print_paired(figures["beside"])
    if "transfer" in figures:
        print(f"\n{aligned(transfer_table(read_transfers((given.run, *arenas))))}")
    if figures["kind"] in ("ase", "imitate"):
        _write_motion_page(given.run, figures["kind"], figures["environment_steps"])
    if figures["kind"] != "evolve":
        return
    if not figures["lifetimes_finished"]:
        print("\nNo lifetime is finished yet, so there is no page to make.")
        return
    print(f"\nBodies that share a topology\n{aligned(sharing_table(sharing(read_history(given.run))))}")
    _write_page(given.run, beside, arenas)


def _print_paired(figures: dict) -> None:
    one, other = figures["run"], figures["beside"]
    print(f"\n{one['search']} beside {other['search']}")
    print(table({name: f"{_told(one[name])} beside {_told(other[name])}" for name in one if name != "search"}))
    print(table({f"{name} difference": value for name, value in figures["difference"].items()}))


def _told(value: float | None) -> str:
    return "-" if value is None else f"{value:,.1f}" if isinstance(value, float) else f"{value:,}"


def _write_motion_page(run: Path, kind: str, steps: int) -> None:
    """The page of what learns from clips: an imitation, or a repertoire."""
    from embodied.report.page.imitation import write_imitation  # draws: matplotlib takes a second to import
    from embodied.report.page.repertoire import write_repertoire

    if not steps:
        print("\nNo iteration is finished yet, so there is no page to make.")
        return
    print(f"\nDrawing the page into {run / 'report'}")
    console = Console(stderr=True)
    write = write_repertoire if kind == "ase" else write_imitation
    with console.status("reading the run") as status:
        written = write(run, status.update)
    if written.missing:
        what = "Latents could not be filmed" if kind == "ase" else "Clips could not all be tracked and filmed"
        print(f"{what}: {written.missing}")
    print(f"Page      {written.page}\nPictures  {len(written.pictures)} PNG files beside it")


def _write_page(run: Path, beside: Path | None, arenas: list[Path]) -> None:
    from embodied.report.page import write_report  # draws: matplotlib takes a second to import

    print(f"\nDrawing the page into {run / 'report'}")
    console = Console(stderr=True)
    with console.status("reading the ledger") as status:
        written = write_report(run, beside, lambda what: status.update(f"drawing: {what}"), arenas)
    if written.missing:
        print(f"Some pictures of bodies or films are missing: {written.missing}")
    print(f"Page      {written.page}\nPictures  {len(written.pictures)} PNG files beside it")
