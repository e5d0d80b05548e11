"""What an imitation was, read from its folder, finished or under way: figures, curves, how each clip is tracked."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from embodied.report.training import TrainingRun, read_training
from embodied.runs.errors import UserError
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


@dataclass(frozen=True)
class Imitation(TrainingRun):
    """A run of ``embodied pretrain imitate``, as far as it has come."""

    evaluation: TrackingResult | None
    """Of the finished run."""

    @property
    def finished(self) -> bool:
        """Whether it has come to its end."""
        return self.evaluation is not None

    @property
    def clips(self) -> list[str]:
        """Names of the clips that were seen."""
        return sorted({name.removeprefix(CLIP) for entry in self.entries for name in entry if name.startswith(CLIP)})


def read_imitation(path: Path) -> Imitation:
    """Reads a run; it is not disturbed.

    Raises:
        UserError: the folder holds no run, or one whose files are damaged.
    """
    return Imitation(**vars(read_training(path)), evaluation=_evaluation(path / EVALUATION))


def imitation_figures(path: Path) -> dict[str, Any]:
    """Figures of a run: those of its latest iteration, and of its evaluation where it is finished.

    Raises:
        UserError: as `read_imitation`.
    """
    run = read_imitation(path)
    evaluation = run.evaluation
    return {
        "kind": "imitate",
        **run.figures(LIVE),
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
