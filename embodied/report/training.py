"""What the metrics of a training tell, whatever is trained: how far it has come, latest values, curves over steps."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from embodied.report.pace import Pace, read_pace
from embodied.runs.errors import UserError
from embodied.runs.folder import CONFIG, read_run_config
from embodied.runs.metrics import read_metrics

POINTS = 200
"""Of a curve, at most: more are averaged."""


@dataclass(frozen=True)
class TrainingRun:
    """A run that writes metrics over environment steps, as far as it has come."""

    path: Path
    config: dict[str, Any]
    entries: list[dict[str, Any]]
    """Of its metrics, by iteration."""
    pace: Pace | None

    @property
    def steps(self) -> int:
        """Environment steps made."""
        return int(self.entries[-1]["step"]) if self.entries else 0

    @property
    def budget(self) -> int:
        """Environment steps asked for."""
        return int(self.config.get("steps", 0))

    def figures(self, live: Mapping[str, str]) -> dict[str, Any]:
        """How far it has come and how fast, as plain data, and metrics' latest values by the names given here."""
        return {
            "environment_steps": self.steps,
            "budget": self.budget,
            "steps_per_second": self.pace and self.pace.rate,
            "training_seconds": self.pace and self.pace.seconds,
            "episodes": int(self.latest("episodes") or 0),
            "unhealthy_episodes": int(self.latest("unhealthy_episodes") or 0),
            **{name: self.latest(metric) for name, metric in live.items()},
        }

    def latest(self, name: str) -> float | None:
        """A metric's last value that there is; None where there is none."""
        values = (entry.get(name) for entry in reversed(self.entries))
        return next((value for value in values if value is not None), None)

    def curve(self, name: str, points: int = POINTS) -> tuple[np.ndarray, np.ndarray]:
        """Steps and values of a metric, (n,) each, averaged so that at most so many points are left."""
        found = [(entry["step"], entry[name]) for entry in self.entries if entry.get(name) is not None]
        if not found:
            return np.empty(0), np.empty(0)
        steps, values = np.array(found, dtype=float).T
        return averaged(steps, values, points)

    def parts(self, name: str, edges: np.ndarray) -> np.ndarray:
        """(n - 1,) Means of a metric between steps ``edges`` (n,); nan where it was not seen."""
        steps, values = self.curve(name, len(self.entries) or 1)
        place = np.digitize(steps, edges[1:-1])
        return np.array([values[place == i].mean() if (place == i).any() else np.nan for i in range(len(edges) - 1)])


def read_training(path: Path) -> TrainingRun:
    """Reads a run; it is not disturbed.

    Raises:
        UserError: the folder holds no run, or one whose configuration or metrics are damaged.
    """
    config, entries = read_run_config(path), read_metrics(path)
    for name, kind, wanted in (("steps", int, "a whole number"), ("robot", str, "a name or a file")):
        if not isinstance(config.get(name), kind) or isinstance(config[name], bool):
            raise UserError(f"{path / CONFIG} is damaged: {name} is {config.get(name)!r:.60}, not {wanted}")
    for entry in entries:
        for name, value in entry.items():
            if value is not None and not is_finite(value):
                raise UserError(
                    f"{path / 'metrics.jsonl'} is damaged: {name} is {value!r:.60} at step {entry['step']}, no finite "
                    "number; remove that line"
                )
    return TrainingRun(path, config, entries, read_pace(path))


def averaged(steps: np.ndarray, values: np.ndarray, points: int = POINTS) -> tuple[np.ndarray, np.ndarray]:
    """Means of as many neighbours, so that at most so many points of a curve (n,), (n,) are left."""
    if not len(steps):
        return steps, values
    parts = np.array_split(np.stack((steps, values)), min(len(steps), points), axis=1)
    means = np.array([part.mean(axis=1) for part in parts])
    return means[:, 0], means[:, 1]


def is_finite(value: object) -> bool:
    """Whether something is a number, and a finite one."""
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
