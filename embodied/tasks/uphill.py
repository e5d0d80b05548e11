"""Standing on an incline: where a body has to be put so that it stands square on the plane."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from embodied.scenes import EntityView
from embodied.scenes.arenas.incline import InclineArena

FALL_FACTOR = 0.2
"""Part of its standing height below which the head counts as fallen: on inclines bodies crouch. DERL."""


def stand_on(arena: InclineArena, view: EntityView, height: float, mask: Tensor) -> None:
    """Turns a free root square to the plane, facing uphill, with its centre over the point of the plane it stood over.

    A planar or fixed root cannot be put anywhere; it starts upright.

    Args:
        arena: the incline.
        view: of the entity, which stands in its default pose.
        height: of the root link's origin over the plane, at right angles to it, m.
        mask: (W,) bool, worlds in which this is done.
    """
    if view.entity.root != "free":
        return
    x, y = view.origin[:2].tolist()
    set_on(arena, view, torch.tensor([[x, y]], dtype=torch.float64, device=mask.device), height, mask)


def set_on(arena: InclineArena, view: EntityView, places: Tensor, height: float, mask: Tensor) -> None:
    """The same at (W, 2) or (1, 2) horizontal places; see `stand_on`."""
    over = arena.slope * places[:, :1] + height / math.cos(math.radians(arena.degrees))
    quat = torch.tensor([arena.quat], dtype=places.dtype, device=places.device).expand(len(places), 4)
    view.set_root_pose(torch.cat((places, over, quat), dim=-1).expand(len(mask), 7), mask)
