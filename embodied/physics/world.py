"""World: the protocol of W copies of one scene stepped together, on CPU threads or on a GPU."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import mujoco
import torch
from torch import Tensor


class SceneModel(Protocol):
    """What a World needs of a scene."""

    @property
    def model(self) -> mujoco.MjModel:
        """The compiled model."""
        ...


class World(Protocol):
    """W copies of one scene. Masks are boolean ``(W,)`` tensors; None means all worlds.

    A World is driven from one thread at a time.
    """

    num_worlds: int
    device: torch.device
    model: mujoco.MjModel
    parameters: dict[str, Tensor]
    """Per-world model fields, those declared as varying: writable ``(W, …)``."""
    unhealthy: Tensor
    """(W,) bool: worlds in which the engine met trouble during the last `step`: a non-finite or exploding state, a
    non-finite control, or a buffer that was too small. One whose state was lost stands in the default state now."""
    in_trouble: bool
    """Whether any world may be unhealthy; always true on a GPU, where finding out would mean to wait for it."""

    @property
    def warnings(self) -> dict[str, int]:
        """How often each engine warning was met since the World was made; on a GPU, asking waits for it."""
        ...

    def field(self, name: str) -> Tensor:
        """A live ``(W, …)`` view of an MjData field in the engine's precision, float64 or on a GPU float32.

        Only state fields may be written.
        """
        ...

    def step(self, substeps: int) -> None:
        """Advances every world by ``substeps`` time steps.

        Afterwards position- and velocity-stage fields describe the new state; accelerations, touch and contact forces
        are those of the last substep, as an instrument on a robot would have read them.
        """
        ...

    def forward(self, mask: Tensor | None = None) -> None:
        """Computes all derived fields from the state, without advancing it."""
        ...

    def reset(self, mask: Tensor | None = None) -> None:
        """Restores the model's first keyframe, or its default state where it has none.

        Derived fields follow at the next `forward` or `step`.
        """
        ...

    def state(self) -> Tensor:
        """``(W, n)`` A copy of all that determines the future: positions, velocities, controls, warm starts."""
        ...

    def set_state(self, state: Tensor, mask: Tensor | None = None) -> None:
        """Restores rows of what `state` gave; stepping on from there repeats the past bit for bit.

        Position- and velocity-stage fields follow at once, forces and accelerations at the next step.
        """
        ...

    def ray(
        self, origins: Tensor, directions: Tensor, exclude: int = -1, groups: Sequence[int] | None = None
    ) -> tuple[Tensor, Tensor]:
        """Casts rays: ``(W, R, 3)`` world-frame origins and directions to ``(W, R)`` distances and geom numbers.

        Distances are in lengths of the direction, -1 where nothing is hit. ``exclude`` is a body whose geoms are
        ignored; ``groups`` are the geom groups that are seen, all of them by default.
        """
        ...

    def refresh_constants(self, mask: Tensor | None = None) -> None:
        """Recomputes what the engine derives from masses and geometry; call it after writing `parameters`."""
        ...

    def close(self) -> None:
        """Frees threads and memory; the World is of no use afterwards."""
        ...
