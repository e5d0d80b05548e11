"""Where the goal is, seen from the body."""

from __future__ import annotations

from torch import Tensor

from embodied.scenes import EntityView
from embodied.senses.sense import Term

MAX_DISTANCE = 200.0
"""m. No arena with a goal is so long."""


class GoalPosition:
    """Position of the goal relative to the root link, in the root link's frame. DERL."""

    def __init__(self, entity: EntityView, goal: EntityView) -> None:
        self._entity, self._goal = entity, goal
        self.terms = (Term("goal_position", 3, "m", MAX_DISTANCE, "root link"),)

    def read(self) -> Tensor:
        """(W, 3)."""
        offset = self._goal.root_pos - self._entity.root_pos
        return (offset[:, None] @ self._entity.root_axes)[:, 0]
