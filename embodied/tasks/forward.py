"""Running forward along x: the reward of DERL's locomotion environments, on any ground."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from embodied.physics.world import World
from embodied.scenes import Scene
from embodied.tasks.derl import EDGE_MARGIN, DerlTask


class ForwardTask(DerlTask):
    """Reward: the head's forward velocity, m/s, less a control cost. Ends on a fall or near the arena's edge.

    As in DERL there is no such edge behind the start.
    """

    fitness_term = "forward"

    def start(self, scene: Scene, world: World, generator: torch.Generator) -> None:
        """Takes the World; see `Task.start`."""
        super().start(scene, world, generator)
        self._x = self.head[:, 0]
        self.memory["previous_x"] = self._x.clone()
        side = self.arena.half_width - EDGE_MARGIN
        self.lowest, self.highest = self.head.new_tensor(
            [[-math.inf, -side, -math.inf], [self.arena.ahead - EDGE_MARGIN, side, math.inf]]
        )

    def begin(self, mask: Tensor) -> None:
        """Measures the first step's progress from where the noise put the head."""
        torch.where(mask, self._x, self.memory["previous_x"], out=self.memory["previous_x"])

    def rewards(self) -> dict[str, Tensor]:
        """``forward``: velocity of the head along x over the step, m/s. ``control_cost``: 1e-3 Σ a², negative."""
        forward = (self._x - self.memory["previous_x"]).div_(self.dt)
        self.memory["previous_x"].copy_(self._x)
        return {"forward": forward, "control_cost": self.control_cost()}

    def terminated(self) -> Tensor:
        """The head is too low, or near a side or the far end of the arena."""
        return self.fallen() | ((self.head <= self.lowest) | (self.head >= self.highest)).any(dim=-1)
