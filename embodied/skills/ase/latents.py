"""Latents: points of a unit sphere, and when each world gets another. Peng et al. (2022), sections 5.1 and 6."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional


def on_sphere(count: int, size: int, generator: torch.Generator | None = None) -> Tensor:
    """(count, size) Drawn uniformly from the unit sphere: directions of normal vectors."""
    return functional.normalize(torch.randn(count, size, generator=generator), dim=-1)


def projected(latent: Tensor) -> Tensor:
    """(…, size) What a high-level policy says, cut to ±1 and brought to unit length. Peng et al., section 7.

    The origin, which has no direction, becomes the first axis.
    """
    cut = latent.clamp(-1.0, 1.0)
    length = torch.linalg.vector_norm(cut, dim=-1, keepdim=True)
    first = torch.zeros_like(cut)
    first[..., 0] = 1.0
    return torch.where(length > 1e-6, cut / length.clamp_min(1e-6), first)


class LatentSchedule:
    """The latent that each world follows, and for how long yet."""

    def __init__(self, num_worlds: int, size: int, longest: int, generator: torch.Generator) -> None:
        """Draws the first ones.

        Args:
            num_worlds: W.
            size: of a latent.
            longest: a latent is held for 1 to ``longest`` - 1 steps, uniformly.
            generator: where all of them come from.
        """
        self.longest, self.generator = longest, generator
        self.latent = torch.zeros(num_worlds, size)
        """(W, size)."""
        self.remaining = torch.zeros(num_worlds, dtype=torch.int64)
        """(W,) Steps, at least 1."""
        self.renew(torch.arange(num_worlds))

    def renew(self, worlds: Tensor) -> None:
        """Draws new latents, and how long they are held, for the worlds with these numbers (k,)."""
        self.latent[worlds] = on_sphere(len(worlds), self.latent.shape[1], self.generator)
        self.remaining[worlds] = torch.randint(1, self.longest, (len(worlds),), generator=self.generator)

    def advance(self, ended: Tensor) -> Tensor:
        """After a step: worlds whose time is over, or whose episode ended (W,), get new latents.

        Returns:
            (W,) bool, where a latent was resampled although the episode goes on.
        """
        self.remaining -= 1
        over = self.remaining <= 0
        due = (over | ended).nonzero().squeeze(-1)
        if len(due):
            self.renew(due)
        return over & ~ended

    def state_dict(self) -> dict[str, Tensor]:
        """Both tensors; the generator is not its own."""
        return {"latent": self.latent.clone(), "remaining": self.remaining.clone()}

    def load_state_dict(self, state: dict[str, Tensor]) -> None:
        """Restores `state_dict`."""
        self.latent.copy_(state["latent"])
        self.remaining.copy_(state["remaining"])
