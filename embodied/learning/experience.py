"""Experience: preallocated tensors of what happened in a rollout."""

from __future__ import annotations

from collections.abc import Mapping

import gymnasium
import torch
from torch import Tensor

from embodied.vector_env import Observation


class Experience:
    """T steps in W worlds. Row t of ``observation`` is what was seen before step t; there are T + 1 of them.

    ``discounted_return`` lives on from rollout to rollout; all else is overwritten.
    """

    def __init__(
        self, steps: int, num_worlds: int, observation_space: gymnasium.spaces.Dict, action_space: gymnasium.spaces.Box
    ) -> None:
        """Allocates."""
        self.steps, self.num_worlds = steps, num_worlds
        self.observation: Observation = {
            name: torch.zeros(steps + 1, num_worlds, *(space.shape or ()))
            for name, space in observation_space.spaces.items()
        }
        """(T + 1, W, …) by group."""
        self.actions = torch.zeros(steps, num_worlds, *action_space.shape)
        """(T, W, n)."""
        self.log_probs = torch.zeros(steps, num_worlds)
        """(T, W) of the actions, under the policy that chose them."""
        self.values = torch.zeros(steps + 1, num_worlds)
        """(T + 1, W) as that policy's critic saw it."""
        self.rewards = torch.zeros(steps, num_worlds)
        """(T, W), as are ``terminated`` and ``truncated``."""
        self.terminated = torch.zeros(steps, num_worlds, dtype=torch.bool)
        self.truncated = torch.zeros(steps, num_worlds, dtype=torch.bool)
        self.final_values = torch.zeros(steps, num_worlds)
        """(T, W) Value of the last observation of an episode that was truncated at step t; 0 elsewhere."""
        self.discounted_return = torch.zeros(num_worlds)
        """(W,) Of the episode under way, up to the last rollout's end."""
        self._observation_rows = {name: group.numpy() for name, group in self.observation.items()}
        self._step_rows = [t.numpy() for t in (self.actions, self.rewards, self.terminated, self.truncated)]

    def write_observation(self, step: int, observation: Observation) -> None:
        """What was seen before a step, (W, …) by group."""
        for name, group in self._observation_rows.items():
            group[step] = observation[name].numpy()

    def write_step(self, step: int, actions: Tensor, reward: Tensor, terminated: Tensor, truncated: Tensor) -> None:
        """What was done in a step and what came of it, (W, …) each.

        Rows are copied by numpy: between physics steps that is a quarter of torch's price.
        """
        for rows, values in zip(self._step_rows, (actions, reward, terminated, truncated), strict=True):
            rows[step] = values.numpy()

    def flat(self, tensor: Tensor) -> Tensor:
        """The T steps of a (T, …) or (T + 1, …) tensor as (T W, …)."""
        return tensor[: self.steps].flatten(0, 1)

    def flat_observation(self) -> Mapping[str, Tensor]:
        """(T W, …) by group."""
        return {name: self.flat(group) for name, group in self.observation.items()}
