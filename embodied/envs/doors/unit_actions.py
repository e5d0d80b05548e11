"""Actions within ±1, as Gymnasium, dm_env and Stable-Baselines3 want them, of tasks whose own range is another."""

from __future__ import annotations

import gymnasium
import numpy as np


class UnitActions:
    """Where a range is not already symmetric and within ±1, 1 stands for its farther end and 0 stays 0.

    On the nearer side the engine clamps what is too far. A range without an end is left as it is.
    """

    def __init__(self, space: gymnasium.spaces.Box) -> None:
        """For the task's own action space."""
        low, high = space.low, space.high
        tame = ((low == -high) | (low == 0.0)) & (low >= -1.0) & (high <= 1.0)
        self._scale = np.maximum(np.abs(low), np.abs(high))
        self._same = bool(tame.all()) or not bool(np.isfinite(self._scale).all())
        self.space = space if self._same else gymnasium.spaces.Box(-1.0, 1.0, space.shape, np.float32)
        """What the library sees."""

    def __call__(self, actions: np.ndarray) -> np.ndarray:
        """The task's actions (…, n), float32, for a library's; those of a wrong shape are passed on to be refused."""
        given = np.asarray(actions, dtype=np.float32)
        return given if self._same or given.shape[-1:] != self._scale.shape else given * self._scale
