"""Projected gravity: which way is down, as a body feels it."""

from __future__ import annotations

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
        return -self._entity.root_axes[:, 2]
