"""Starts of episodes drawn ahead: many cost little more at once than one does alone."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from embodied.physics.cpu import CpuWorld
from embodied.scenes import Scene
from embodied.senses import ObservationSpec
from embodied.tasks import Task


@dataclass(frozen=True)
class Starts:
    """k starts: all that a world needs to begin there."""

    state: np.ndarray
    """(k, n) Full states."""
    observation: dict[str, np.ndarray]
    """(k, size) By group."""
    memory: dict[str, np.ndarray]
    """(k, …) Of the task, by name."""
    parameters: dict[str, np.ndarray]
    """(k, …) Model fields that differ between worlds, by name."""


class StartPool:
    """Draws starts in worlds of its own and hands each out once.

    It goes on bit for bit from where the generator stood when it was last filled and how many it has handed out since.
    """

    def __init__(self, task: Task, scene: Scene, size: int, threads: int, generator: torch.Generator) -> None:
        """Makes the worlds; nothing is drawn before it is asked for.

        Args:
            task: must not serve an Env or another pool.
            scene: the task's.
            size: how many starts are drawn at once.
            threads: for the physics.
            generator: what all of them come from.
        """
        self._task = task
        self._world = CpuWorld(scene, size, scene.varying, threads)
        self._generator = generator
        task.start(scene, self._world, generator)
        self._spec = ObservationSpec(task.senses(), self._world.device)
        self._everywhere = torch.ones(size, dtype=torch.bool, device=self._world.device)
        self.discard()

    def discard(self) -> None:
        """Drops what was drawn: the generator was seeded anew."""
        self._filled_from = self._generator.get_state()
        self._next = self._world.num_worlds

    def take(self, count: int) -> Starts:
        """The next starts."""
        parts = []
        while count:
            if self._next == self._world.num_worlds:
                self._fill()
            end = min(self._next + count, self._world.num_worlds)
            parts.append(self._rows(slice(self._next, end)))
            count -= end - self._next
            self._next = end
        return parts[0] if len(parts) == 1 else _joined(parts)

    def _fill(self) -> None:
        self._filled_from = self._generator.get_state()
        self._world.reset(self._everywhere)
        self._task.reset(self._everywhere)
        self._world.forward(self._everywhere)
        self._task.begin(self._everywhere)
        self._state = self._world.state().numpy()
        self._observation = {name: group.numpy() for name, group in self._spec.read().items()}
        self._memory = {name: value.numpy().copy() for name, value in self._task.memory.items()}
        self._parameters = {name: value.numpy().copy() for name, value in self._world.parameters.items()}
        self._next = 0

    def _rows(self, rows: slice) -> Starts:
        return Starts(
            self._state[rows],
            {name: group[rows] for name, group in self._observation.items()},
            {name: value[rows] for name, value in self._memory.items()},
            {name: value[rows] for name, value in self._parameters.items()},
        )

    def state_dict(self) -> dict[str, Tensor]:
        """What `load_state_dict` needs."""
        return {"filled_from": self._filled_from, "next": torch.tensor(self._next)}

    def load_state_dict(self, state: dict[str, Tensor]) -> None:
        """Restores `state_dict`; leaves the generator where it may."""
        self._filled_from = state["filled_from"].clone()
        if int(state["next"]) < self._world.num_worlds:
            self._generator.set_state(self._filled_from)
            self._fill()
        self._next = int(state["next"])

    def close(self) -> None:
        """Frees the worlds."""
        self._world.close()


def _joined(parts: list[Starts]) -> Starts:
    def all_of(of: Callable[[Starts], dict[str, np.ndarray]]) -> dict[str, np.ndarray]:
        return {name: np.concatenate([of(part)[name] for part in parts]) for name in of(parts[0])}

    return Starts(
        np.concatenate([part.state for part in parts]),
        all_of(lambda part: part.observation),
        all_of(lambda part: part.memory),
        all_of(lambda part: part.parameters),
    )
