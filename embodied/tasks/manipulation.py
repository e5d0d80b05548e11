"""Manipulation: push a box over variable terrain to a goal. DERL's MVT environment."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from torch import Tensor

from embodied.scenes.arenas.variable import manipulation_arena
from embodied.scenes.ground import FieldGround
from embodied.scenes.props import box
from embodied.senses import Sense
from embodied.senses.goals import GoalPosition
from embodied.senses.height_map import HeightMap
from embodied.tasks.pushing import PushingTask, nearest_face

FIELDS = 16
"""Corridors in the pool that episodes draw from. DERL builds a new one for each."""
HALF_SIDE = 0.2
"""Of the box, m."""
MASS = 1.0
"""Of the box, kg."""
MARGIN = 0.75
"""Within which the body is at the box and the box at its goal, m."""


class Manipulation(PushingTask):
    """The manipulation formula in a walled corridor of 60 x 40 m, drawn from a pool for every episode.

    The distance to the box is that to the middle of its nearest face.

    Deviations: DERL's configuration names the height map and the goal among the observations, its agents get neither,
    as missing ones are dropped without a word; ours sense both. Places keep 2 m from the edges; DERL's count takes
    cells for metres.
    """

    name = "manipulation"

    def __init__(self) -> None:
        super().__init__(manipulation_arena(FIELDS), box(HALF_SIDE, MASS), MARGIN)

    def senses(self) -> Mapping[str, Sequence[Sense]]:
        """Proprioception, DERL's thinned height map, the box with its goal, and the goal."""
        return {
            **super().senses(),
            "height_map": (HeightMap(self.robot, self.ground),),
            "goal": (GoalPosition(self.robot, self.goal),),
        }

    def nearest(self, points: Tensor) -> Tensor:
        """(W,) Distance to the nearest face's middle, m."""
        return nearest_face(points, HALF_SIDE)

    def reset(self, mask: Tensor) -> None:
        """Draws a corridor, the box and the goal, and adds noise to the body's default state."""
        assert isinstance(self.ground, FieldGround)
        self.ground.draw(mask, self.generator)
        self.draw_places(mask, HALF_SIDE)
        super().reset(mask)
