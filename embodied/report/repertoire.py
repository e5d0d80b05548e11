"""The report of an ASE pre-training: its figures, a picture of curves and clips, and a film of sixteen latents."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import torch
from matplotlib.figure import Figure

from embodied.envs import make
from embodied.motion.library import MotionLibrary
from embodied.report.skills_film import film_latents
from embodied.report.style import ACCENT, CALM, MUTED, OTHER, QUIET, Picture, draw, shorten
from embodied.runs.errors import UserError
from embodied.runs.folder import read_run_config
from embodied.runs.metrics import read_metrics
from embodied.skills.ase.prior import load_prior
from embodied.skills.motion_task import MotionTask
from embodied.skills.tracking_run import places_of
from morphologies import find_body

SHOWN = 16
"""Latents of the film."""
SECONDS = 6.0
SEED = 0
"""Of the film's starts, and of latents where there is no evaluation yet."""
LIVE = {
    "agreement": "discriminator/agreement",
    "style_reward": "reward/style",
    "right_on_agent": "discriminator/right_on_agent",
    "right_on_clips": "discriminator/right_on_clips",
    "action_diversity": "action_diversity",
    "clips_seen": "clips/seen",
    "clips_effective": "clips/effective",
    "transitions": "clips/transitions",
}
"""Figures of the latest iteration by the names of their metrics."""


def repertoire_figures(path: Path) -> dict[str, Any]:
    """Figures of a pre-training: those of its latest iteration, and of its evaluation where it is finished.

    Raises:
        UserError: its files are damaged.
    """
    entries = read_metrics(path)
    last = entries[-1] if entries else {}
    evaluation = _evaluation(path)
    return {
        "kind": "ase",
        "environment_steps": int(last.get("step", 0)),
        "episodes": int(last.get("episodes", 0)),
        "unhealthy_episodes": int(last.get("unhealthy_episodes", 0)),
        **{name: last.get(metric) for name, metric in LIVE.items()},
        "finished": evaluation is not None,
        **({"evaluation": evaluation, "coverage": evaluation["coverage"]} if evaluation else {}),
    }


def write_repertoire(path: Path) -> list[Path]:
    """Draws the picture and makes the film in the run's ``report``; returns their paths.

    Raises:
        UserError: the run has no prior yet, or its clips are no longer where they were.
        NoGraphics: there is no off-screen OpenGL here; the picture is drawn.
    """
    folder = path / "report"
    folder.mkdir(exist_ok=True)
    evaluation = _evaluation(path)
    made = [draw(_picture(read_metrics(path), evaluation), folder)]
    config, prior = read_run_config(path), load_prior(path)
    body = find_body(config["robot"])
    library = MotionLibrary.load(places_of(config, body), robot=body.name)
    task = MotionTask(library, reference_starts=0.0)
    env = make(task, body, SHOWN, threads=1)
    try:
        latents = chosen_latents(evaluation, prior.sample(SHOWN, torch.Generator().manual_seed(SEED)))
        film_latents(env, prior, body, latents, folder / "latents.mp4", SEED, SECONDS)
    finally:
        env.close()
    return [*made, folder / "latents.mp4"]


def chosen_latents(evaluation: dict[str, Any] | None, others: torch.Tensor) -> torch.Tensor:
    """(16, L) The latents that come nearest to clips, the nearest clip first, each once; then others."""
    if evaluation is None:
        return others
    by_distance = sorted(evaluation["distances"], key=evaluation["distances"].__getitem__)
    best = list(dict.fromkeys(evaluation["best_latents"][name] for name in by_distance))[: len(others)]
    tried = torch.tensor(evaluation["latents"])
    return torch.cat((tried[best], others[: len(others) - len(best)]))


def _evaluation(path: Path) -> dict[str, Any] | None:
    file = path / "evaluation.json"
    if not file.exists():
        return None
    try:
        found = json.loads(file.read_text())
        return {**found, "coverage": float(found["coverage"])}
    except (ValueError, KeyError, TypeError):
        raise UserError(f"{file} is damaged; remove it and go on with --resume") from None


def _picture(entries: list[dict[str, float]], evaluation: dict[str, Any] | None) -> Picture:
    def paint(figure: Figure) -> None:
        axes = figure.subplots(1, 3 if evaluation else 2, squeeze=False)[0]
        for name, label, colour in (
            ("discriminator/agreement", "encoder agreement", ACCENT),
            ("discriminator/right_on_agent", "agent told", CALM),
            ("discriminator/right_on_clips", "clips told", OTHER),
        ):
            axes[0].plot(*_curve(entries, name), color=colour, label=label)
        axes[0].set(ylim=(-0.05, 1.05), xlabel="control steps", title="Who sees through whom")
        axes[0].legend(loc="center right")
        for name, label, colour in (
            ("reward/style", "style reward", ACCENT),
            ("clips/distance", "distance to nearest clip", CALM),
            ("action_diversity", "actions between latents", OTHER),
        ):
            axes[1].plot(*_curve(entries, name), color=colour, label=label)
        axes[1].set(ylim=(0, None), xlabel="control steps", title="What is done")
        axes[1].legend(loc="upper right")
        for each in axes[:2]:
            shorten(each, "x")
        if evaluation:
            names = sorted(evaluation["distances"], key=evaluation["distances"].__getitem__, reverse=True)
            values = [evaluation["distances"][name] for name in names]
            within = [value < evaluation["threshold"] for value in values]
            axes[2].barh(names, values, color=[ACCENT if near else QUIET for near in within], height=0.7)
            axes[2].axvline(evaluation["threshold"], color=MUTED, linewidth=1.0)
            axes[2].tick_params(axis="y", labelsize=6.5)
            axes[2].grid(visible=False)
            axes[2].set(xlabel="distance of the best latent", title=f"{sum(within)} of {len(names)} clips reproduced")

    caption = "Curves of the pre-training, and how near some latent comes to each clip."
    return Picture("repertoire", "Repertoire", caption, paint, (12.0, 4.6))


def _curve(entries: list[dict[str, float]], name: str) -> tuple[np.ndarray, np.ndarray]:
    """Steps and values, averaged so that a hundred and fifty points are left."""
    found = [(entry["step"], entry[name]) for entry in entries if entry.get(name) is not None]
    if not found:
        return np.empty(0), np.empty(0)
    parts = np.array_split(np.array(found), min(len(found), 150))
    return tuple(np.array([part.mean(axis=0) for part in parts]).T)  # type: ignore[return-value]
