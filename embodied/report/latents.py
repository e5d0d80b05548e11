"""Which sixteen latents of a skill prior are shown, and their film."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import torch

from embodied.envs import make
from embodied.motion.library import MotionLibrary
from embodied.report.repertoire import EVALUATION, Evaluation, RepertoireRun
from embodied.report.skills_film import LatentsFilm, film_latents
from embodied.runs.errors import UserError
from embodied.skills.ase.prior import load_prior
from embodied.skills.motion_task import MotionTask
from embodied.skills.tracking_run import places_of
from morphologies import find_body

SHOWN = 16
"""Latents of the film."""
SECONDS = 6.0
SEED = 0
"""Of the film's starts, and of latents drawn anew."""


@dataclass(frozen=True)
class ShownLatent:
    """A latent of the film."""

    latent: torch.Tensor
    """(L,)"""
    number: int | None = None
    """Among those of the evaluation; None of one drawn anew."""
    clip: str | None = None
    """The clip that it comes nearest to of those for which it is the best."""
    distance: float = 0.0
    """Of that clip."""

    @property
    def words(self) -> str:
        """A few, for the film."""
        if self.clip is None:
            return "drawn at random"
        return f"{self.number} · {self.clip.replace('_', ' ')} · {self.distance:.2f}"


def chosen_latents(evaluation: Evaluation | None, drawn: torch.Tensor) -> tuple[ShownLatent, ...]:
    """The latents that come nearest to clips, the nearest clip first, each once; then others.

    Args:
        evaluation: of the run; None for one under way.
        drawn: (N, L) at random; as many are chosen, and these take the places that are left.
    """
    found: dict[int, ShownLatent] = {}
    if evaluation is not None:
        for clip, distance in evaluation.distances.items():
            number = evaluation.best[clip]
            latent = torch.tensor(evaluation.latents[number], dtype=drawn.dtype)
            found.setdefault(number, ShownLatent(latent, number, clip, distance))
    best = list(found.values())[: len(drawn)]
    return (*best, *(ShownLatent(latent) for latent in drawn[: len(drawn) - len(best)]))


def film_of(run: RepertoireRun, path: Path) -> tuple[LatentsFilm, tuple[ShownLatent, ...]]:
    """Films sixteen latents of a run's prior, or of its latest checkpoint's.

    Raises:
        UserError: the run has no prior yet, or its files do not belong together.
        MotionError: its clips are no longer where they were.
        NoGraphics: there is no off-screen OpenGL here.
    """
    prior = load_prior(run.path)
    drawn = prior.sample(SHOWN, torch.Generator().manual_seed(SEED))
    if run.evaluation is not None and run.evaluation.latents.shape[1] != drawn.shape[1]:
        raise UserError(f"{run.path / EVALUATION} is of another prior: its latents have other sizes than this one's")
    shown = chosen_latents(run.evaluation, drawn)
    body = find_body(run.config["robot"])
    library = MotionLibrary.load(places_of(run.config, body), robot=body.name)
    env = make(MotionTask(library, reference_starts=0.0), body, SHOWN, threads=1)
    try:
        latents = torch.stack([each.latent for each in shown])
        words = [each.words for each in shown] if run.evaluation is not None else ()  # each drawn at random: no news
        return film_latents(env, prior, body, latents, path, SEED, SECONDS, words=words), shown
    finally:
        env.close()
