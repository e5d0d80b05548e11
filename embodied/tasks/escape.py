"""Escape: run out of a bumpy bowl, in any direction. DERL's escape task."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from embodied.physics.world import World
from embodied.scenes import Scene
from embodied.scenes.arenas.bowl import BowlArena
from embodied.scenes.ground import FieldGround
from embodied.senses import Sense
from embodied.senses.height_map import HeightMap
from embodied.tasks.derl import DerlTask

FIELDS = 8
"""Bowls in the pool that episodes draw from. DERL builds a new one for each."""
ESCAPE_RADIUS = 42.0
"""Distance from the centre at which the body has escaped, m."""
ESCAPE_REWARD = 100.0
"""Once, for that."""


class Escape(DerlTask):
    """Reward: the increase of the head's horizontal distance from the centre, m, less a control cost.

    Coming to 42 m gives 100 and ends the episode. The bowl, 100 x 100 m, is drawn from a pool for every episode.

    Metric ``radius``: distance from the centre, m.
    """

    name = "escape"
    fitness_term = "outward"

    def __init__(self) -> None:
        super().__init__(BowlArena(count=FIELDS))

    def start(self, scene: Scene, world: World, generator: torch.Generator) -> None:
        """Takes the World; see `Task.start`."""
        super().start(scene, world, generator)
        self._xy = self.head[:, :2]
        self.memory["radius"] = self.radius()

    def senses(self) -> Mapping[str, Sequence[Sense]]:
        """Proprioception and DERL's thinned height map."""
        return {**super().senses(), "height_map": (HeightMap(self.robot, self.ground),)}

    def radius(self) -> Tensor:
        """(W,) Horizontal distance of the head from the centre, m."""
        return torch.linalg.vector_norm(self._xy, dim=-1)

    def reset(self, mask: Tensor) -> None:
        """Draws a bowl and adds noise to the default state. The ground in its centre is level."""
        assert isinstance(self.ground, FieldGround)
        self.ground.draw(mask, self.generator)
        super().reset(mask)

    def begin(self, mask: Tensor) -> None:
        """Measures the first step's progress from where the noise put the head."""
        self.remember(mask, radius=self.radius())

    def rewards(self) -> dict[str, Tensor]:
        """``outward``: increase of the radius, m, and the escape. ``control_cost``: 1e-3 Σ a², negative."""
        radius = self.radius()
        outward = (radius - self.memory["radius"]).add_(radius >= ESCAPE_RADIUS, alpha=ESCAPE_REWARD)
        self.memory["radius"].copy_(radius)
        return {"outward": outward, "control_cost": self.control_cost()}

    def terminated(self) -> Tensor:
        """The body has escaped or fallen."""
        return super().terminated() | (self.memory["radius"] >= ESCAPE_RADIUS)

    def metrics(self) -> dict[str, Tensor]:
        """``radius``: reached, m."""
        return {"radius": self.memory["radius"].clone()}
