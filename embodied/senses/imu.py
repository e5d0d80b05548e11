"""The inertial unit in the head: accelerometer, gyro and velocimeter."""

from __future__ import annotations

from torch import Tensor

from embodied.scenes import EntityView
from embodied.senses.sense import Term

MAX_ACCELERATION = 1e5
"""m/s². A hard landing reads some thousands."""
MAX_ANGULAR = 200.0
"""rad/s."""
MAX_LINEAR = 100.0
"""m/s."""


class Imu:
    """Readings of the sensors ``accelerometer``, ``gyro`` and ``velocimeter``, in the frame of the head. DERL.

    Of a body that is fixed to the world the engine's accelerometer reads 0, not gravity.
    """

    def __init__(self, entity: EntityView) -> None:
        self._entity = entity
        self.terms = (
            Term("accelerometer", 3, "m/s²", MAX_ACCELERATION, "head"),
            Term("gyro", 3, "rad/s", MAX_ANGULAR, "head"),
            Term("velocimeter", 3, "m/s", MAX_LINEAR, "head"),
        )

    def read(self) -> Tensor:
        """(W, 9)."""
        return self._entity.sensor("accelerometer", "gyro", "velocimeter")
