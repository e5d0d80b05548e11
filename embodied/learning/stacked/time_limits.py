"""Final observations of episodes that a time limit cut off, and their values, without asking which they are.

The bootstrap is exact, as in `collect`: the value of the true last observation, by the policy of the rollout. Looking
up the worlds that were cut off would make the host wait for the device at every step, and storing every step's final
observation would cost as much memory as all observations do. An environment that cuts episodes at a known length cuts
each world at most ceil(T / length) times in T steps: so many observations per world are kept, and the critic reads them
once, at the end. Usually that is one, a T-th of the memory and of the critic's work.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from embodied.learning.stacked.experience import StackedExperience
from embodied.learning.stacked.policy import StackedPolicy
from embodied.vector_env import Observation

FEW = 4
"""Places per world up to which they are filled by looking at each; beyond, each step has its own."""


class FinalObservations:
    """Places for the final observations of a rollout."""

    def __init__(self, policy: StackedPolicy, experience: StackedExperience, episode_steps: int | None) -> None:
        """Allocates.

        Args:
            policy: whose critic they are for.
            experience: which they belong to.
            episode_steps: at which the environment truncates, and not before; None where it may do so at any step.
        """
        steps, worlds, device = experience.steps, experience.num_worlds, policy.device
        places = steps if episode_steps is None else math.ceil(steps / episode_steps)
        self._place_per_step = places > FEW
        self.places = steps if self._place_per_step else places
        """K, per world."""
        self.observation = {
            name: torch.zeros(self.places, worlds, size, device=device)
            for name, size in policy.shape.critic_sizes.items()
        }
        """(K, W, size) by group that the critic reads."""
        self.taken = torch.zeros(worlds, dtype=torch.int64, device=device)
        """(W,) How often each world was cut off so far. More than K is a broken promise of the environment."""

    def clear(self) -> None:
        """A rollout begins. What was kept is overwritten or not looked at."""
        self.taken.zero_()

    def write(self, step: int, truncated: Tensor, final: Observation) -> None:
        """Keeps the final observations (W, size) of the worlds that were cut off (W,) in this step."""
        if self._place_per_step:
            for name, kept in self.observation.items():
                kept[step].copy_(final[name])
            return
        for place in range(self.places):
            here = (truncated & (self.taken == place)).unsqueeze(1)
            for name, kept in self.observation.items():
                torch.where(here, final[name], kept[place], out=kept[place])
        self.taken.add_(truncated)

    def values(self, policy: StackedPolicy, experience: StackedExperience) -> Tensor:
        """(T, W) Their values where an episode was cut off, 0 elsewhere."""
        seen = {name: policy.normalisers[name](experience.of_members(kept)) for name, kept in self.observation.items()}
        values = policy.values(seen).unflatten(1, (self.places, -1)).transpose(0, 1).flatten(1, 2)
        if not self._place_per_step:
            place = experience.truncated.cumsum(dim=0).sub_(1).clamp_(0, self.places - 1)
            values = values.gather(0, place)
        return values.masked_fill(~experience.truncated, 0.0)

    @property
    def overfull(self) -> Tensor:
        """() bool: whether a world was cut off more often than there are places."""
        return (self.taken > self.places).any()
