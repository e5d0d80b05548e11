"""What the pre-training of a skill prior was, read from its folder: figures, curves, how near it comes to each clip."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from embodied.report.training import TrainingRun, is_finite, read_training
from embodied.runs.errors import UserError

KIND = "ase"
"""Of such a run."""
EVALUATION, CLONING, CLIPS = "evaluation.json", "cloning.json", "clips.json"
"""In its folder: what the finished prior can do, how its decoder was taught, which clips there are."""
LIVE = {
    "agreement": "discriminator/agreement",
    "style_reward": "reward/style",
    "right_on_agent": "discriminator/right_on_agent",
    "right_on_clips": "discriminator/right_on_clips",
    "action_diversity": "action_diversity",
    "clips_distance": "clips/distance",
    "clips_near": "clips/near",
    "clips_seen": "clips/seen",
    "clips_effective": "clips/effective",
    "transitions": "clips/transitions",
}
"""Figures of the latest iteration by the names of their metrics."""
NUMBERS = (
    *("coverage", "threshold", "agreement", "diversity", "diversity_floor", "transitions", "transition_pairs"),
    *("right_on_agent", "right_on_clips", "falls"),
)
"""Of an evaluation, besides clips and latents."""


@dataclass(frozen=True)
class Evaluation:
    """What the evaluation of a finished run found; see `embodied.skills.ase.evaluation`."""

    plain: dict[str, Any]
    """All that its file holds."""
    distances: dict[str, float]
    """Of each clip to what the best latent for it does, the nearest first."""
    best: dict[str, int]
    """Number of that latent."""
    latents: np.ndarray
    """(N, L) That were tried."""

    def __getitem__(self, name: str) -> float:
        """One of `NUMBERS`."""
        return self.plain[name]

    def covers(self, clip: str) -> bool:
        """Whether some latent reproduces the clip."""
        return self.distances[clip] < self["threshold"]

    @property
    def covered(self) -> int:
        """Number of clips that some latent reproduces."""
        return sum(self.covers(clip) for clip in self.distances)

    @property
    def collapsed(self) -> bool:
        """Whether actions hardly depend on the latent."""
        return self["diversity"] < self["diversity_floor"]


@dataclass(frozen=True)
class Lessons:
    """How a decoder was taught by a tracking policy."""

    steps: np.ndarray
    """(n,) Environment steps of the teaching, which a run does not count among its own."""
    error: np.ndarray
    """(n,) Root mean square between its actions and the teacher's, of an action's unit."""
    led: np.ndarray
    """(n,) Share of worlds in which the teacher acted."""


@dataclass(frozen=True)
class RepertoireRun(TrainingRun):
    """A run of ``embodied pretrain ase``, as far as it has come."""

    evaluation: Evaluation | None
    """Of the finished run."""
    lessons: Lessons | None
    """Of a run with a teacher, once it is taught."""
    clips: tuple[str, ...]
    """Names of the clips that it learns from; none where the run's note of them is missing."""

    @property
    def finished(self) -> bool:
        """Whether it has come to its end."""
        return self.evaluation is not None

    @property
    def teacher(self) -> str | None:
        """Name of the run whose policy taught the decoder; None without."""
        named = self.config.get("teacher")
        return Path(named).name if isinstance(named, str) else None

    @property
    def rested(self) -> int:
        """Environment steps at the beginning in which the actor did not learn, so that its judges could; 0 untaught.

        Told by the metrics: an actor that learns has a loss.
        """
        if self.teacher is None:
            return 0
        learning = (entry["step"] for entry in self.entries if entry.get("policy_loss") is not None)
        first = next(learning, None)
        return max((entry["step"] for entry in self.entries if first is None or entry["step"] < first), default=0)


def read_repertoire(path: Path) -> RepertoireRun:
    """Reads a run; it is not disturbed.

    Raises:
        UserError: the folder holds no run, or one whose files are damaged.
    """
    evaluation = _read(path / EVALUATION, _evaluation, "remove it and go on with --resume")
    lessons = _read(path / CLONING, _lessons, "remove it, and the report leaves out how the decoder was taught")
    clips = _read(path / CLIPS, _clips, "put the run's own there again") or (evaluation and evaluation.distances) or ()
    return RepertoireRun(
        **vars(read_training(path)), evaluation=evaluation, lessons=lessons, clips=tuple(sorted(clips))
    )


def repertoire_figures(path: Path) -> dict[str, Any]:
    """Figures of a pre-training: those of its latest iteration, and of its evaluation where it is finished.

    Raises:
        UserError: as `read_repertoire`.
    """
    run = read_repertoire(path)
    evaluation, lessons = run.evaluation, run.lessons
    return {
        "kind": KIND,
        **run.figures(LIVE),
        **({"lesson_steps": int(lessons.steps[-1]), "lesson_error": float(lessons.error[-1])} if lessons else {}),
        "finished": run.finished,
        **({"evaluation": evaluation.plain, "coverage": float(evaluation["coverage"])} if evaluation else {}),
    }


def _read(file: Path, parse: Callable[[Any], Any], way_out: str) -> Any:
    """What a JSON file says; None where there is none."""
    if not file.exists():
        return None
    try:
        return parse(json.loads(file.read_text()))
    except OSError as error:
        raise UserError(f"{file} cannot be read: {error.strerror}") from None
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise UserError(f"{file} is damaged; {way_out}") from None


def _evaluation(plain: Any) -> Evaluation:
    """Raises ValueError, KeyError, TypeError or AttributeError where something is missing, or no finite number."""
    distances, best, latents = plain["distances"], plain["best_latents"], np.array(plain["latents"], dtype=float)
    numbers = [plain[name] for name in NUMBERS] + list(distances.values()) + list(plain["coverage_at"].values())
    if not all(map(is_finite, numbers)) or latents.ndim != 2 or not np.isfinite(latents).all():
        raise ValueError
    if not distances or set(best) != set(distances):
        raise ValueError
    if not all(type(number) is int and 0 <= number < len(latents) for number in best.values()):
        raise ValueError
    ranked = sorted(distances, key=lambda name: (distances[name], name))
    return Evaluation(plain, {name: float(distances[name]) for name in ranked}, best, latents)


def _lessons(plain: Any) -> Lessons:
    """Raises as `_evaluation`."""
    steps, error, led = (np.array(plain[name], dtype=float) for name in ("steps", "error", "led"))
    whole = steps.ndim == 1 and len(steps) and steps.shape == error.shape == led.shape
    if not whole or not np.isfinite([steps, error, led]).all() or (np.diff(steps) < 0).any():
        raise ValueError
    return Lessons(steps, error, led)


def _clips(plain: Any) -> tuple[str, ...]:
    """Raises as `_evaluation`."""
    if not isinstance(plain, dict):
        raise ValueError
    return tuple(plain)
