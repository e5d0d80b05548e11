"""Foot contacts: which feet stand on something."""

from __future__ import annotations

from torch import Tensor

from embodied.scenes import EntityView
from embodied.senses.sense import Term

STANDING_FORCE = 1.0
"""N. A touch sensor that reads more is in contact; customary, legged_gym."""


class FootContacts:
    """True, shown as 1, where a foot's touch sensor read more than `STANDING_FORCE` during the last substep."""

    def __init__(self, entity: EntityView) -> None:
        self._entity = entity
        self._names = [f"touch/{link}" for link in entity.entity.body.feet]
        self.terms = (Term("foot_contacts", len(self._names), "1", 1.0),)

    def read(self) -> Tensor:
        """(W, feet) bool."""
        return self._entity.sensor(*self._names) > STANDING_FORCE
