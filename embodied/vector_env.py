"""VectorEnv: the protocol by which learners see environments. Learners import this file and no environment."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol, runtime_checkable

import gymnasium
import torch
from torch import Tensor

Observation = dict[str, Tensor]
"""Observation groups, (W, …) each."""


class VectorEnv(Protocol):
    """W environments stepped together, each reset within the step that ends its episode.

    `embodied.testing.check_vector_env` holds an environment to what is said here.
    """

    num_worlds: int
    observation_space: gymnasium.spaces.Dict
    """Of one world."""
    action_space: gymnasium.spaces.Box
    """Of one world."""
    control_dt: float
    """Time between two steps, s; nan where nobody knows."""

    @property
    def device(self) -> torch.device:
        """Where actions are wanted, and where observations, rewards, ends and all of ``info`` but ``episode`` lie."""
        ...

    @property
    def episode_steps(self) -> int | None:
        """The age, in control steps, at which episodes are truncated, and none before; None where nobody knows."""
        ...

    @property
    def episode_length(self) -> Tensor:
        """(W,) int64 on the device, live and writable: the age of each world's episode, in control steps.

        Time limits go by it, figures do not. Written after a reset, it makes first episodes shorter, so that worlds do
        not all end at once ever after; ``info`` then tells how long they really were. As in rsl_rl, whose
        ``episode_length_buf`` it is.
        """
        ...

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
        - ``episode``: a Mapping of figures of the episodes that ended in this step, on the CPU: ``world`` (k,),
          ``return`` (k,) and ``length`` (k,), in control steps made, and by name their ``terms`` and ``metrics``, (k,)
          each. They may be worked out when they are first looked at, on a GPU at the price of waiting for it, and stay
          what they are however long that takes.
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


@runtime_checkable
class WaitlessEnv(VectorEnv, Protocol):
    """A `VectorEnv` in whose step the host never waits for the device, and what it gives so that nobody has to.

    Its ``info`` has besides, on the device:

    - ``finished``: (W,) bool, where an episode ended;
    - ``episode_return`` and ``episode_length``, (W,), and by name ``episode_terms`` and ``episode_metrics``, (W,) each:
      where one did what ``episode`` says of it, elsewhere nothing of meaning.

    What a host would have raised an error for is counted instead, and judged when somebody reads the device anyway.
    """

    @property
    def counters(self) -> Mapping[str, Tensor]:
        """() each, on the device: what has gone wrong, or not gone as it should, how often since it was made."""
        ...

    def judge(self, counts: Mapping[str, float] | None = None) -> None:
        """Raises an error for what must not go on.

        Args:
            counts: what was read of `counters`; None has them read here, which waits.
        """
        ...
