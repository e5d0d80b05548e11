"""Location: go to a place and stay there. Peng et al. (2022).

    r = 0.5 exp(-d²/2) + 0.4 exp(-4 max(0, 1 - v·u)²) [0 where v·u <= 0] + 0.1 max(0, facing · u)

with u the direction to the place; within 0.7 m of it (d² < 0.5) the last two terms are full. Deviation: places are at
most 5 m away, not 10, which a robot of this size could not reach before the next is drawn.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from embodied.physics.world import World
from embodied.scenes import Scene
from embodied.scenes.arrays import Array, library_of
from embodied.scenes.props import mark
from embodied.senses import Sense
from embodied.senses.heading_frame import AlongHeading, along
from embodied.tasks.skilled_goal import SkilledGoalTask, approach, unit
from morphologies import Body

FARTHEST = 5.0
"""m."""
NEAR = 0.5
"""Squared distance within which a robot has arrived, m²."""
SPEED = 1.0
"""At which to come, m/s."""


class Location(SkilledGoalTask):
    """Metrics: ``distance``, mean over the episode, m; ``arrived``, part of its steps near the place; ``fall``."""

    name = "location"

    def props(self) -> Mapping[str, Body]:
        """The mark on the place."""
        return {"goal": mark(math.sqrt(NEAR), "goal")}

    def start(self, scene: Scene, world: World, generator: torch.Generator) -> None:
        """Takes the World; see `Task.start`."""
        super().start(scene, world, generator)
        self.goal = scene.entities["goal"].view(world)
        self._figures = self.remember("figures", 2)

    def goal_senses(self) -> Sequence[Sense]:
        """The way to the place, along the robot's heading."""
        return (AlongHeading(self.robot, (along("goal_level_offset", "m", 1000.0),), lambda: self._way()[:, None]),)

    def _way(self) -> Array:
        """(W, 3) From the robot to the place, level, m."""
        way = self.arrays.of(self.goal.root_pos) - self.arrays.of(self.robot.root_pos)
        way[:, 2] = 0.0
        return way

    def draw_goal(self, mask: Tensor) -> None:
        """Evenly over a disc about the robot."""
        chance = self.arrays.chance(self.generator, len(mask), 2)
        library, here = library_of(chance), self.place()
        distance, angle = FARTHEST * library.sqrt(chance[:, 0]), math.tau * chance[:, 1]
        x, y = here[:, 0] + distance * library.cos(angle), here[:, 1] + distance * library.sin(angle)
        self.goal.put(self.arrays.tensor(library.stack((x, y, 0.0 * x), -1)), mask)

    def reset(self, mask: Tensor) -> None:
        """See `SkilledGoalTask.reset`."""
        super().reset(mask)
        self.arrays.writer(mask)(self._figures, 0.0)

    def terms(self) -> dict[str, Array]:
        """``place``, 0.5 at best, ``approach``, 0.4, and ``facing``, 0.1."""
        direction, distance = unit(self._way()[:, :2])
        library = library_of(distance)
        near = distance**2 < NEAR
        x, y = self.facing()
        coming = approach(self.velocity(), direction, SPEED)
        facing = (x * direction[:, 0] + y * direction[:, 1]).clip(min=0.0)
        self._figures += library.stack((distance, near * 1.0), -1)
        return {
            "place": 0.5 * library.exp(-0.5 * distance**2),
            "approach": 0.4 * library.where(near, 1.0, coming),
            "facing": 0.1 * library.where(near, 1.0, facing),
        }

    def metrics(self) -> dict[str, Tensor]:
        """See the class."""
        means = self._figures / self._steps.clip(min=1)[:, None]
        named = {"distance": means[:, 0], "arrived": means[:, 1], "fall": self._fell * 1.0}
        return {name: self.arrays.tensor(values) for name, values in named.items()}
