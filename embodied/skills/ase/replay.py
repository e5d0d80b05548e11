"""Replay: windows of former policies, so that the discriminator does not forget what it has seen through."""

from __future__ import annotations

import torch
from torch import Tensor


class ReplayBuffer:
    """A ring of windows; the newest take the places of the oldest."""

    def __init__(self, capacity: int, *shape: int) -> None:
        """Allocates room for ``capacity`` windows of a shape."""
        self.windows = torch.zeros(capacity, *shape)
        """(capacity, …); the first ``len`` of them are filled."""
        self._next = 0
        self._filled = 0

    def __len__(self) -> int:
        """How many are kept."""
        return self._filled

    def add(self, windows: Tensor) -> None:
        """Takes windows (k, …) in; of more than there is room for, the last ones."""
        capacity = len(self.windows)
        windows = windows[-capacity:]
        first = min(len(windows), capacity - self._next)
        self.windows[self._next : self._next + first] = windows[:first]
        self.windows[: len(windows) - first] = windows[first:]
        self._next = (self._next + len(windows)) % capacity
        self._filled = min(self._filled + len(windows), capacity)

    def sample(self, count: int, generator: torch.Generator) -> Tensor:
        """(count, …) Drawn with replacement.

        Raises:
            ValueError: nothing is kept yet.
        """
        if not self._filled:
            raise ValueError("the replay buffer is empty: add windows before sampling")
        return self.windows[torch.randint(self._filled, (count,), generator=generator)]

    def state_dict(self) -> dict[str, Tensor]:
        """The windows that are kept, and where the next one goes."""
        return {"windows": self.windows[: self._filled].clone(), "next": torch.tensor(self._next)}

    def load_state_dict(self, state: dict[str, Tensor]) -> None:
        """Restores `state_dict`."""
        self._filled, self._next = len(state["windows"]), int(state["next"])
        self.windows[: self._filled] = state["windows"]
