"""``embodied view``: watch a run in the browser, with any of its bodies moving."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import torch
from tyro.conf import Positional

from embodied.cli.actors import Given, resolve
from embodied.cli.arguments import parse
from embodied.report.viewer.performance import Role
from embodied.report.viewer.serve import watch
from embodied.runs.errors import UserError
from embodied.runs.folder import read_run_config
from embodied.tasks import find_task


@dataclass(frozen=True)
class View:
    """Watch a run in the browser."""

    run: Positional[Path] = Path()
    """An evolution, one lifetime's folder of it, or a training."""
    port: int = 8080
    """Where the page is served; 0 takes any free one."""
    host: str = "127.0.0.1"
    """Who may look: this machine alone, or everybody with 0.0.0.0."""


def run(arguments: list[str]) -> None:
    """The command."""
    given = parse("view", View, arguments, "Watch a run in the browser, with any of its bodies moving.")
    if given.run == Path():
        raise UserError("name the run's folder: embodied view RUN")
    torch.set_num_threads(1)
    role = None if (given.run / "ledger.sqlite").exists() else _role(given.run)
    try:
        watch(given.run, _task(given.run) if role is None else role.task, role, given.host, given.port, _ready)
    except KeyboardInterrupt:
        print("\nThe page is closed.")


def _role(path: Path) -> Role | None:
    """Who is shown where there is no ledger; None for an evolution that is yet to begin, which `watch` refuses."""
    if not (path / "genome.json").exists() and read_run_config(path)["kind"] == "evolve":
        return None
    subject = resolve(Given(), path)
    if subject.body is None:
        raise UserError(f"view shows bodies in this package's own tasks; embodied play {path} films {subject.task}")
    return Role(subject.body.name, subject.task, subject.body, subject.policy)


def _task(path: Path) -> str:
    name = read_run_config(path).get("task")
    if not isinstance(name, str):
        raise UserError(f"{path / 'config.yaml'} is damaged: it names no task")
    return find_task(name).name


def _ready(address: str) -> None:
    print(f"Open {address} in a browser; Ctrl-C closes the page.", flush=True)
