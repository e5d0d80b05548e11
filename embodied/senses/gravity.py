"""Projected gravity: which way is down, as a body feels it."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from embodied.scenes import EntityView
from embodied.senses.sense import Term


class ProjectedGravity:
    """The unit vector that points down, in the root link's frame: (0, 0, -1) when it stands level."""

    def __init__(self, entity: EntityView) -> None:
        self._entity = entity
        self.terms = (Term("gravity", 3, "1", 1.1, "root link"),)

    def read(self) -> Tensor:
        """(W, 3)."""
        w, x, y, z = self._entity.root_quat.numpy().T
        down = np.empty((len(w), 3))
        down[:, 0] = 2.0 * (w * y - x * z)
        down[:, 1] = -2.0 * (y * z + w * x)
        down[:, 2] = 2.0 * (x * x + y * y) - 1.0
        return torch.from_numpy(down)
