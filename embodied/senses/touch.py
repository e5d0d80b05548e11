"""Touch: the normal force on every link."""

from __future__ import annotations

from torch import Tensor

from embodied.scenes import EntityView
from embodied.senses.sense import Term

MAX_FORCE = 1e6
"""N."""


class Touch:
    """Readings of one touch sensor per link, root link first. DERL."""

    def __init__(self, entity: EntityView) -> None:
        self._entity = entity
        self._names = [f"touch/{link}" for link in entity.entity.link_names]
        self.terms = (Term("touch", len(self._names), "N", MAX_FORCE),)

    def read(self) -> Tensor:
        """(W, links)."""
        return self._entity.sensor(*self._names)
