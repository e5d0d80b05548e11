"""A CPU World seen as one on a device is: in single precision, as tensors. What is done to it is not felt."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor

from embodied.physics.cpu import CpuWorld
from embodied.scenes.entity import STATE
from embodied.testing.meta_world import KINDS


class MirrorWorld:
    """Shows a `CpuWorld` as it was when `follow` was last called. See `World` for the methods."""

    in_trouble = True

    def __init__(self, shown: CpuWorld) -> None:
        """Takes what is shown, which moves on its own."""
        self._shown = shown
        self.num_worlds, self.device, self.model = shown.num_worlds, shown.device, shown.model
        self.parameters = {name: _single(value) for name, value in shown.parameters.items()}
        self.unhealthy = shown.unhealthy
        self.warnings: dict[str, int] = {}
        self._fields = {name: _single(shown.field(name)) for name in STATE}  # before a task writes any

    def field(self, name: str) -> Tensor:
        """See `World.field`."""
        if name not in self._fields:
            self._fields[name] = _single(self._shown.field(name))
        return self._fields[name]

    def follow(self) -> None:
        """Shows everything as it is now."""
        for name, value in self._fields.items():
            value.copy_(self._shown.field(name))
        for name, value in self.parameters.items():
            value.copy_(self._shown.parameters[name])

    def shown(self) -> dict[str, tuple[Tensor, Tensor]]:
        """By name, every field and parameter that was asked for: as it is in here, and as it is in what is shown."""
        fields = {name: (value, self._shown.field(name)) for name, value in self._fields.items()}
        return fields | {name: (value, self._shown.parameters[name]) for name, value in self.parameters.items()}

    def step(self, substeps: int) -> None:
        """Moves on by `follow` alone."""

    def forward(self, mask: Tensor | None = None) -> None:
        """Moves on by `follow` alone."""

    def reset(self, mask: Tensor | None = None) -> None:
        """Moves on by `follow` alone."""

    def state(self) -> Tensor:
        """See `World.state`."""
        return self._shown.state().float()

    def set_state(self, state: Tensor, mask: Tensor | None = None) -> None:
        """Moves on by `follow` alone."""

    def ray(
        self, origins: Tensor, directions: Tensor, exclude: int = -1, groups: Sequence[int] | None = None
    ) -> tuple[Tensor, Tensor]:
        """See `World.ray`."""
        distance, geom = self._shown.ray(origins.double(), directions.double(), exclude, groups)
        return distance.float(), geom

    def refresh_constants(self, mask: Tensor | None = None) -> None:
        """Nothing is derived."""

    def close(self) -> None:
        """What is shown is not closed."""


def _single(value: Tensor) -> Tensor:
    return value.to(KINDS.get(value.dtype, value.dtype), copy=True)
