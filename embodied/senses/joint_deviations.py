"""Joint angles as deviations from the default pose, with the offsets of encoders that are not quite true."""

from __future__ import annotations

from torch import Tensor

from embodied.scenes import EntityView
from embodied.senses.joints import MAX_ANGLE
from embodied.senses.sense import Term


class JointDeviations:
    """Angles of all joints but the root's, less those of the default pose."""

    def __init__(self, entity: EntityView, offsets: Tensor | None = None) -> None:
        """``offsets``: (W, joints) What each encoder reads too much, rad, live; none by default."""
        self._entity = entity
        self._pose = entity.constant(entity.entity.pose)
        self._offsets = offsets
        self.terms = (Term("joint_deviation", len(self._pose), "rad", MAX_ANGLE),)

    def read(self) -> Tensor:
        """(W, joints)."""
        deviations = self._entity.joint_pos - self._pose
        return deviations if self._offsets is None else deviations.add_(self._offsets)
