"""How fast a body moves and turns, in its own frame: one instrument each."""

from __future__ import annotations

from torch import Tensor

from embodied.scenes import EntityView
from embodied.senses.imu import MAX_ANGULAR, MAX_LINEAR
from embodied.senses.sense import Term


class Gyro:
    """Reading of the sensor ``gyro``, which every robot carries."""

    def __init__(self, entity: EntityView) -> None:
        self._entity = entity
        self.terms = (Term("gyro", 3, "rad/s", MAX_ANGULAR, "head"),)

    def read(self) -> Tensor:
        """(W, 3)."""
        return self._entity.sensor("gyro")


class Velocimeter:
    """Reading of the sensor ``velocimeter``, which no robot carries: it has to be estimated there."""

    def __init__(self, entity: EntityView) -> None:
        self._entity = entity
        self.terms = (Term("velocimeter", 3, "m/s", MAX_LINEAR, "head"),)

    def read(self) -> Tensor:
        """(W, 3)."""
        return self._entity.sensor("velocimeter")
