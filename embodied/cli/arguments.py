"""What commands share: configuration from presets, files and flags, in that order."""

from __future__ import annotations

import argparse
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, TypeVar

import tyro

from embodied.runs.configuration import find_preset, read_config, to_plain

Config = TypeVar("Config")


@dataclass(frozen=True)
class Place:
    """Where a run lives."""

    out: Path | None = None
    """Folder of the run; by default one under ``runs``, named after command, task, body and seed."""
    resume: bool = False
    """Go on with the run that the folder holds."""
    preset: str | None = None
    """Name or file of a preset that the other flags change."""
    config: Path | None = None
    """YAML file that changes the preset and is changed by the other flags, e.g. a run's config.yaml."""


def parse(command: str, kind: type[Config], arguments: list[str], description: str) -> Config:
    """The command's configuration; ``kind`` extends `Place` where presets apply.

    Raises:
        UserError: an unknown preset, or a file that does not fit.
    """
    default = kind()
    if issubclass(kind, Place):
        early = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
        early.add_argument("--preset")
        early.add_argument("--config")
        known, _ = early.parse_known_args(arguments)
        for given in ([find_preset(command, known.preset)] if known.preset else []) + (
            [Path(known.config)] if known.config else []
        ):
            default = read_config(kind, given, default)
    return tyro.cli(
        kind,
        args=arguments,
        default=default,
        prog=f"embodied {command}",
        description=description,
        config=(tyro.conf.FlagCreatePairsOff,),
    )


def run_config(config: Any) -> dict[str, Any]:
    """What of a command's configuration belongs to the run: all but where it lives and how it was given."""
    place = {field.name for field in fields(Place)}
    return {name: value for name, value in to_plain(config).items() if name not in place}
