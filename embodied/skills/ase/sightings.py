"""Sightings: live figures of which clips the agent's movements come near to while it learns."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from embodied.skills.ase.repertoire import Repertoire
from embodied.skills.ase.rollout import SkillRollout

NEAR = 0.5
"""Distance of a window below which it counts as one of a clip; see `Repertoire`."""
MEMORY = 0.95
"""Of the counts, from one rollout to the next: the last twenty or so."""
STRIDE = 8
"""Control steps between two looks at a world."""


class Sightings:
    """How often each clip was the nearest, of late."""

    def __init__(self, repertoire: Repertoire) -> None:
        self.repertoire = repertoire
        self.counts = torch.zeros(len(repertoire.names))
        """(C,) Of windows near to it."""

    @torch.no_grad()
    def note(self, rollout: SkillRollout) -> dict[str, float]:
        """Takes a rollout in; returns figures of it.

        - ``clips/distance``: mean distance of windows to the nearest of any clip's;
        - ``clips/near``: share of windows that are near to one;
        - ``clips/seen``: share of clips that a thousandth of the near windows of late, or more, were nearest to;
        - ``clips/effective``: exponential of the entropy of that distribution: as many clips, used alike;
        - ``clips/transitions``: share of looks, 8 control steps apart, after which another clip is nearest.
        """
        windows = rollout.windows[STRIDE - 1 :: STRIDE]
        points = self.repertoire.point(windows)
        distance, clip = self.repertoire.nearest(points.flatten(0, 1))
        near = distance < NEAR
        self.counts *= MEMORY
        self.counts += torch.bincount(clip[near], minlength=len(self.counts))
        share = self.counts / self.counts.sum().clamp_min(1.0)
        entropy = -(share * share.clamp_min(1e-12).log()).sum()
        looks = clip.view(windows.shape[:2])
        changed = (looks[1:] != looks[:-1]).float().mean() if len(looks) > 1 else torch.zeros(())
        return {
            "clips/distance": float(distance.mean()),
            "clips/near": float(near.float().mean()),
            "clips/seen": float((share > 1e-3).float().mean()),
            "clips/effective": math.exp(float(entropy)) if float(self.counts.sum()) else 0.0,
            "clips/transitions": float(changed),
        }

    def state_dict(self) -> dict[str, Tensor]:
        """The counts."""
        return {"counts": self.counts.clone()}

    def load_state_dict(self, state: dict[str, Tensor]) -> None:
        """Restores `state_dict`."""
        self.counts.copy_(state["counts"])
