"""VectorEnv: the protocol by which learners see environments. Learners import this file and no environment."""

from __future__ import annotations

from typing import Any, Protocol

import gymnasium
from torch import Tensor

Observation = dict[str, Tensor]
"""Observation groups, (W, …) each."""


class VectorEnv(Protocol):
    """W environments stepped together, each reset within the step that ends its episode."""

    num_worlds: int
    observation_space: gymnasium.spaces.Dict
    """Of one world."""
    action_space: gymnasium.spaces.Box
    """Of one world."""
    control_dt: float
    """Time between two steps, s."""

    def reset(self, seed: int | None = None) -> tuple[Observation, dict[str, Any]]:
        """Begins an episode in every world; a seed makes all that follows repeatable."""
        ...

    def step(self, actions: Tensor) -> tuple[Observation, Tensor, Tensor, Tensor, dict[str, Any]]:
        """One control step with actions (W, n): observation, reward (W,), terminated (W,), truncated (W,), info.

        Where an episode ended, the observation already belongs to the next one. Where none did, ``final_obs`` is the
        observation itself: take a copy before changing either in place. ``info`` holds:

        - ``final_obs``: like the observation, but the old episode's last one where it ended;
        - ``terms``: the reward's terms, (W,) each;
        - ``unhealthy``: (W,) bool, worlds whose physics failed in this step; they are terminated, their reward is 0
          and their final observation is the last healthy one;
        - ``episode``: of the episodes that ended, ``world`` (k,), ``return`` (k,) and ``length`` (k,), and by name
          their ``terms`` and ``metrics``, (k,) each.
        """
        ...

    def state_dict(self) -> dict[str, Tensor]:
        """All that determines what follows, the current observation included."""
        ...

    def load_state_dict(self, state: dict[str, Tensor]) -> Observation:
        """Restores `state_dict` and returns the observation to go on from."""
        ...

    def close(self) -> None:
        """Frees the worlds."""
        ...
