"""Where the limbs' ends are, seen from the head."""

from __future__ import annotations

from torch import Tensor

from embodied.scenes import EntityView
from embodied.senses.sense import Term

MAX_DISTANCE = 10.0
"""m. The longest body of the design space reaches about five."""


class LimbEnds:
    """x and y of every limb's end in the frame of the root link. DERL."""

    def __init__(self, entity: EntityView) -> None:
        self._entity = entity
        self._names = [name for name in entity.entity.sensors if name.startswith("limb/end/")]
        self.terms = (Term("limb_ends", 2 * len(self._names), "m", MAX_DISTANCE, "root link"),)

    def read(self) -> Tensor:
        """(W, limbs, 2)."""
        return self._entity.sensor(*self._names).unflatten(-1, (-1, 3))[..., :2]
