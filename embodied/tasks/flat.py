"""Flat: run forward over level ground. DERL's FT environment."""

from __future__ import annotations

from embodied.scenes.arenas.flat import FlatArena
from embodied.tasks.forward import ForwardTask


class Flat(ForwardTask):
    """Forward velocity on a floor of 150 x 150 m, the start 3 m from its rear edge."""

    name = "flat"

    def __init__(self) -> None:
        super().__init__(FlatArena())
