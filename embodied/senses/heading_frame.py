"""World vectors as seen along a body's heading: upright, turned about the vertical only."""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor

from embodied.scenes import EntityView
from embodied.scenes.arrays import Array, arrays_of
from embodied.senses.sense import Term
from embodied.senses.style import HEADING, heading_of, to_heading


class AlongHeading:
    """World vectors of a task, (W, k, 3), such as the way to a place, in the robot's frame `HEADING`."""

    def __init__(self, robot: EntityView, terms: tuple[Term, ...], vectors: Callable[[], Array]) -> None:
        """Takes its terms, 3 k numbers in all.

        Args:
            robot: whose heading.
            terms: what the vectors are; their frame is put right.
            vectors: gives them, in the world's frame, as an array.
        """
        self._robot, self._arrays, self._vectors = robot, arrays_of(robot.world), vectors
        self.terms = terms

    def read(self) -> Tensor:
        """(W, k, 3)."""
        cosine, sine = heading_of(self._arrays.of(self._robot.root_axes))
        seen = to_heading(cosine[:, None], sine[:, None], self._vectors())
        return self._arrays.tensor(seen)


def along(name: str, unit: str, limit: float) -> Term:
    """The term of one vector along the heading."""
    return Term(name, 3, unit, limit, HEADING)
