"""``embodied evolve``: evolve bodies while their controllers learn."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from embodied.cli.arguments import Place, parse, run_config
from embodied.cli.output import table
from embodied.envs import is_foreign
from embodied.evolution.configuration import EvolveConfig, refuse_impossible
from embodied.evolution.evolve import Evolution, evolve, refuse_fruitless, write_best
from embodied.physics.devices import is_gpu_world
from embodied.report.figures import run_figures
from embodied.runs.configuration import from_plain
from embodied.runs.errors import UserError
from embodied.runs.folder import RunFolder
from embodied.runs.progress import Progress
from embodied.tasks import find_task

MIN_EPISODES = 16
"""Of the evaluation that selection goes by."""


@dataclass(frozen=True)
class Evolve(EvolveConfig, Place):
    """Evolve bodies while their controllers learn."""


def run(arguments: list[str]) -> None:
    """The command."""
    given = parse("evolve", Evolve, arguments, "Evolve bodies while their controllers learn.")
    if is_foreign(given.task):
        raise UserError(f"{given.task} brings a body of its own: there is nothing to evolve; embodied train takes it")
    find_task(given.task)  # an unknown name is refused before a folder is made
    plain = run_config(given)
    config = from_plain(EvolveConfig, plain, "evolve")
    refuse_impossible(config)
    if config.episodes < MIN_EPISODES:
        raise UserError(f"--episodes must be at least {MIN_EPISODES}, not {config.episodes}: fewer select by chance")
    path = given.out or Path("runs") / f"evolve-{re.sub(r'[:/]', '-', config.task)}-{config.seed}"
    with RunFolder.open(path, "evolve", plain, given.resume):
        evolution = Evolution(config, path)
        if evolution.ended:
            refuse_fruitless(evolution)
            print(f"{path} is finished already.")
        else:
            print(
                f"Evolving on {config.task}: {config.lifetimes} lifetimes of {config.steps:,} steps, "
                f"{config.population} initial bodies, into {path}{_on_device(config)}"
                + (f"; {len(evolution.lived) + evolution.failed} are lived already" if evolution.born else "")
            )
            with Progress(f"embodied evolve · {path}") as progress:
                evolve(evolution, progress)
        write_best(evolution)
        evolution.ledger.close()
    print(table(run_figures(path)))
    print(f"Best body  {path / 'best.json'}\nLedger     {path / 'ledger.sqlite'}\nFigures    embodied report {path}")


def _on_device(config: EvolveConfig) -> str:
    if not is_gpu_world(config.device):
        return ""
    return f"; {config.bucket_min} bodies of one topology and more learn together on {config.device}"
