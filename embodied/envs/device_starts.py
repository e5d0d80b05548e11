"""Starts of episodes drawn ahead on a device: one forward pass now and then, instead of one in every control step."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from embodied.scenes import Scene
from embodied.senses import DeviceObservationSpec
from embodied.tasks import Task

if TYPE_CHECKING:  # it needs the extra gpu
    from embodied.physics.gpu import GpuWorld


@dataclass(frozen=True)
class DeviceStarts:
    """Starts, one a row: all that a world needs to begin there."""

    state: Tensor
    """(k, n) Full states."""
    observation: dict[str, Tensor]
    """(k, size) By group."""
    memory: dict[str, Tensor]
    """(k, …) Of the task, by name."""
    parameters: dict[str, Tensor]
    """(k, …) Model fields that differ between worlds, by name, and constants that the engine derived from them."""

    def rows(self, numbers: Tensor) -> DeviceStarts:
        """Those with the numbers (W,)."""

        def of(all_of: Mapping[str, Tensor]) -> dict[str, Tensor]:
            return {name: values.index_select(0, numbers) for name, values in all_of.items()}

        return DeviceStarts(
            self.state.index_select(0, numbers), of(self.observation), of(self.memory), of(self.parameters)
        )


class DeviceStartPool:
    """Draws starts in a World of its own and hands them out in turn.

    How many worlds need one is known to the device alone, so the pool is drawn anew by the host's clock and hands out
    its starts in a circle: each once, as long as no more episodes end between two draws than it holds; those beyond
    share theirs with earlier ones, and are counted.

    It goes on bit for bit from where the generator stood when it was last drawn and how many it has handed out since.
    """

    def __init__(self, task: Task, scene: Scene, world: GpuWorld, generator: torch.Generator) -> None:
        """Takes a World; nothing is drawn before `draw`.

        Args:
            task: must not serve an environment or another pool.
            scene: the task's.
            world: of the scene, for this pool alone; its number of worlds is that of the starts.
            generator: what all of them come from.
        """
        self._task, self._world, self._generator = task, world, generator
        task.start(scene, world, generator)
        self._spec = DeviceObservationSpec(task.senses(), world.device)
        self._everywhere = torch.ones(world.num_worlds, dtype=torch.bool, device=world.device)
        self._starts: DeviceStarts | None = None
        self._drawn_from = generator.get_state()
        self._taken = torch.zeros((), dtype=torch.int64, device=world.device)
        self.reused = torch.zeros((), dtype=torch.int64, device=world.device)
        """Starts that were handed out more than once, since the pool was made."""

    def draw(self) -> None:
        """Replaces all starts."""
        self._drawn_from = self._generator.get_state()
        self._world.reset(self._everywhere)
        self._task.reset(self._everywhere)
        self._world.forward(self._everywhere)
        self._task.begin(self._everywhere)
        self._starts = DeviceStarts(
            self._world.state(),
            self._spec.read(),
            {name: value.clone() for name, value in self._task.memory.items()},
            {name: value.clone() for name, value in {**self._world.parameters, **self._world.constants}.items()},
        )
        self._taken = torch.zeros_like(self._taken)

    def take(self, mask: Tensor) -> DeviceStarts:
        """A start for every world (W,), the next ones for those of the mask; what the others get means nothing."""
        assert self._starts is not None, "draw comes before take"
        size = self._world.num_worlds
        numbers = mask.cumsum(dim=0) + self._taken  # int64, counted from 1
        self.reused += (mask & (numbers > size)).sum()
        self._taken = numbers[-1]
        return self._starts.rows((numbers - 1).remainder_(size))

    def state_dict(self) -> dict[str, Tensor]:
        """What `load_state_dict` needs."""
        return {"drawn_from": self._drawn_from.clone(), "taken": self._taken.clone(), "reused": self.reused.clone()}

    def load_state_dict(self, state: Mapping[str, Tensor]) -> None:
        """Restores `state_dict`; leaves the generator where it may."""
        self._generator.set_state(state["drawn_from"].cpu())
        self.draw()
        self._taken = state["taken"].to(self._world.device, copy=True)
        self.reused = state["reused"].to(self._world.device, copy=True)

    def close(self) -> None:
        """Frees the worlds."""
        self._world.close()
