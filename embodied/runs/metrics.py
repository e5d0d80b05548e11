"""Metrics: one JSON line per entry, and the same as TensorBoard events."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Mapping
from pathlib import Path

from embodied.runs.files import write_atomically


class Metrics:
    """Appends to ``metrics.jsonl``; entries of steps that a resumed run will make again are taken out."""

    def __init__(self, folder: Path, resume_at: int = 0, tensorboard: bool = True) -> None:
        """Opens the file.

        Args:
            folder: the run's.
            resume_at: entries beyond this step are removed; 0 begins anew.
            tensorboard: whether to write events too.
        """
        path = folder / "metrics.jsonl"
        kept = [line for line in _lines(path) if json.loads(line)["step"] <= resume_at] if resume_at else []
        write_atomically(path, "".join(f"{line}\n" for line in kept))
        self._file = path.open("a")
        self._events = None
        if tensorboard:
            from torch.utils.tensorboard import SummaryWriter

            self._events = SummaryWriter(str(folder / "tensorboard"), purge_step=resume_at + 1 if resume_at else 0)

    def write(self, step: int, values: Mapping[str, float]) -> None:
        """One entry; numbers that are not finite become null."""
        finite = {name: value if math.isfinite(value) else None for name, value in values.items()}
        self._file.write(json.dumps({"step": step, **finite}) + "\n")
        self._file.flush()
        if self._events is not None:
            for name, value in values.items():
                self._events.add_scalar(name, value, step)

    def close(self) -> None:
        """Syncs to disk."""
        try:
            self._file.flush()
            os.fsync(self._file.fileno())
        finally:
            self._file.close()
            if self._events is not None:
                self._events.close()


def read_metrics(folder: Path) -> list[dict[str, float]]:
    """All entries of a run; a last line that was cut short is left out."""
    return [json.loads(line) for line in _lines(folder / "metrics.jsonl")]


def _lines(path: Path) -> list[str]:
    if not path.exists():
        return []
    whole = []
    for line in path.read_text().split("\n"):
        try:
            entry = json.loads(line)
        except ValueError:
            continue
        if isinstance(entry, dict) and isinstance(entry.get("step"), int):
            whole.append(line)
    return whole
