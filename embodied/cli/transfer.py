"""``embodied transfer``: train the best bodies of evolutions on other tasks."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import torch
from tyro.conf import Positional

from embodied.cli.arguments import Place, parse, run_config
from embodied.cli.evolve import MIN_EPISODES
from embodied.evolution.transfer.bodies import read_evolution
from embodied.evolution.transfer.configuration import TransferConfig, refuse_impossible
from embodied.evolution.transfer.trainings import FOLDER
from embodied.evolution.transfer.transfer import Transfer, transfer
from embodied.report.transfer import read_results, transfer_table
from embodied.runs.configuration import from_plain
from embodied.runs.errors import UserError
from embodied.runs.folder import CONFIG, RunFolder
from embodied.runs.progress import Progress
from embodied.runs.table import aligned


@dataclass(frozen=True)
class Transferred(TransferConfig, Place):
    """Train the best bodies of evolutions on other tasks."""

    run: Positional[tuple[Path, ...]] = ()
    """Folders of evolutions, as a rule on different arenas."""


def run(arguments: list[str]) -> None:
    """The command."""
    given = parse("transfer", Transferred, arguments, "Train the best bodies of evolutions on other tasks.")
    if not given.run:
        raise UserError("name the folder of an evolution: embodied transfer RUN")
    if len({path.resolve() for path in given.run}) < len(given.run):
        raise UserError("the same evolution is named twice")
    if given.out is not None and len(given.run) > 1:
        raise UserError("--out is for one evolution; of several each keeps its transfer in its own folder")
    plain = {name: value for name, value in run_config(given).items() if name != "run"}
    config = from_plain(TransferConfig, plain, "transfer")
    refuse_impossible(config)
    if config.episodes < MIN_EPISODES:
        raise UserError(f"--episodes must be at least {MIN_EPISODES}, not {config.episodes}: fewer tell little")
    for path in given.run:
        read_evolution(path)  # what cannot be read is refused before a folder is made
    torch.set_num_threads(1)
    folders = [given.out or path / FOLDER for path in given.run]
    places = list(zip(given.run, folders, strict=True))
    with ExitStack() as held:
        for path, folder in sorted(places, key=lambda place: not (place[1] / CONFIG).exists()):  # so a refusal is first
            held.enter_context(RunFolder.open(folder, "transfer", {"run": [str(path)], **plain}, given.resume))
        _transfer([Transfer(path, folder, config) for path, folder in places])
    print()
    print(aligned(transfer_table([read_results(folder) for folder in folders])))
    for folder in folders:
        print(f"Trainings  {folder}")
    first, *others = [given.out] if given.out is not None else list(given.run)
    print(f"Report     embodied report {first}{' --beside ' if others else ''}{' '.join(map(str, others))}")


def _transfer(transfers: list[Transfer]) -> None:
    for each in transfers:
        if each.scarce:
            print(each.scarce)
        if not each.left:
            print(f"{each.folder} is finished already.")
            continue
        ended = len(each.trainings) - len(each.left)
        print(
            f"Transferring {len(each.bodies)} bodies evolved on {each.source.task} to {', '.join(each.config.tasks)}, "
            f"into {each.folder}"
            + (f"; {ended} of {len(each.trainings)} trainings have ended already" if ended else "")
        )
    with Progress(f"embodied transfer · {' '.join(str(each.folder) for each in transfers)}") as progress:
        transfer(transfers, progress)
