"""Standing on an incline: where a body has to be put so that it stands square on the plane."""

from __future__ import annotations

import math

from torch import Tensor

from embodied.scenes import EntityView
from embodied.scenes.arenas.incline import InclineArena

FALL_FACTOR = 0.2
"""Part of its standing height below which the head counts as fallen: on inclines bodies crouch. DERL."""


class Stand:
    """Turns an entity's free root square to the plane, facing uphill, with its centre over a point of the plane.

    A planar or fixed root cannot be put anywhere; it starts upright.
    """

    def __init__(self, arena: InclineArena, view: EntityView, x: float, y: float, height: float) -> None:
        """Takes what is put, and where.

        Args:
            arena: the incline.
            view: of the entity.
            x, y: the point of the plane, m.
            height: of the root link's origin over the plane, at right angles to it, m.
        """
        self._view = view
        over = arena.slope * x + height / math.cos(math.radians(arena.degrees))
        self._pose = view.constant([x, y, over, *arena.quat])

    def put(self, mask: Tensor) -> None:
        """Puts it there where the mask (W,) holds."""
        if self._view.entity.root == "free":
            self._view.set_root_pose(self._pose.expand(len(mask), 7), mask)
