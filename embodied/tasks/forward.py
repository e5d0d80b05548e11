"""Running forward along x: the reward of DERL's locomotion environments, on any ground."""

from __future__ import annotations

import torch
from torch import Tensor

from embodied.physics.world import World
from embodied.scenes import Scene
from embodied.tasks.derl import DerlTask


class ForwardTask(DerlTask):
    """Reward: the head's forward velocity, m/s, less a control cost. As in DERL there is no edge behind the start."""

    fitness_term = "forward"
    rear_edge = False

    def start(self, scene: Scene, world: World, generator: torch.Generator) -> None:
        """Takes the World; see `Task.start`."""
        super().start(scene, world, generator)
        self._x = self.head[:, 0]
        self.memory["previous_x"] = self._x.clone()
        self._here, self._before = (self.arrays.of(tensor) for tensor in (self._x, self.memory["previous_x"]))

    def begin(self, mask: Tensor) -> None:
        """Measures the first step's progress from where the noise put the head."""
        self.remember(mask, previous_x=self._x)

    def rewards(self) -> dict[str, Tensor]:
        """``forward``: velocity of the head along x over the step, m/s. ``control_cost``: 1e-3 Σ a², negative."""
        here, before = self._here, self._before
        forward = (here - before) / self.dt
        before[:] = here
        return {"forward": self.arrays.tensor(forward), "control_cost": self.control_cost()}

    def metrics(self) -> dict[str, Tensor]:
        """``distance``: x of the head, m; the start is at 0."""
        return {"distance": self._x.clone()}
