"""How high a body's root link is above level ground, which a simulation knows and a robot does not."""

from __future__ import annotations

from torch import Tensor

from embodied.scenes import EntityView
from embodied.senses.sense import Term
from embodied.senses.style import MAX_HEIGHT


class RootHeight:
    """Height of the root link above z = 0."""

    def __init__(self, entity: EntityView) -> None:
        self._entity = entity
        self.terms = (Term("root_height", 1, "m", MAX_HEIGHT),)

    def read(self) -> Tensor:
        """(W, 1)."""
        return self._entity.root_pos[:, 2:3]
