"""Patrol: run to and fro between two places. DERL's patrol task."""

from __future__ import annotations

import torch
from torch import Tensor

from embodied.physics.world import World
from embodied.scenes import Scene
from embodied.tasks.reaching import ReachingTask

HALF_SIZE = 30.0
"""Of the floor, m."""
GOAL_X = 5.0
"""The goals lie at ± this, m; the one ahead is first."""


class Patrol(ReachingTask):
    """The start is half way between two goals, of which one counts until it is reached, then the other.

    Metric ``patrol``: goals reached, plus 1 - d / 10 for the distance d, m, of the next.

    Deviation: DERL ends an episode near the sides of the arena only; ours also does before and behind, where its floor
    stops and a body falls.
    """

    name = "patrol"

    def __init__(self) -> None:
        super().__init__(HALF_SIZE)

    def start(self, scene: Scene, world: World, generator: torch.Generator) -> None:
        """Takes the World; see `Task.start`."""
        super().start(scene, world, generator)
        self._first = self.robot.constant([GOAL_X, 0.0, 0.0]).expand(world.num_worlds, 3)
        self._opposite = self.robot.constant([-1.0, 1.0, 1.0])
        self.memory["toggles"] = torch.zeros_like(self.memory["distance"])

    def reset(self, mask: Tensor) -> None:
        """Puts the goal ahead and adds noise to the default state."""
        self.goal.put(self._first, mask)
        super().reset(mask)

    def begin(self, mask: Tensor) -> None:
        """No goal is reached yet."""
        super().begin(mask)
        self.memory["toggles"].masked_fill_(mask, 0.0)

    def arrive(self, reached: Tensor) -> None:
        """The other goal is next; progress counts from where it is."""
        self.memory["toggles"] += reached
        self.goal.put(self.goal.root_pos * self._opposite, reached)
        self.remember(reached, distance=self.distance())

    def metrics(self) -> dict[str, Tensor]:
        """``patrol``: goals reached and the part of the way to the next."""
        return {"patrol": self.memory["toggles"] + 1.0 - self.memory["distance"] / (2 * GOAL_X)}
