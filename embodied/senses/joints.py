"""Joint angles and speeds, as encoders on the joints give them."""

from __future__ import annotations

import math

from torch import Tensor

from embodied.scenes import EntityView
from embodied.senses.sense import Term

MAX_ANGLE = 2 * math.pi
"""rad. Hinges of the design space end at ±90°; limits are soft, and this is far beyond them."""
MAX_SPEED = 200.0
"""rad/s."""


class JointPositions:
    """Angles of all joints but the root's."""

    def __init__(self, entity: EntityView) -> None:
        self._entity = entity
        self.terms = (Term("joint_pos", len(entity.entity.joints), "rad", MAX_ANGLE),)

    def read(self) -> Tensor:
        """(W, joints)."""
        return self._entity.joint_pos


class JointVelocities:
    """Speeds of all joints but the root's."""

    def __init__(self, entity: EntityView) -> None:
        self._entity = entity
        self.terms = (Term("joint_vel", len(entity.entity.joints), "rad/s", MAX_SPEED),)

    def read(self) -> Tensor:
        """(W, joints)."""
        return self._entity.joint_vel
