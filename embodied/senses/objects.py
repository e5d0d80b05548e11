"""How an object lies, moves and turns, and where it is to go, seen from the body."""

from __future__ import annotations

import torch
from torch import Tensor

from embodied.scenes import EntityView
from embodied.senses.goals import MAX_DISTANCE
from embodied.senses.sense import Term

MAX_OBJECT_DISTANCE = 1000.0
"""m. A ball that nothing stops rolls far within an episode."""
MAX_LINEAR = 200.0
"""m/s."""
MAX_ANGULAR = 2000.0
"""rad/s."""


class ObjectState:
    """An object and its goal, relative to the root link and along its axes. DERL.

    The velocity is the object's less the root link's, both seen from the world: the turning of the body adds nothing to
    it. The rotational velocity is the object's as seen from the world. (DERL, like the task of dm_control that it
    follows, takes the latter's numbers in the object's frame and turns them as if they were in the world's; ours are.)
    """

    def __init__(self, entity: EntityView, thing: EntityView, goal: EntityView) -> None:
        self._entity, self._thing, self._goal = entity, thing, goal
        self.terms = (
            Term("object_position", 3, "m", MAX_OBJECT_DISTANCE, "root link"),
            Term("object_velocity", 3, "m/s", MAX_LINEAR, "root link"),
            Term("object_rotation", 3, "rad/s", MAX_ANGULAR, "root link"),
            Term("object_goal", 3, "m", MAX_DISTANCE, "root link"),
        )

    def read(self) -> Tensor:
        """(W, 4, 3)."""
        entity, thing = self._entity, self._thing
        origin, velocity = entity.root_pos, thing.root_velocity
        rotation = (thing.root_axes @ velocity[:, 3:, None])[:, :, 0]
        linear = velocity[:, :3] - entity.root_velocity[:, :3]
        offsets = torch.stack((thing.root_pos - origin, linear, rotation, self._goal.root_pos - origin), dim=1)
        return offsets @ entity.root_axes
