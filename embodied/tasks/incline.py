"""Incline: run up a slope. DERL's incline task."""

from __future__ import annotations

import math

from torch import Tensor

from embodied.scenes.arenas.incline import InclineArena
from embodied.tasks.forward import ForwardTask
from embodied.tasks.uphill import FALL_FACTOR, stand_on

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

    def reset(self, mask: Tensor) -> None:
        """Stands the body on the slope and adds noise."""
        stand_on(self.incline, self.robot, self.robot.entity.body.spawn_height, mask)
        super().reset(mask)

    def rewards(self) -> dict[str, Tensor]:
        """``forward``: velocity of the head along the slope, m/s. ``control_cost``: 1e-3 Σ a², negative."""
        terms = super().rewards()
        terms["forward"].div_(math.cos(math.radians(DEGREES)))
        return terms

    def metrics(self) -> dict[str, Tensor]:
        """``distance``: of the head along the slope, m; the start is at 0."""
        return {"distance": super().metrics()["distance"] / math.cos(math.radians(DEGREES))}
