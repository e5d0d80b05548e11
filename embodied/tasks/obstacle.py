"""Obstacle: run forward between boxes that stand elsewhere in every episode. DERL's obstacle task."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from torch import Tensor

from embodied.scenes import Scene
from embodied.scenes.arenas.obstacles import ObstacleArena
from embodied.senses import Sense
from embodied.senses.height_map import HeightMap
from embodied.tasks.forward import ForwardTask
from morphologies import Body

CLEAR = 3.0
"""Boxes begin this far ahead of the start, m."""
ROOM = 0.5
"""And at least this far ahead of what the body can reach there, m."""


class Obstacle(ForwardTask):
    """Forward velocity on a walled floor of 150 x 60 m with 50 boxes, 4 m high and 1 to 6 m long and wide.

    The height map shows the boxes. Metric ``x``: reached by the head, m.
    """

    name = "obstacle"

    def __init__(self) -> None:
        self.field = ObstacleArena(clear=CLEAR)
        super().__init__(self.field)

    def scene(self, bodies: Mapping[str, Body]) -> Scene:
        """The arena with the robot in it; of a long body the boxes keep farther away."""
        clear = max(CLEAR, bodies["robot"].description.reach + ROOM)
        self.arena = self.field = replace(self.field, clear=clear)
        return super().scene(bodies)

    def senses(self) -> Mapping[str, Sequence[Sense]]:
        """Proprioception and DERL's thinned height map."""
        return {**super().senses(), "height_map": (HeightMap(self.robot, self.ground),)}

    def reset(self, mask: Tensor) -> None:
        """Puts the boxes elsewhere and adds noise to the default state."""
        self.field.draw(self.world, mask, self.generator)
        super().reset(mask)

    def metrics(self) -> dict[str, Tensor]:
        """``x``: of the head, m; the start is at 0."""
        return {"x": super().metrics()["distance"]}
