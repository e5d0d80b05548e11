"""Experience of M members in tensors that are allocated once and never move."""

from __future__ import annotations

import torch
from torch import Tensor

from embodied.learning.stacked.policy import StackedPolicy
from embodied.vector_env import Observation


class StackedExperience:
    """T steps in W worlds, k = W / M of each member. Counterpart of `Experience`, with which it shares its names.

    Only groups that the policy reads are kept. In bytes: 8 (T + 1) W times the sizes of all groups, for what was seen
    and for the same normalised, and 4 T W (3 n + 9) for the rest.
    """

    def __init__(self, steps: int, num_worlds: int, policy: StackedPolicy) -> None:
        """Allocates on the policy's device."""
        self.steps, self.num_worlds, self.members = steps, num_worlds, policy.members
        self.worlds_each = num_worlds // policy.members
        """k."""
        shape, device = policy.shape, policy.device
        self.observation: Observation = {
            name: torch.zeros(steps + 1, num_worlds, size, device=device) for name, size in shape.groups.items()
        }
        """(T + 1, W, size) by group."""
        self.noise = torch.zeros(policy.members, steps, self.worlds_each, shape.actions, device=device)
        """(M, T, k, n) What is added to the mean actions."""
        self.actions = torch.zeros(steps, num_worlds, shape.actions, device=device)
        """(T, W, n)."""
        self.log_probs = torch.zeros(policy.members, steps, self.worlds_each, device=device)
        """(M, T, k)."""
        self.values = torch.zeros(steps + 1, num_worlds, device=device)
        """(T + 1, W)."""
        self.rewards = torch.zeros(steps, num_worlds, device=device)
        """(T, W), as are ``terminated`` and ``truncated``."""
        self.terminated = torch.zeros(steps, num_worlds, dtype=torch.bool, device=device)
        self.truncated = torch.zeros(steps, num_worlds, dtype=torch.bool, device=device)
        self.final_values = torch.zeros(steps, num_worlds, device=device)
        """(T, W) Value of the last observation of an episode that was truncated at step t; 0 elsewhere."""
        self.discounted_return = torch.zeros(num_worlds, device=device)
        """(W,) Of the episode under way, up to the last rollout's end; lives on from rollout to rollout."""
        self._lay_out_samples(policy)

    def _lay_out_samples(self, policy: StackedPolicy) -> None:
        self.columns: dict[str, slice] = {}
        """Of ``samples``: what lies where; observation groups as ``obs/`` and their name."""
        start = 0
        sizes = {f"obs/{name}": size for name, size in policy.shape.groups.items()}
        sizes |= {"actions": policy.shape.actions, "log_probs": 1, "values": 1, "advantages": 1, "targets": 1}
        for name, size in sizes.items():
            self.columns[name] = slice(start, start + size)
            start += size
        self.samples = torch.zeros(policy.members, (self.steps + 1) * self.worlds_each, start, device=policy.device)
        """(M, (T + 1) k, columns): sample t k + j of a member is step t in its world j. A minibatch is one gather of
        rows; the last k rows, of the observations after the last step, hold nothing but observations."""

    @property
    def size(self) -> int:
        """T k, samples of each member to learn from."""
        return self.steps * self.worlds_each

    def write_observation(self, step: int, observation: Observation) -> None:
        """What was seen before a step, (W, size) by group."""
        for name, rows in self.observation.items():
            rows[step].copy_(observation[name])

    def write_step(self, step: int, reward: Tensor, terminated: Tensor, truncated: Tensor) -> None:
        """What came of a step, (W,) each; the actions have been written where they were made."""
        self.rewards[step].copy_(reward)
        self.terminated[step].copy_(terminated)
        self.truncated[step].copy_(truncated)

    def of_members(self, tensor: Tensor) -> Tensor:
        """(T', W, …) as (M, T' k, …)."""
        split = tensor.unflatten(1, (self.members, self.worlds_each)).transpose(0, 1)
        return split.flatten(1, 2)

    def column(self, name: str, rows: Tensor | None = None) -> Tensor:
        """(M, N, size) Columns of the samples, live, or of some rows (M, N, columns) of them."""
        return (self.samples if rows is None else rows)[..., self.columns[name]]

    def normalised(self, rows: Tensor | None = None) -> Observation:
        """(M, N, size) by group: observations among the samples, or among some rows of them."""
        return {name: self.column(f"obs/{name}", rows) for name in self.observation}

    def normalise(self, policy: StackedPolicy) -> None:
        """Writes the observations, normalised, into the samples."""
        for name, group in self.observation.items():
            policy.normalisers[name](self.of_members(group), out=self.column(f"obs/{name}"))

    def write_samples(self, name: str, values: Tensor) -> None:
        """Writes (M, T k, …) into columns of the samples; a column of size 1 takes (M, T k)."""
        target = self.column(name)[:, : self.size]
        target.copy_(values.view_as(target))
