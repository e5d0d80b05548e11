"""Point navigation: run to a place drawn anew for every episode, and stay. DERL's point_nav task."""

from __future__ import annotations

import torch
from torch import Tensor

from embodied.physics.world import World
from embodied.scenes import Scene
from embodied.tasks.derl import EPISODE_STEPS
from embodied.tasks.reaching import GOAL_MARGIN, ReachingTask

HALF_SIZE = 50.0
"""Of the floor, m."""
MARGINS = (6.0, 10.0)
"""Between goals and the floor's edges along x and y, m."""


class PointNav(ReachingTask):
    """The goal is uniform over the arena less its margins: x within ±44 m, y within ±40 m.

    Metric ``point_nav``: 1 - d / d0, of the distance d and its value d0 at the start, plus the steps at the goal over
    1000. A d0 below 0.5 m counts as 0.5 m: one draw in ten thousand begins at its goal.

    Deviation: DERL ends an episode near the sides of the arena only; ours also does before and behind, where its floor
    stops and a body falls.
    """

    name = "point_nav"

    def __init__(self) -> None:
        super().__init__(HALF_SIZE)

    def start(self, scene: Scene, world: World, generator: torch.Generator) -> None:
        """Takes the World; see `Task.start`."""
        super().start(scene, world, generator)
        self._range = self.robot.constant([HALF_SIZE - margin for margin in MARGINS] + [0.0])
        self.memory["first_distance"] = self.distance()
        self.memory["steps_at_goal"] = torch.zeros_like(self.memory["distance"])

    def reset(self, mask: Tensor) -> None:
        """Draws the goal and adds noise to the default state."""
        uniform = torch.rand((len(mask), 3), generator=self.generator, dtype=torch.float64, device=mask.device)
        self.goal.put((2.0 * uniform - 1.0) * self._range, mask)
        super().reset(mask)

    def begin(self, mask: Tensor) -> None:
        """Notes the distance at the start."""
        super().begin(mask)
        self.remember(mask, first_distance=self.memory["distance"])
        self.memory["steps_at_goal"].masked_fill_(mask, 0.0)

    def arrive(self, reached: Tensor) -> None:
        """One more step at the goal."""
        self.memory["steps_at_goal"] += reached

    def metrics(self) -> dict[str, Tensor]:
        """``point_nav``: the part of the way made, and the part of the time at the goal."""
        way = 1.0 - self.memory["distance"] / self.memory["first_distance"].clamp(min=GOAL_MARGIN)
        return {"point_nav": way + self.memory["steps_at_goal"] / EPISODE_STEPS}
