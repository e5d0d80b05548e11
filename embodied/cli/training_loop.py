"""The loop of every command that trains: iterate, write figures, show progress, and store all there is now and then."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Protocol

from torch import Tensor

from embodied.runs.checkpoint import save_checkpoint
from embodied.runs.metrics import Metrics
from embodied.runs.progress import Progress


class Training(Protocol):
    """What is trained, an iteration at a time."""

    iteration: int
    iterations: int
    samples: int
    """Environment steps of an iteration."""

    @property
    def steps(self) -> int: ...  # noqa: D102
    @property
    def finished(self) -> bool: ...  # noqa: D102
    def iterate(self) -> dict[str, float]: ...  # noqa: D102
    def state(self) -> tuple[dict[str, Tensor], dict[str, Any]]: ...  # noqa: D102


def train_to_the_end(
    command: str,
    trainer: Training,
    path: Path,
    checkpoint_every: int,
    facts: Mapping[str, Any] | None = None,
    figures: Callable[[], tuple[Mapping[str, float], str]] | None = None,
) -> None:
    """Trains until all steps are made.

    Args:
        command: its name, for people.
        trainer: what is trained; it may have been taken up from a checkpoint.
        path: of the run's folder.
        checkpoint_every: iterations between checkpoints.
        facts: what else goes into checkpoints.
        figures: asked after each iteration for further metrics, and a few words about them.
    """
    metrics = Metrics(path, resume_at=trainer.steps)
    try:
        with Progress(f"embodied {command} · {path}") as progress:
            progress.begin(0, path.name, trainer.iterations * trainer.samples, trainer.steps)
            while not trainer.finished:
                values = trainer.iterate()
                more, note = figures() if figures else ({}, "")
                metrics.write(trainer.steps, {**values, **more})
                progress.advance(0, trainer.steps, values.get("episode/return"), note)
                if trainer.iteration % checkpoint_every == 0 or trainer.finished:
                    tensors, own = trainer.state()
                    save_checkpoint(path / "checkpoints", trainer.steps, tensors, {**own, **(facts or {})})
    finally:
        metrics.close()
