"""A World that holds shapes and no numbers, on torch's ``meta`` device: whatever asks it for a number fails."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from embodied.physics.cpu import CpuWorld
from embodied.scenes import Scene

KINDS = {torch.float64: torch.float32, torch.int64: torch.int32}
"""A device's precision for the CPU's."""


class MetaWorld:
    """W copies of one scene that never move. See `World` for the methods."""

    in_trouble = True

    def __init__(self, scene: Scene, num_worlds: int) -> None:
        """Makes them of a scene, with what it says varies."""
        self.num_worlds = num_worlds
        self.device = torch.device("meta")
        self.model = scene.model
        self._native = CpuWorld(scene, 1, scene.varying, threads=1)
        self._fields: dict[str, Tensor] = {}
        self.parameters = {name: self._like(value) for name, value in self._native.parameters.items()}
        self.unhealthy = torch.empty(num_worlds, dtype=torch.bool, device=self.device)
        self.warnings: dict[str, int] = {}

    def _like(self, one: Tensor) -> Tensor:
        kind = KINDS.get(one.dtype, one.dtype)
        return torch.empty((self.num_worlds, *one.shape[1:]), dtype=kind, device=self.device)

    def field(self, name: str) -> Tensor:
        """See `World.field`."""
        if name not in self._fields:
            self._fields[name] = self._like(self._native.field(name))
        return self._fields[name]

    def step(self, substeps: int) -> None:
        """Nothing moves."""

    def forward(self, mask: Tensor | None = None) -> None:
        """Nothing is derived."""

    def reset(self, mask: Tensor | None = None) -> None:
        """Nothing is restored."""

    def state(self) -> Tensor:
        """See `World.state`."""
        return self._like(self._native.state())

    def set_state(self, state: Tensor, mask: Tensor | None = None) -> None:
        """Nothing is restored."""

    def ray(
        self, origins: Tensor, directions: Tensor, exclude: int = -1, groups: Sequence[int] | None = None
    ) -> tuple[Tensor, Tensor]:
        """See `World.ray`."""
        distance = (origins + directions)[..., 0]
        return distance, torch.empty_like(distance, dtype=torch.int32)

    def refresh_constants(self, mask: Tensor | None = None) -> None:
        """Nothing is derived."""

    def close(self) -> None:
        """Frees what the shapes were taken from."""
        self._native.close()
