"""Exploration: tread on as many cells of the floor as possible. DERL's exploration task."""

from __future__ import annotations

import torch
from torch import Tensor

from embodied.physics.world import World
from embodied.scenes import Scene
from embodied.scenes.arenas.flat import FlatArena
from embodied.tasks.derl import DerlTask

SIZE = 100
"""Of the floor along x and y, m, and how many cells of 1 x 1 m lie along each."""
START = 0.5
"""x and y of the start, m: in the middle of a cell, as the middle of the floor is a corner of four."""


class Exploration(DerlTask):
    """Reward: 1 for every cell that the head is over for the first time, less a control cost.

    The cell of the start is visited from the beginning and pays nothing. Metric ``cells``: visited, that one included.

    Deviations: DERL starts in the middle of the arena, where four cells meet and trembling would pay; ours is half a
    metre off. DERL ends an episode near the sides of the arena only; ours also does before and behind, where its floor
    stops and a body falls.
    """

    name = "exploration"
    fitness_term = "new_cells"

    def __init__(self) -> None:
        super().__init__(FlatArena(SIZE / 2, SIZE / 2, SIZE / 2))

    def place(self) -> tuple[float, float]:
        """The middle of a cell."""
        return (START, START)

    def start(self, scene: Scene, world: World, generator: torch.Generator) -> None:
        """Takes the World; see `Task.start`."""
        super().start(scene, world, generator)
        self._rows = torch.arange(world.num_worlds, device=world.device)
        self.memory["visited"] = torch.zeros(world.num_worlds, SIZE * SIZE, dtype=torch.bool, device=world.device)
        self.memory["cells"] = torch.ones_like(self.head[:, 0])

    def cell(self) -> Tensor:
        """(W,) int64: number of the cell that the head is over; outside the floor the nearest one's."""
        # Whole numbers first: clamping leaves NaN as it is.
        column = (self.head[:, :2] + SIZE / 2).long().clamp_(0, SIZE - 1)
        return column[:, 0] * SIZE + column[:, 1]

    def begin(self, mask: Tensor) -> None:
        """Forgets all cells but that of the start."""
        visited = self.memory["visited"]
        visited.masked_fill_(mask[:, None], False)
        cell = self.cell()
        visited[self._rows, cell] |= mask
        self.memory["cells"].masked_fill_(mask, 1.0)

    def rewards(self) -> dict[str, Tensor]:
        """``new_cells``: 1 in a cell not visited before. ``control_cost``: 1e-3 Σ a², negative."""
        visited, cell = self.memory["visited"], self.cell()
        new = visited[self._rows, cell].logical_not_().to(self.head.dtype)
        visited.scatter_(1, cell[:, None], True)
        self.memory["cells"] += new
        return {"new_cells": new, "control_cost": self.control_cost()}

    def metrics(self) -> dict[str, Tensor]:
        """``cells``: visited."""
        return {"cells": self.memory["cells"].clone()}
