"""Cells: a latent sphere divided among clips, like clips side by side, each with the same share of all latents.

A division like this is where cloning begins; what a latent means is the discriminator's and the encoder's to change.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from embodied.skills.ase.latents import on_sphere

POOL = 512
"""Latents drawn per clip."""
STEEPNESS = 8.0
"""Of a push over the cosine of two centres: the less, the further it reaches."""
RATE = 0.1
"""rad. Of the first steps of placing."""
PLACING, BALANCING = 1000, 400
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


def _placed(distances: Tensor, size: int, generator: torch.Generator) -> Tensor:
    """(C, size) Points all over the sphere: each pushes others away, those of unlike clips harder and further."""
    count = len(distances)
    places = on_sphere(count, size, generator)
    if count == 1:
        return places
    apart = 0.5 * (distances + distances.T)
    apart = apart / apart.sum() * count * (count - 1)
    for step in range(PLACING):
        push = apart.square() * torch.exp(STEEPNESS * (places @ places.T - 1.0))
        away = -(push @ places)
        away = away - (away * places).sum(-1, keepdim=True) * places
        rate = (1.0 - step / PLACING) * RATE
        places = functional.normalize(places + rate * functional.normalize(away, dim=-1), dim=-1)
    return places


def _balanced(likeness: Tensor) -> Tensor:
    """(C,) Handicaps under which as many of the pool's latents, rows of (N, C) cosines, belong to each clip."""
    count = likeness.shape[1]
    handicap = torch.zeros(count)
    for step in range(BALANCING):
        share = torch.bincount((likeness + handicap).argmax(dim=1), minlength=count) / len(likeness)
        handicap += 0.3 * (1.0 - step / BALANCING) * (1.0 - count * share).clamp(-1.0, 1.0) / 4
    return handicap
