"""Arrays: what is computed between two steps of a World, in numpy on CPU threads and in torch on a device.

Behind a step of the physics caches are cold, and a numpy operation on arrays of some hundred worlds then costs a
quarter of a torch one. On a device there is torch alone, and nothing may wait for it: no number is read back, and no
size depends on numbers. Formulas are written once for both, in what the two libraries call alike: `library_of`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor

from embodied.physics.cpu import CpuWorld
from embodied.physics.world import World

Array = Any
"""np.ndarray on CPU threads, Tensor on a device."""
Write = Callable[[Array, Any], None]


def library_of(values: Array) -> Any:
    """numpy or torch, whichever the values are of.

    Both have `exp`, `sqrt`, `where`, `maximum`, `stack`, `asarray` and `linalg.vecdot` that take the same arguments if
    those of position are given by position; arrays of both have `clip(min=, max=)` and `sum(axis)`.
    """
    return torch if isinstance(values, Tensor) else np


def whole(values: Array) -> Array:
    """int64, what follows the point cut off."""
    library = library_of(values)
    return library.asarray(values, dtype=library.int64)


class Arrays(Protocol):
    """How a World's tensors are worked on between its steps."""

    real: torch.dtype
    """Of numbers that tasks remember: the engine's precision."""

    def of(self, tensor: Tensor) -> Array:
        """The tensor's numbers where they lie, as an array to compute with."""
        ...

    def tensor(self, array: Array) -> Tensor:
        """The array as a tensor, without a copy."""
        ...

    def zeros(self, *shape: int) -> Array:
        """Of the engine's precision."""
        ...

    def indices(self, numbers: Sequence[int]) -> Array:
        """Whole numbers to pick columns by."""
        ...

    def chance(self, generator: torch.Generator, *shape: int) -> Array:
        """Uniform numbers in [0, 1), float64 on every World: one seed draws the same on the CPU whatever the World."""
        ...

    def writer(self, mask: Tensor) -> Write:
        """``write(target, values)``: puts (W, …) values, or one number, into an array where the mask (W,) holds."""
        ...

    def possibly(self, mask: Array) -> bool:
        """Whether a boolean array holds anywhere; True as well where telling would mean to wait for a device.

        For skipping work that changes nothing where the mask does not hold.
        """
        ...


class HostArrays:
    """numpy, for a `CpuWorld`. See `Arrays` for the methods."""

    real = torch.float64

    def of(self, tensor: Tensor) -> np.ndarray:
        """See `Arrays.of`."""
        return tensor.numpy()

    def tensor(self, array: np.ndarray) -> Tensor:
        """See `Arrays.tensor`."""
        return torch.from_numpy(array)

    def zeros(self, *shape: int) -> np.ndarray:
        """See `Arrays.zeros`."""
        return np.zeros(shape)

    def indices(self, numbers: Sequence[int]) -> np.ndarray:
        """See `Arrays.indices`."""
        return np.array(numbers, dtype=np.int64)

    def chance(self, generator: torch.Generator, *shape: int) -> np.ndarray:
        """See `Arrays.chance`."""
        return torch.rand(shape, dtype=torch.float64, generator=generator).numpy()

    def writer(self, mask: Tensor) -> Write:
        """See `Arrays.writer`."""
        worlds = mask.numpy().nonzero()[0]

        def write(target: np.ndarray, values: Any) -> None:
            target[worlds] = values[worlds] if isinstance(values, np.ndarray) else values

        return write

    def possibly(self, mask: np.ndarray) -> bool:
        """See `Arrays.possibly`."""
        return bool(mask.any())


class DeviceArrays:
    """torch, for every other World. See `Arrays` for the methods."""

    def __init__(self, device: torch.device, real: torch.dtype) -> None:
        self.device = device
        self.real = real

    def of(self, tensor: Tensor) -> Tensor:
        """See `Arrays.of`."""
        return tensor

    def tensor(self, array: Tensor) -> Tensor:
        """See `Arrays.tensor`."""
        return array

    def zeros(self, *shape: int) -> Tensor:
        """See `Arrays.zeros`."""
        return torch.zeros(shape, dtype=self.real, device=self.device)

    def indices(self, numbers: Sequence[int]) -> Tensor:
        """See `Arrays.indices`."""
        return torch.tensor(numbers, dtype=torch.int64, device=self.device)

    def chance(self, generator: torch.Generator, *shape: int) -> Tensor:
        """See `Arrays.chance`."""
        return torch.rand(shape, dtype=torch.float64, generator=generator, device=self.device)

    def writer(self, mask: Tensor) -> Write:
        """See `Arrays.writer`."""

        def write(target: Tensor, values: Any) -> None:
            chosen = mask.reshape(-1, *(1,) * (target.dim() - 1))
            if isinstance(values, Tensor):
                target.copy_(torch.where(chosen, values.to(target.dtype), target))
            else:
                target.masked_fill_(chosen, values)

        return write

    def possibly(self, mask: Tensor) -> bool:
        """See `Arrays.possibly`."""
        return True


def arrays_of(world: World) -> Arrays:
    """What a World's tensors are worked on with. Choose once, when a task, sense or ground takes its World."""
    if isinstance(world, CpuWorld):
        return HostArrays()
    return DeviceArrays(world.device, world.field("qpos").dtype)
