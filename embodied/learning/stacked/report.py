"""Figures that lie on a device, brought to the host in one piece: the only moment at which a host waits for it."""

from __future__ import annotations

import torch
from torch import Tensor


class Report:
    """Collects tensors and reads them together."""

    def __init__(self) -> None:
        self._parts: dict[str, Tensor] = {}

    def add(self, name: str, values: Tensor) -> None:
        """Any tensor; it is taken as it is now."""
        self._parts[name] = values.detach().to(torch.float64).flatten()

    def read(self) -> dict[str, list[float]]:
        """The numbers by name. Waits for the device, once."""
        numbers = iter(torch.cat(list(self._parts.values())).tolist())
        return {name: [next(numbers) for _ in range(part.numel())] for name, part in self._parts.items()}
