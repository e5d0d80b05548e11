"""What every bench is: its flags, its measure and its table; and the flags that several of them have in common."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from embodied.physics.cpu import usable_cores
from embodied.runs.progress import Progress


@dataclass(frozen=True)
class Bench:
    """Flags of any bench."""

    json: Path | None = None
    """Write the figures to this file too."""


@dataclass(frozen=True)
class Threaded(Bench):
    """Flags of one that steps worlds on threads."""

    threads: int | None = None
    """For the physics; all usable cores by default."""
    seed: int = 0
    """Of everything random."""

    @property
    def cores(self) -> int:
        """How many threads that is here."""
        return self.threads or usable_cores()

    @property
    def on_threads(self) -> str:
        """``on 2 threads``."""
        return f"on {self.cores} thread{'s' if self.cores > 1 else ''}"


@dataclass(frozen=True)
class OnTask(Threaded):
    """Flags of one of a body on a task."""

    task: str = "flat"
    """Registered name."""
    body: str = "ant"
    """Name, genome file or robot's file."""
    worlds: int = 128
    """Worlds stepped together."""


@dataclass(frozen=True)
class Measure:
    """One bench, as the command line finds it."""

    flags: type[Bench]
    """Their defaults are those of the figures on docs/bench.md."""
    run: Callable[[Any, Progress], dict[str, Any]]
    """Measures, and gives the figures as plain data."""
    rows: Callable[[dict[str, Any]], list[tuple[str, ...]]]
    """The figures as a table."""
    brief: Bench | None = None
    """Flags of a first impression, a minute at most; None for what is no part of one."""
