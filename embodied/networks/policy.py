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
from embodied.runs.errors import UserError
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


PRIVILEGED = "privileged"
"""The group that only a simulation knows: critics read it, actors don't unless they are told to."""
STYLE = "style"
"""The group that discriminators compare with motion clips; nobody else reads it unless told to."""


@dataclass(frozen=True)
class PolicyConfig:
    """What can be chosen of a policy."""

    hidden: tuple[int, ...] = (64, 64)
    """Layer sizes of actor and critic. DERL."""
    initial_log_std: float = 0.0
    """Logarithm of the actions' standard deviation at the start. DERL."""
    hidden_gain: float = 1.0
    """Of the initial weights of hidden layers. DERL; √2 is as common."""
    action_gain: float = 1.0
    """Of the initial weights that give mean actions. DERL; with 0.01 first actions are noise about 0."""
    actor_groups: tuple[str, ...] = ()
    """Observation groups that the actor reads; by default all but ``privileged`` and ``style``."""
    critic_groups: tuple[str, ...] = ()
    """Observation groups that the critic reads; by default all but ``style``."""


@dataclass(frozen=True)
class PolicyShape:
    """All that fixes the form of an `ActorCritic`; stored beside its weights."""

    groups: dict[str, int]
    """Observation groups that actor or critic read, with their sizes."""
    actions: int
    """Length of an action."""
    hidden: tuple[int, ...] = PolicyConfig.hidden
    """Layer sizes."""
    initial_log_std: float = PolicyConfig.initial_log_std
    hidden_gain: float = PolicyConfig.hidden_gain
    action_gain: float = PolicyConfig.action_gain
    actor_groups: tuple[str, ...] = ()
    """Those of the groups that the actor reads; empty for all."""
    critic_groups: tuple[str, ...] = ()
    """Those of the groups that the critic reads; empty for all."""

    @classmethod
    def for_spaces(
        cls,
        observation_space: gymnasium.Space,
        action_space: gymnasium.Space,
        config: PolicyConfig = PolicyConfig(),
    ) -> PolicyShape:
        """The shape for an environment's spaces.

        Raises:
            TypeError: spaces that no policy of ours fits.
            UserError: the configuration names groups that the environment has not.
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
        shown = tuple(name for name in groups if name != STYLE)
        actor = _chosen("actor_groups", config.actor_groups, groups) or tuple(n for n in shown if n != PRIVILEGED)
        critic = _chosen("critic_groups", config.critic_groups, groups) or shown
        read = {name: size for name, size in groups.items() if name in actor or name in critic}
        actor, critic = (() if len(each) == len(read) else each for each in (actor, critic))
        start = config.initial_log_std, config.hidden_gain, config.action_gain
        return cls(read, action_space.shape[0], config.hidden, *start, actor, critic)

    def fits(self, observation_space: gymnasium.spaces.Dict, action_space: gymnasium.spaces.Box) -> bool:
        """Whether a policy of this shape can act there: whether its actor finds all that it reads."""
        spaces = observation_space.spaces
        found = all(name in spaces and spaces[name].shape == (size,) for name, size in self.actor_sizes.items())
        return found and action_space.shape == (self.actions,)

    @property
    def actor_sizes(self) -> dict[str, int]:
        """Of the groups that the actor reads."""
        return self._sizes(self.actor_groups)

    @property
    def critic_sizes(self) -> dict[str, int]:
        """Of the groups that the critic reads."""
        return self._sizes(self.critic_groups)

    def _sizes(self, names: tuple[str, ...]) -> dict[str, int]:
        return {name: size for name, size in self.groups.items() if name in names or not names}

    def as_dict(self) -> dict[str, Any]:
        """Plain data for a JSON file."""
        return asdict(self)

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> PolicyShape:
        """Reads `as_dict` back."""
        tuples = {name: tuple(data[name]) for name in ("hidden", "actor_groups", "critic_groups") if name in data}
        return cls(**{**data, **tuples})


def _chosen(what: str, names: tuple[str, ...], groups: dict[str, int]) -> tuple[str, ...]:
    if unknown := [name for name in names if name not in groups]:
        option, known = what.replace("_", "-"), ", ".join(groups)
        raise UserError(f"--policy.{option} names {', '.join(unknown)}; this environment's groups are {known}")
    return tuple(name for name in groups if name in names)


class ActorCritic(nn.Module):
    """A Gaussian policy and a value function with nothing shared but the normalisers. DERL."""

    def __init__(self, shape: PolicyShape, generator: torch.Generator) -> None:
        """Draws initial weights from the generator."""
        super().__init__()
        self.shape = shape
        self.normalisers = nn.ModuleDict({name: RunningNormaliser(size) for name, size in shape.groups.items()})
        gains = shape.hidden_gain, shape.action_gain
        self.actor = GroupNetwork(shape.actor_sizes, shape.hidden, shape.actions, generator, *gains)
        self.log_std = nn.Parameter(torch.full((shape.actions,), shape.initial_log_std))
        self.critic = GroupNetwork(shape.critic_sizes, shape.hidden, 1, generator, shape.hidden_gain)

    def normalise(self, observation: Observation) -> Observation:
        """The groups that actor or critic read, normalised; those that are not in the observation left out."""
        return {
            name: normaliser(observation[name]) for name, normaliser in self.normalisers.items() if name in observation
        }

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
        seen = {name: self.normalisers[name](observation[name]) for name in self.actor.groups}
        return self.distribution(seen), memory

    def initial_memory(self, num_worlds: int) -> Memory:
        """Empty: each action depends on its observation alone."""
        return ()

    def clear(self, memory: Memory, mask: Tensor) -> Memory:
        """Nothing to clear."""
        return memory
