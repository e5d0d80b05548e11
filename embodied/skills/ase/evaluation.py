"""What tells how good a repertoire is: coverage of the clips, agreement, diversity, transitions, and who is fooled.

Returns of adversarial training say little: the judge learns with the judged.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from embodied.envs import make
from embodied.runs.seeds import generator_seed, stream, torch_generator
from embodied.skills.ase.policy import STYLE
from embodied.skills.ase.prior import ASEPrior
from embodied.skills.ase.repertoire import Repertoire
from embodied.skills.ase.windows import ClipWindows, LatestWindows
from embodied.skills.motion_task import MotionTask
from morphologies import Body

THRESHOLD = 0.35
"""Distance of `Repertoire.to_clips` within which a latent reproduces a clip. √2 is that of two moments at random; the
clip of a standing Go1 is 0.40 from turning on the spot, and 0.43 from walking sideways."""
DIVERSITY_FLOOR = 0.1
"""rad. A policy whose joint targets differ by less between two latents has collapsed."""
STARTS = 4
"""Episodes under each latent; half of them begin in clips."""
SECONDS = 6.0
"""Of each."""
SETTLED = 0.5
"""s. From the beginning of an episode; what a robot does before then is its start's doing, not the latent's."""
EVERY = 2
"""Control steps between two windows that are looked at."""
SWITCH = 1.0
"""s. Time that each latent has where transitions are counted."""
ACTING, SWITCHING, LATENTS = range(3)
"""Streams of randomness below an evaluation's seed."""


@dataclass(frozen=True)
class RepertoireFigures:
    """Of one prior."""

    coverage: float
    """Share of clips that some latent reproduces within `THRESHOLD`."""
    distances: dict[str, float]
    """Of each clip to what the best latent for it does."""
    best: dict[str, int]
    """Number of that latent."""
    agreement: float
    """Mean ⟨E(window), z⟩."""
    diversity: float
    """rad. Root mean square between joint targets under two latents, in the states that were met."""
    transitions: float
    """Share of latents switched after which another clip is the nearest."""
    pairs: int
    """Different transitions from one clip to another that were seen."""
    right_on_agent: float
    """Share of the agent's windows that the discriminator tells from clips."""
    right_on_clips: float
    """Share of the clips' windows that it tells from the agent's."""
    falls: int
    """Episodes that ended before their time."""
    latents: Tensor
    """(N, L) That were tried."""

    def summary(self) -> dict[str, Any]:
        """Plain data for a JSON file."""
        return {
            "coverage": self.coverage,
            "threshold": THRESHOLD,
            "coverage_at": {f"{at:.2f}": self.share_within(at) for at in (0.25, 0.3, 0.35, 0.4, 0.5, 0.6, 0.8)},
            "distances": self.distances,
            "best_latents": self.best,
            "agreement": self.agreement,
            "diversity": self.diversity,
            "diversity_floor": DIVERSITY_FLOOR,
            "transitions": self.transitions,
            "transition_pairs": self.pairs,
            "right_on_agent": self.right_on_agent,
            "right_on_clips": self.right_on_clips,
            "falls": self.falls,
            "latents": self.latents.tolist(),
        }

    def share_within(self, threshold: float) -> float:
        """Of the clips, that some latent reproduces within this distance."""
        return sum(distance < threshold for distance in self.distances.values()) / len(self.distances)


@torch.no_grad()
def evaluate_repertoire(
    prior: ASEPrior, task: MotionTask, body: Body, latents: int, seed: int, threads: int | None = None
) -> RepertoireFigures:
    """Plays latents, held for a whole episode and then switched, and compares what comes of it with the clips.

    Args:
        prior: acts by its means.
        task: fresh; has the clips.
        body: the prior's robot.
        latents: how many are tried, drawn uniformly.
        seed: of latents and episodes.
        threads: of the physics.
    """
    task.reference_starts, task.dropped_starts = 0.5, 0.0
    env = make(task, body, latents * STARTS, threads=threads)
    clips = ClipWindows(task, prior.window_steps, env.control_dt)
    repertoire = Repertoire.of(clips, env.observation_spec)
    tried = prior.sample(latents, torch_generator(stream(seed, LATENTS)))
    held = tried.repeat_interleave(STARTS, dim=0)
    scale = torch.tensor(env.env.scene.entities["robot"].action_map[1]).float()
    steps, settled = round(SECONDS / env.control_dt), round(SETTLED / env.control_dt)
    generator = torch_generator(stream(seed, SWITCHING))

    stage = _Stage(env, prior, clips, generator_seed(stream(seed, ACTING)))
    looks: list[Tensor] = []
    counted: list[Tensor] = []
    apart = []
    for step in range(steps):
        if step % 10 == 0:
            one, other = (prior.sample(len(held), generator) for _ in range(2))
            actions = [prior.decode(stage.observation, latent)[0] for latent in (one, other)]
            apart.append(((actions[0] - actions[1]) * scale).square().mean())
        stage.act(held)
        if step % EVERY == 0:
            looks.append(repertoire.point(stage.windows.frames))
            counted.append(stage.age >= settled)
    falls = stage.ended
    points, valid = torch.stack(looks, dim=1), torch.stack(counted, dim=1)
    distances = torch.stack(
        [
            repertoire.to_clips(points[first : first + STARTS][valid[first : first + STARTS]])
            if bool(valid[first : first + STARTS].any())
            else torch.full((len(repertoire.names),), torch.inf)
            for first in range(0, len(points), STARTS)
        ]
    )
    nearest, best = distances.min(dim=0)
    agreement, told = _judged(prior, repertoire, points, valid, held)
    every, _ = clips.every(0.1)
    genuine = prior.policy.discriminator.logits(prior.policy.normalised_windows(every)) > 0.0
    switched, pairs = _transitions(stage, repertoire, held, generator, steps)
    env.close()
    return RepertoireFigures(
        coverage=float((nearest < THRESHOLD).float().mean()),
        distances=dict(zip(repertoire.names, nearest.tolist(), strict=True)),
        best=dict(zip(repertoire.names, best.tolist(), strict=True)),
        agreement=agreement,
        diversity=float(torch.stack(apart).mean().sqrt()),
        transitions=switched,
        pairs=pairs,
        right_on_agent=told,
        right_on_clips=float(genuine.float().mean()),
        falls=falls,
        latents=tried,
    )


class _Stage:
    """Worlds acted in, with their windows and how old their episodes are."""

    def __init__(self, env, prior: ASEPrior, clips: ClipWindows, seed: int) -> None:
        self.env, self.prior = env, prior
        self.observation, _ = env.reset(seed)
        everywhere = torch.arange(env.num_worlds)
        self.windows = LatestWindows(clips, self.observation[STYLE], self._past(everywhere))
        self.age = torch.zeros(env.num_worlds, dtype=torch.int64)
        """(W,) Control steps."""
        self.ended = 0
        """Episodes terminated so far."""

    def _past(self, worlds: Tensor) -> tuple[Tensor, Tensor]:
        memory = self.env.env.task.memory
        return memory["clip"][worlds], memory["clip_time"][worlds]

    def act(self, latent: Tensor) -> None:
        """One control step under latents (W, L)."""
        actions, _ = self.prior.decode(self.observation, latent)
        self.observation, _, terminated, truncated, info = self.env.step(actions)
        self.windows.push(info["final_obs"][STYLE])
        self.age += 1
        worlds = (terminated | truncated).nonzero().squeeze(-1)
        self.ended += int(terminated.sum())
        if len(worlds):
            self.windows.begin(worlds, self.observation[STYLE][worlds], self._past(worlds))
            self.age[worlds] = 0


def _judged(
    prior: ASEPrior, repertoire: Repertoire, points: Tensor, valid: Tensor, held: Tensor
) -> tuple[float, float]:
    """Mean agreement, and the share of windows told from clips."""
    agreement, told, count = 0.0, 0.0, 0
    for world in range(len(points)):
        windows = repertoire.windows_of(points[world][valid[world]])
        if len(windows):
            logit, encoded = prior.policy.discriminator(prior.policy.normalised_windows(windows))
            agreement += float((encoded @ held[world]).sum())
            told += float((logit < 0.0).sum())
            count += len(windows)
    return agreement / max(count, 1), told / max(count, 1)


def _transitions(
    stage: _Stage, repertoire: Repertoire, held: Tensor, generator: torch.Generator, steps: int
) -> tuple[float, int]:
    """How often another clip is nearest once a latent was switched, and how many different pairs were seen."""
    hold = round(SWITCH / stage.env.control_dt)
    before: Tensor | None = None
    changed, count, pairs = 0, 0, set()
    for _ in range(max(2, steps // hold)):
        held = stage.prior.sample(len(held), generator)
        for _ in range(hold):
            stage.act(held)
        _, clip = repertoire.nearest(repertoire.point(stage.windows.frames))
        if before is not None:
            whole = stage.age >= hold
            moved = whole & (clip != before)
            changed, count = changed + int(moved.sum()), count + int(whole.sum())
            pairs |= set(zip(before[moved].tolist(), clip[moved].tolist(), strict=True))
        before = clip
    return changed / max(count, 1), len(pairs)
