"""The trainings of a transfer: each body on each task, with a folder of its own, and how each ended."""

from __future__ import annotations

import json
import shutil
import zlib
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from embodied.evolution.ledger import Outcome
from embodied.evolution.lifetimes import CHECKPOINTS, Order
from embodied.evolution.transfer.bodies import Chosen
from embodied.evolution.transfer.configuration import TransferConfig
from embodied.runs.errors import UserError
from embodied.runs.files import write_atomically
from embodied.runs.seeds import generator_seed, stream

FOLDER = "transfer"
"""Of a transfer, within that of the evolution."""
OUTCOME, FAILURE = "outcome.json", "failure.json"
"""Written when a training has ended, well or not."""
TRAINING, EVALUATION = range(2)
"""Streams of randomness below a transfer's seed."""


@dataclass(frozen=True)
class Training:
    """One body on one task."""

    task: str
    body: Chosen
    folder: Path

    @property
    def name(self) -> str:
        """``patrol, body 12``."""
        return f"{self.task}, body {self.body.lifetime}"

    @property
    def failed(self) -> bool:
        """Whether it ended, and not well."""
        return (self.folder / FAILURE).exists() and not (self.folder / OUTCOME).exists()

    @property
    def ended(self) -> bool:
        """Whether there is nothing left to do."""
        return (self.folder / OUTCOME).exists() or (self.folder / FAILURE).exists()

    @property
    def steps(self) -> int:
        """Environment steps at its latest checkpoint."""
        return max((int(path.name) for path in self.folder.glob(f"{CHECKPOINTS}/[0-9]*") if path.is_dir()), default=0)

    def order(self, number: int, config: TransferConfig) -> Order:
        """What a worker is told. What it draws depends on task and body alone, not on what else is trained."""
        address = (TRAINING, zlib.crc32(self.task.encode()), int(self.body.fingerprint, 16))
        return Order(
            id=number,
            genome=self.body.genome,
            seed=generator_seed(stream(config.seed, *address)),
            evaluation_seed=generator_seed(stream(config.seed, EVALUATION)),
            task=self.task,
            steps=config.steps,
            rungs=(),
            worlds=config.worlds,
            episodes=config.episodes,
            checkpoint_seconds=config.checkpoint_seconds,
            ppo=config.ppo,
            policy=config.policy,
            folder=self.folder,
        )

    def finish(self, outcome: Outcome) -> None:
        """It ended well."""
        write_atomically(self.folder / OUTCOME, json.dumps(asdict(outcome)))
        shutil.rmtree(self.folder / CHECKPOINTS, ignore_errors=True)

    def fail(self, failure: str, error: str, steps: int) -> None:
        """It failed, and is not tried again."""
        self.folder.mkdir(parents=True, exist_ok=True)
        write_atomically(self.folder / FAILURE, json.dumps({"failure": failure, "error": error, "steps": steps}))
        shutil.rmtree(self.folder / CHECKPOINTS, ignore_errors=True)


def training_folder(transfer: Path, task: str, lifetime: int) -> Path:
    """Of a body, by its number in the evolution."""
    return transfer / task / f"{lifetime:06d}"


def read_end(folder: Path) -> tuple[dict[str, Any] | None, dict[str, Any] | None]:
    """Outcome and failure of a training, as plain data; None each where there is none.

    Raises:
        UserError: a file of them is damaged.
    """
    found = []
    for name, needed in ((OUTCOME, "evaluation"), (FAILURE, "error")):
        path = folder / name
        if not path.exists():
            found.append(None)
            continue
        try:
            data = json.loads(path.read_text())
            data[needed]
        except OSError as error:
            raise UserError(f"{path} cannot be read: {error.strerror}") from None
        except (ValueError, KeyError, TypeError):
            raise UserError(f"{path} is damaged; remove it and go on with --resume") from None
        found.append(data)
    return found[0], found[1]
