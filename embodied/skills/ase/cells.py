"""Cells: a latent sphere divided among clips, like clips side by side, each with the same share of all latents.

A division like this is where cloning begins; what a latent means is the discriminator's and the encoder's to change.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from embodied.motion.clip import MotionClip
from embodied.motion.library import MotionLibrary
from embodied.senses.style import axes_of
from embodied.skills.ase.latents import on_sphere

POOL = 512
"""Latents drawn per clip."""
STEEPNESS = 12.0
"""Of a push over the cosine of two centres: the less, the further it reaches."""
RATE = 0.02
"""rad. Of the first steps of placing, at most."""
PLACING, BALANCING = 400, 400
"""Steps in which centres find their places, and cells their size."""


class Cells:
    """A latent belongs to the clip to whose centre it is nearest, after a handicap that makes all cells equal."""

    def __init__(self, distances: Tensor, size: int, generator: torch.Generator) -> None:
        """Places the centres.

        Args:
            distances: (C, C) between clips, in any unit; see `Repertoire.between_clips`.
            size: of a latent.
            generator: of first places, and of the pool.
        """
        count = len(distances)
        self.centres = _placed(distances, size, generator)
        """(C, size) Of unit length."""
        self._pool = on_sphere(count * POOL, size, generator)
        self.handicap = _balanced(self._pool @ self.centres.T)
        """(C,) Added to ⟨centre, z⟩ before they are compared."""
        owner = self.of(self._pool)
        order = torch.argsort(owner, stable=True)
        self._pool = self._pool[order]
        self._size = torch.bincount(owner, minlength=count)
        self._begin = self._size.cumsum(0) - self._size

    def of(self, latents: Tensor) -> Tensor:
        """(…) The clips that latents (…, size) belong to."""
        return (latents @ self.centres.T + self.handicap).argmax(dim=-1)

    def draw(self, clips: Tensor, generator: torch.Generator) -> Tensor:
        """(k, size) A latent from the cell of each clip (k,), evenly among a pool's."""
        chance = torch.rand(len(clips), generator=generator)
        return self._pool[self._begin[clips] + (chance * self._size[clips]).long()]


def unlikeness(likeness: Tensor, library: MotionLibrary) -> Tensor:
    """(C, C) How different clips are: in where they take the robot, and in how they look on the way.

    Who commands a prior wants the robot somewhere, and finds its way about the latents if neighbours travel alike.

    Args:
        likeness: (C, C) distances of how they look; see `Repertoire.between_clips`.
        library: the clips.
    """
    look = 0.5 * (likeness + likeness.T)
    look = look / look.mean().clamp_min(1e-9)
    ways = torch.tensor([travel(clip) for clip in library.clips], dtype=look.dtype)
    ways = (ways - ways.mean(dim=0)) / ways.std(dim=0, unbiased=False).clamp_min(1e-6)
    return torch.sqrt(torch.cdist(ways, ways).square() + look.square())


def travel(clip: MotionClip) -> tuple[float, float, float]:
    """Mean velocity ahead and to the left, m/s, and mean turning, rad/s."""
    axes = axes_of(clip.root_quat)
    heading = np.arctan2(axes[:, 1, 0], axes[:, 0, 0])
    x, y = clip.root_velocity[:, 0], clip.root_velocity[:, 1]
    turning = (axes @ clip.root_velocity[:, 3:, None])[:, 2, 0]
    ahead, left = np.cos(heading) * x + np.sin(heading) * y, np.cos(heading) * y - np.sin(heading) * x
    return float(ahead.mean()), float(left.mean()), float(turning.mean())


def _placed(distances: Tensor, size: int, generator: torch.Generator) -> Tensor:
    """(C, size) Points all over the sphere, those of like clips together.

    They begin where classical scaling has them (Torgerson, 1952), as seen from the middle, and push each other away.
    """
    count = len(distances)
    places = on_sphere(count, size, generator)
    if count == 1:
        return places
    apart = 0.5 * (distances + distances.T)
    centring = torch.eye(count) - 1.0 / count
    values, vectors = torch.linalg.eigh(-0.5 * centring @ apart.square() @ centring)
    used = min(size, count)
    scaled = vectors[:, -used:] * values[-used:].clamp_min(0.0).sqrt()
    places = 0.1 * scaled.norm(dim=1).mean() * places
    places[:, :used] += scaled
    places = functional.normalize(places, dim=-1)
    for step in range(PLACING):
        push = torch.exp(STEEPNESS * (places @ places.T - 1.0))
        away = -(push @ places)
        away = away - (away * places).sum(-1, keepdim=True) * places
        rate = (1.0 - step / PLACING) * RATE
        length = away.norm(dim=-1, keepdim=True)
        places = functional.normalize(places + rate * away / length.clamp_min(1.0), dim=-1)
    return places


def _balanced(likeness: Tensor) -> Tensor:
    """(C,) Handicaps under which as many of the pool's latents, rows of (N, C) cosines, belong to each clip."""
    count = likeness.shape[1]
    handicap = torch.zeros(count)
    for step in range(BALANCING):
        share = torch.bincount((likeness + handicap).argmax(dim=1), minlength=count) / len(likeness)
        handicap += 0.3 * (1.0 - step / BALANCING) * (1.0 - count * share).clamp(-1.0, 1.0) / 4
    return handicap
