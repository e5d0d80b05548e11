"""Flat: run forward over level ground. DERL's FT environment."""

from __future__ import annotations

import torch
from torch import Tensor

from embodied.physics.world import World
from embodied.scenes import Scene
from embodied.scenes.arenas.flat import FlatArena
from embodied.tasks.forward import ForwardTask


class Flat(ForwardTask):
    """Forward velocity on a floor of 150 x 150 m, the start 3 m from its rear edge."""

    name = "flat"

    def __init__(self) -> None:
        super().__init__(FlatArena())

    def start(self, scene: Scene, world: World, generator: torch.Generator) -> None:
        """Takes the World; see `Task.start`."""
        super().start(scene, world, generator)
        self.lowest[2] = self.fall_height

    def terminated(self) -> Tensor:
        """The head is too low, or near a side or the far end of the arena: one comparison, as the ground is level."""
        return ((self.head <= self.lowest) | (self.head >= self.highest)).any(dim=-1)
