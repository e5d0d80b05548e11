"""Incline: run up a slope. DERL's incline task."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from embodied.physics.world import World
from embodied.scenes import Scene
from embodied.scenes.arenas.incline import InclineArena
from embodied.tasks.forward import ForwardTask
from embodied.tasks.uphill import FALL_FACTOR, Stand

DEGREES = 10.0
"""Of the slope."""


class Incline(ForwardTask):
    """Velocity along a slope of 10 degrees, uphill: that along x over its cosine.

    The floor is 150 x 40 m, seen from above. A head has fallen at 0.2 of its standing height. Metric ``distance``:
    along the slope, m. Bodies start square to the slope, with the clearance they have on level ground.
    """

    name = "incline"
    fall_factor = FALL_FACTOR

    def __init__(self) -> None:
        self.incline = InclineArena(degrees=DEGREES)
        super().__init__(self.incline)

    def start(self, scene: Scene, world: World, generator: torch.Generator) -> None:
        """Takes the World; see `Task.start`."""
        super().start(scene, world, generator)
        self._stand = Stand(self.incline, self.robot, *self.place(), self.robot.entity.body.spawn_height)

    def reset(self, mask: Tensor) -> None:
        """Stands the body on the slope and adds noise."""
        self._stand.put(mask)
        super().reset(mask)

    def rewards(self) -> dict[str, Tensor]:
        """``forward``: velocity of the head along the slope, m/s. ``control_cost``: 1e-3 Σ a², negative."""
        terms = super().rewards()
        terms["forward"].div_(math.cos(math.radians(DEGREES)))
        return terms

    def metrics(self) -> dict[str, Tensor]:
        """``distance``: of the head along the slope, m; the start is at 0."""
        return {"distance": super().metrics()["distance"] / math.cos(math.radians(DEGREES))}
