"""Joint angles as deviations from the default pose, with the offsets of encoders that are not quite true."""

from __future__ import annotations

import torch
from torch import Tensor

from embodied.scenes import EntityView
from embodied.senses.joints import MAX_ANGLE
from embodied.senses.sense import Term


class JointDeviations:
    """Angles of all joints but the root's, less those of the default pose."""

    def __init__(self, entity: EntityView, offsets: Tensor | None = None) -> None:
        """``offsets``: (W, joints) What each encoder reads too much, rad, live; none by default."""
        self._entity = entity
        self._pose = entity.entity.pose
        self._offsets = None if offsets is None else offsets.numpy()
        self.terms = (Term("joint_deviation", len(self._pose), "rad", MAX_ANGLE),)

    def read(self) -> Tensor:
        """(W, joints)."""
        deviations = self._entity.joint_pos.numpy() - self._pose
        if self._offsets is not None:
            deviations += self._offsets
        return torch.from_numpy(deviations)
