"""Variable: run forward over hills, steps and rubble that are seen in a height map. DERL's VT environment."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from torch import Tensor

from embodied.scenes.arenas.variable import VariableArena
from embodied.scenes.ground import FieldGround
from embodied.senses import Sense
from embodied.senses.height_map import HeightMap
from embodied.tasks.forward import ForwardTask

FIELDS = 8
"""Corridors in the pool that episodes draw from. DERL builds a new one for each."""


class Variable(ForwardTask):
    """Forward velocity in a corridor of 100 x 100 m, drawn from a pool for every episode."""

    name = "variable"

    def __init__(self) -> None:
        super().__init__(VariableArena(count=FIELDS))

    def senses(self) -> Mapping[str, Sequence[Sense]]:
        """Proprioception and DERL's thinned height map."""
        return {**super().senses(), "height_map": (HeightMap(self.robot, self.ground),)}

    def reset(self, mask: Tensor) -> None:
        """Draws a corridor and adds noise to the default state."""
        assert isinstance(self.ground, FieldGround)
        self.ground.draw(mask, self.generator)
        super().reset(mask)
