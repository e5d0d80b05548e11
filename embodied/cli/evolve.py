"""``embodied evolve``: evolve bodies while their controllers learn."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from embodied.cli.arguments import Place, parse, run_config
from embodied.cli.report import table
from embodied.evolution.evolve import Evolution, EvolveConfig, evolve, refuse_impossible, write_best
from embodied.report.figures import run_figures
from embodied.runs.configuration import from_plain
from embodied.runs.folder import RunFolder
from embodied.runs.progress import Progress
from embodied.tasks import find_task


@dataclass(frozen=True)
class Evolve(EvolveConfig, Place):
    """Evolve bodies while their controllers learn."""


def run(arguments: list[str]) -> None:
    """The command."""
    given = parse("evolve", Evolve, arguments, "Evolve bodies while their controllers learn.")
    find_task(given.task)  # an unknown name is refused before a folder is made
    plain = run_config(given)
    config = from_plain(EvolveConfig, plain, "evolve")
    refuse_impossible(config)
    path = given.out or Path("runs") / f"evolve-{config.task}-{config.seed}"
    with RunFolder.open(path, "evolve", plain, given.resume):
        evolution = Evolution(config, path)
        if evolution.ended:
            print(f"{path} is finished already.")
        else:
            print(
                f"Evolving on {config.task}: {config.lifetimes} lifetimes of {config.steps:,} steps, "
                f"{config.population} initial bodies, into {path}"
                + (f"; {len(evolution.lived) + evolution.failed} are lived already" if evolution.born else "")
            )
            with Progress(f"embodied evolve · {path}") as progress:
                evolve(evolution, progress)
        if evolution.lived:
            write_best(evolution)
        evolution.ledger.close()
    print(table(run_figures(path)))
    print(f"Best body  {path / 'best.json'}\nLedger     {path / 'ledger.sqlite'}\nFigures    embodied report {path}")
