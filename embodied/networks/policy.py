"""Policies: from observation groups to a distribution over actions, the normaliser inside."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Protocol

import gymnasium
import torch
from torch import Tensor, nn

from embodied.networks.distributions import Gaussian
from embodied.networks.group_network import GroupNetwork
from embodied.networks.normaliser import RunningNormaliser
from embodied.vector_env import Observation

Memory = tuple[Tensor, ...]
"""What a policy carries from step to step; empty for one without memory."""


class Policy(Protocol):
    """What acts in an environment."""

    def __call__(self, observation: Observation, memory: Memory) -> tuple[Gaussian, Memory]:
        """The distribution of actions for observations (W, …) by group, and the next memory."""
        ...

    def initial_memory(self, num_worlds: int) -> Memory:
        """The memory at the start of an episode."""
        ...

    def clear(self, memory: Memory, mask: Tensor) -> Memory:
        """The memory with the worlds of the mask (W,) begun anew."""
        ...


@dataclass(frozen=True)
class PolicyConfig:
    """What can be chosen of a policy."""

    hidden: tuple[int, ...] = (64, 64)
    """Layer sizes of actor and critic. DERL."""
    initial_log_std: float = 0.0
    """Logarithm of the actions' standard deviation at the start. DERL."""


@dataclass(frozen=True)
class PolicyShape:
    """All that fixes the form of an `ActorCritic`; stored beside its weights."""

    groups: dict[str, int]
    """Observation groups it reads, with their sizes."""
    actions: int
    """Length of an action."""
    hidden: tuple[int, ...] = PolicyConfig.hidden
    """Layer sizes."""
    initial_log_std: float = PolicyConfig.initial_log_std

    @classmethod
    def for_spaces(
        cls,
        observation_space: gymnasium.Space,
        action_space: gymnasium.Space,
        config: PolicyConfig = PolicyConfig(),
    ) -> PolicyShape:
        """The shape for an environment's spaces, all of its groups read.

        Raises:
            TypeError: spaces that no policy of ours fits.
        """
        if not isinstance(action_space, gymnasium.spaces.Box) or len(action_space.shape) != 1:
            raise TypeError(f"policies act in one-dimensional Box spaces; this environment's is {action_space}")
        if not isinstance(observation_space, gymnasium.spaces.Dict):
            raise TypeError(f"observations must be a Dict space of groups, not {observation_space}")
        groups = {}
        for name, space in observation_space.spaces.items():
            if space.shape is None or len(space.shape) != 1:
                raise TypeError(f"observation group {name!r} must be one-dimensional, not {space}")
            groups[name] = space.shape[0]
        return cls(groups, action_space.shape[0], config.hidden, config.initial_log_std)

    def as_dict(self) -> dict[str, Any]:
        """Plain data for a JSON file."""
        return asdict(self)

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> PolicyShape:
        """Reads `as_dict` back."""
        return cls(**{**data, "hidden": tuple(data["hidden"])})


class ActorCritic(nn.Module):
    """A Gaussian policy and a value function with nothing shared but the normalisers. DERL."""

    def __init__(self, shape: PolicyShape, generator: torch.Generator) -> None:
        """Draws initial weights from the generator."""
        super().__init__()
        self.shape = shape
        self.normalisers = nn.ModuleDict({name: RunningNormaliser(size) for name, size in shape.groups.items()})
        self.actor = GroupNetwork(shape.groups, shape.hidden, shape.actions, generator)
        self.log_std = nn.Parameter(torch.full((shape.actions,), shape.initial_log_std))
        self.critic = GroupNetwork(shape.groups, shape.hidden, 1, generator)

    def normalise(self, observation: Observation) -> Observation:
        """The groups the policy reads, normalised."""
        return {name: normaliser(observation[name]) for name, normaliser in self.normalisers.items()}

    def update_normalisers(self, observation: Observation) -> None:
        """Takes observations (…, size) into the normalisers' statistics."""
        for name, normaliser in self.normalisers.items():
            normaliser.update(observation[name])  # type: ignore[operator]

    @property
    def unseen(self) -> bool:
        """Whether the normalisers have no statistics yet."""
        return all(float(normaliser.count) == 0 for normaliser in self.normalisers.values())  # type: ignore[arg-type]

    def distribution(self, normalised: Observation) -> Gaussian:
        """Of actions, from what `normalise` gave."""
        return Gaussian(self.actor(normalised), self.log_std)

    def value(self, normalised: Observation) -> Tensor:
        """(…) Expected discounted return, in scaled rewards, from what `normalise` gave."""
        return self.critic(normalised).squeeze(-1)

    def forward(self, observation: Observation, memory: Memory = ()) -> tuple[Gaussian, Memory]:
        """See `Policy`."""
        return self.distribution(self.normalise(observation)), memory

    def initial_memory(self, num_worlds: int) -> Memory:
        """Empty: each action depends on its observation alone."""
        return ()

    def clear(self, memory: Memory, mask: Tensor) -> Memory:
        """Nothing to clear."""
        return memory
