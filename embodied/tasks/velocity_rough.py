"""Velocity on rough ground: slopes, stairs and rubble whose difficulty follows what a robot can do."""

from __future__ import annotations

from embodied.tasks.velocity import Velocity


class VelocityRough(Velocity):
    """`Velocity` with ``terrain="rough"``, under a name of its own."""

    name = "velocity_rough"

    def __init__(self) -> None:
        super().__init__(terrain="rough")
