"""Coming to a goal on level ground: the reward that DERL's patrol and point navigation share."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from embodied.physics.world import World
from embodied.scenes import Scene
from embodied.scenes.arenas.flat import FlatArena
from embodied.scenes.arrays import arrays_of
from embodied.scenes.props import mark
from embodied.senses import Sense
from embodied.senses.goals import GoalPosition
from embodied.tasks.derl import DerlTask
from morphologies import Body

GOAL_MARGIN = 0.5
"""Distance at which the goal is reached, m."""
PROGRESS_REWARD = 100.0
"""Per metre that the goal comes nearer."""
GOAL_REWARD = 10.0
"""Per step at the goal."""


class ReachingTask(DerlTask):
    """Reward: 100 x the decrease of the distance to the goal, m, less a control cost.

    Every step within 0.5 m of the goal gives another 10.

    Distances are horizontal, between the head and the goal, so that a tall body can come as near as a low one.
    """

    fitness_term = "goal"

    def __init__(self, half_size: float) -> None:
        """``half_size``: from the start, in the middle of the floor, to each of its edges, m."""
        super().__init__(FlatArena(half_size, half_size, half_size))

    def props(self) -> Mapping[str, Body]:
        """The mark on the goal."""
        return {"goal": mark(GOAL_MARGIN, "goal")}

    def start(self, scene: Scene, world: World, generator: torch.Generator) -> None:
        """Takes the World; see `Task.start`."""
        super().start(scene, world, generator)
        self._arrays = arrays_of(world)
        self.goal = scene.entities["goal"].view(world)
        self._goal_xy, self._head_xy = self.goal.root_pos[:, :2], self.head[:, :2]
        self.memory["distance"] = self.distance()

    def senses(self) -> Mapping[str, Sequence[Sense]]:
        """Proprioception, and the goal."""
        return {**super().senses(), "goal": (GoalPosition(self.robot, self.goal),)}

    def distance(self) -> Tensor:
        """(W,) From the head to the goal, m."""
        return torch.linalg.vector_norm(self._goal_xy - self._head_xy, dim=-1)

    def begin(self, mask: Tensor) -> None:
        """Measures the distance that progress is counted from."""
        self.remember(mask, distance=self.distance())

    def rewards(self) -> dict[str, Tensor]:
        """``goal``: progress to the goal and being there. ``control_cost``: 1e-3 Σ a², negative."""
        distance = self.distance()
        reached = distance < GOAL_MARGIN
        progress = (self.memory["distance"] - distance).mul_(PROGRESS_REWARD).add_(reached, alpha=GOAL_REWARD)
        self.memory["distance"].copy_(distance)
        if self._arrays.possibly(reached):
            self.arrive(reached)
        return {"goal": progress, "control_cost": self.control_cost()}

    @abstractmethod
    def arrive(self, reached: Tensor) -> None:
        """Takes note of the worlds, (W,) bool, whose body is at the goal; there may be none."""
