"""The root link's velocity, as a simulation knows it and a robot would have to estimate it."""

from __future__ import annotations

from torch import Tensor

from embodied.scenes import EntityView
from embodied.senses.sense import Term

MAX_LINEAR = 100.0
"""m/s."""
MAX_ANGULAR = 200.0
"""rad/s."""


class RootVelocity:
    """The six generalised velocities of the root: linear in the world's frame, angular in the body's. DERL."""

    def __init__(self, entity: EntityView) -> None:
        self._entity = entity
        self.terms = (
            Term("root_linear_velocity", 3, "m/s", MAX_LINEAR, "world"),
            Term("root_angular_velocity", 3, "rad/s", MAX_ANGULAR, "root link"),
        )

    def read(self) -> Tensor:
        """(W, 6)."""
        return self._entity.root_velocity
