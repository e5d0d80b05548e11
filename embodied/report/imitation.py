"""What an imitation was, read from its folder, finished or under way: figures, curves, how each clip is tracked."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from embodied.report.pace import Pace, read_pace
from embodied.runs.errors import UserError
from embodied.runs.folder import read_run_config
from embodied.runs.metrics import read_metrics
from embodied.skills.tracking_evaluation import ClipResult, TrackingResult
from embodied.skills.tracking_run import EVALUATION

LIVE = {
    "recent_score": "tracking/score",
    "recent_share_to_end": "tracking/share_to_end",
    "recent_joint_error": "tracking/joint_error",
    "recent_root_error": "tracking/root_error",
    "clips_seen": "tracking/clips_seen",
    "recent_return": "episode/return",
}
"""Figures of the latest iteration by the names of their metrics."""
CLIP = "clip/"
"""Before a clip's name, the metric of how often it is tracked to its end."""
POINTS = 200
"""Of a curve, at most: more are averaged."""


@dataclass(frozen=True)
class Imitation:
    """A run of ``embodied pretrain imitate``, as far as it has come."""

    path: Path
    config: dict[str, Any]
    entries: list[dict[str, Any]]
    """Of its metrics, by iteration."""
    evaluation: TrackingResult | None
    """Of the finished run."""
    pace: Pace | None

    @property
    def steps(self) -> int:
        """Environment steps made."""
        return int(self.entries[-1]["step"]) if self.entries else 0

    @property
    def budget(self) -> int:
        """Environment steps asked for."""
        return int(self.config.get("steps", 0))

    @property
    def finished(self) -> bool:
        """Whether it has come to its end."""
        return self.evaluation is not None

    @property
    def clips(self) -> list[str]:
        """Names of the clips that were seen."""
        return sorted({name.removeprefix(CLIP) for entry in self.entries for name in entry if name.startswith(CLIP)})

    def latest(self, name: str) -> float | None:
        """A metric's last value that there is; None where there is none."""
        values = (entry.get(name) for entry in reversed(self.entries))
        return next((value for value in values if value is not None), None)

    def curve(self, name: str, points: int = POINTS) -> tuple[np.ndarray, np.ndarray]:
        """Steps and values of a metric, (n,) each, averaged so that at most so many points are left."""
        found = [(entry["step"], entry[name]) for entry in self.entries if entry.get(name) is not None]
        if not found:
            return np.empty(0), np.empty(0)
        parts = np.array_split(np.array(found, dtype=float), min(len(found), points))
        steps, values = np.array([part.mean(axis=0) for part in parts]).T
        return steps, values

    def parts(self, name: str, edges: np.ndarray) -> np.ndarray:
        """(n - 1,) Means of a metric between steps ``edges`` (n,); nan where it was not seen."""
        steps, values = self.curve(name, len(self.entries) or 1)
        place = np.digitize(steps, edges[1:-1])
        return np.array([values[place == i].mean() if (place == i).any() else np.nan for i in range(len(edges) - 1)])


def read_imitation(path: Path) -> Imitation:
    """Reads a run; it is not disturbed.

    Raises:
        UserError: the folder holds no run, or one whose files are damaged.
    """
    return Imitation(path, read_run_config(path), read_metrics(path), _evaluation(path / EVALUATION), read_pace(path))


def imitation_figures(path: Path) -> dict[str, Any]:
    """Figures of a run: those of its latest iteration, and of its evaluation where it is finished.

    Raises:
        UserError: as `read_imitation`.
    """
    run = read_imitation(path)
    evaluation = run.evaluation
    return {
        "kind": "imitate",
        "environment_steps": run.steps,
        "budget": run.budget,
        "steps_per_second": run.pace and run.pace.rate,
        "training_seconds": run.pace and run.pace.seconds,
        "episodes": int(run.latest("episodes") or 0),
        "unhealthy_episodes": int(run.latest("unhealthy_episodes") or 0),
        **{name: run.latest(metric) for name, metric in LIVE.items()},
        "finished": run.finished,
        **({"evaluation": evaluation.as_dict()} if evaluation else {}),
        **({"share_good": evaluation.share_good} if evaluation else {}),
    }


def _evaluation(file: Path) -> TrackingResult | None:
    if not file.exists():
        return None
    try:
        clips = json.loads(file.read_text())["clips"]
        results = tuple(ClipResult(**{n: v for n, v in clip.items() if n != "good"}) for clip in clips)
        if not results or not all(isinstance(each.joint_error + each.root_error, float) for each in results):
            raise ValueError
        return TrackingResult(results)
    except (ValueError, KeyError, TypeError, AttributeError):
        raise UserError(f"{file} is damaged; remove it and go on with --resume") from None
