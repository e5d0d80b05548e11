"""M actor-critics of one shape as one, and the way to and from single ones."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from embodied.learning.stacked.normaliser import StackedNormaliser
from embodied.networks import ActorCritic
from embodied.networks.stacked import StackedGroupNetwork
from embodied.vector_env import Observation


class StackedPolicy:
    """Parameters of M policies in one tensor (M, P), a row per member in the order of `ActorCritic.parameters`.

    Observations come as (M, N, size) by group.
    """

    def __init__(self, members: Sequence[ActorCritic], device: torch.device) -> None:
        """Copies the members, which must have one shape.

        Raises:
            ValueError: they have not.
        """
        self.shape = members[0].shape
        if any(member.shape != self.shape for member in members):
            raise ValueError("only policies of one shape can be stacked")
        self.members = len(members)
        self.device = device
        sizes = {name: parameter.shape for name, parameter in members[0].named_parameters()}
        self.flat = torch.zeros(self.members, sum(size.numel() for size in sizes.values()), device=device)
        """(M, P)."""
        self.parameters: dict[str, Tensor] = {}
        """(M, …) views of it, by the names they have in an `ActorCritic`."""
        start = 0
        for name, size in sizes.items():
            self.parameters[name] = self.flat[:, start : start + size.numel()].view(self.members, *size)
            start += size.numel()
        self.normalisers = {
            name: StackedNormaliser(self.members, size, device) for name, size in self.shape.groups.items()
        }
        self.log_std = self.parameters["log_std"]
        """(M, n)."""
        self.actor = StackedGroupNetwork(tuple(self.shape.actor_sizes), below("actor.", self.parameters))
        self.critic = StackedGroupNetwork(tuple(self.shape.critic_sizes), below("critic.", self.parameters))
        for number, member in enumerate(members):
            self.load_member(number, member.state_dict())

    def means(self, observation: Observation) -> Tensor:
        """(M, N, n) Mean actions for raw observations of the actor's groups."""
        seen = {name: self.normalisers[name](observation[name]) for name in self.actor.groups}
        return self.actor.run(seen)[0]

    def values(self, normalised: Mapping[str, Tensor]) -> Tensor:
        """(M, N) Expected discounted returns, in scaled rewards, from normalised observations."""
        return self.critic.run(normalised)[0].squeeze(-1)

    def by_member(self, observation: Observation) -> Observation:
        """Observations of W worlds, (W, size) by group, as (M, k, size): world w is of member w // k."""
        return {name: group.view(self.members, -1, group.shape[-1]) for name, group in observation.items()}

    def member_state(self, member: int) -> dict[str, Tensor]:
        """What ``state_dict`` of that member as an `ActorCritic` holds."""
        state = {name: parameter[member] for name, parameter in self.parameters.items()}
        for group, normaliser in self.normalisers.items():
            state |= {f"normalisers.{group}.{name}": t for name, t in normaliser.member_state(member).items()}
        return state

    def load_member(self, member: int, state: Mapping[str, Tensor]) -> None:
        """Takes the ``state_dict`` of an `ActorCritic` of the same shape into one row."""
        for name, parameter in self.parameters.items():
            if state[name].shape != parameter.shape[1:]:
                raise ValueError(f"{name} is {tuple(state[name].shape)}; expected {tuple(parameter.shape[1:])}")
            parameter[member].copy_(state[name])
        for group, normaliser in self.normalisers.items():
            normaliser.load_member(member, below(f"normalisers.{group}.", state))

    def member(self, member: int) -> ActorCritic:
        """A copy of one member as a policy of its own, on the CPU."""
        policy = ActorCritic(self.shape, torch.Generator())
        policy.load_state_dict({name: tensor.cpu() for name, tensor in self.member_state(member).items()})
        return policy


def below(prefix: str, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Those whose names begin with the prefix, by the rest of their names."""
    return {name.removeprefix(prefix): tensor for name, tensor in tensors.items() if name.startswith(prefix)}
