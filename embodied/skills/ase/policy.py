"""SkillPolicy: all that an ASE pre-training learns, with its normalisers, in one module that is stored as one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, cast

import gymnasium
import torch
from torch import Tensor, nn

from embodied.networks import RunningNormaliser
from embodied.networks.policy import PRIVILEGED
from embodied.skills.ase.config import ASEConfig
from embodied.skills.ase.networks import Discriminator, SkillCritic, SkillDecoder
from embodied.vector_env import Observation

STYLE = "style"
"""The observation group that discriminator and encoder look at."""


@dataclass(frozen=True)
class SkillShape:
    """All that fixes the form of a `SkillPolicy`; stored beside its weights."""

    actor_groups: dict[str, int]
    """Sizes of the observation groups that the actor reads: what a robot measures."""
    critic_groups: dict[str, int]
    """Those of the critic."""
    style_features: int
    """Length of a frame of the group ``style``."""
    actions: int
    window: int
    latent: int
    hidden: tuple[int, ...]
    style_hidden: tuple[int, ...]
    style: int
    discriminator_hidden: tuple[int, ...]

    @classmethod
    def for_spaces(
        cls, observation_space: gymnasium.spaces.Dict, action_space: gymnasium.spaces.Box, config: ASEConfig
    ) -> SkillShape:
        """The shape for an environment's spaces; without a group ``style`` there is nothing to learn from."""
        groups = {name: cast(tuple[int], space.shape)[0] for name, space in observation_space.spaces.items()}
        features = groups.pop(STYLE)
        return cls(
            {name: size for name, size in groups.items() if name != PRIVILEGED},
            groups,
            features,
            action_space.shape[0],
            config.window,
            config.latent,
            config.hidden,
            config.style_hidden,
            config.style,
            config.discriminator_hidden,
        )

    def as_dict(self) -> dict[str, Any]:
        """Plain data for a JSON file."""
        return asdict(self)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> SkillShape:
        """Reads `as_dict` back."""
        tuples = {name: tuple(data[name]) for name in ("hidden", "style_hidden", "discriminator_hidden")}
        return cls(**{**data, **tuples})


class SkillPolicy(nn.Module):
    """Decoder, critic, and discriminator with encoder."""

    low: Tensor
    high: Tensor
    spread: Tensor

    def __init__(
        self,
        shape: SkillShape,
        generator: torch.Generator,
        bounds: tuple[Tensor, Tensor] | None = None,
        spread: Tensor | None = None,
    ) -> None:
        """Draws initial weights.

        Args:
            shape: of everything.
            generator: where the weights come from.
            bounds: lowest and highest actions that joints can follow, (n,) each; ±1 by default.
            spread: (n,) standard deviation over the clips of the actions that would hold their joints; 1 by default.
        """
        super().__init__()
        self.shape = shape
        sizes = (shape.hidden, shape.style_hidden, shape.style)
        self.decoder = SkillDecoder(shape.actor_groups, shape.latent, shape.actions, *sizes, generator)
        unread = {name: size for name, size in shape.critic_groups.items() if name not in shape.actor_groups}
        self.normalisers = nn.ModuleDict({name: RunningNormaliser(size) for name, size in unread.items()})
        self.critic = SkillCritic(shape.critic_groups, shape.latent, shape.hidden, generator)
        self.style_normaliser = RunningNormaliser(shape.style_features)
        self.value_normaliser = RunningNormaliser(1, clip=float("inf"))
        flat = shape.window * shape.style_features
        self.discriminator = Discriminator(flat, shape.latent, shape.discriminator_hidden, generator)
        low, high = bounds or (-torch.ones(shape.actions), torch.ones(shape.actions))
        self.register_buffer("low", low.clone())
        self.register_buffer("high", high.clone())
        self.register_buffer("spread", torch.ones(shape.actions) if spread is None else spread.clone())

    def normaliser(self, group: str) -> RunningNormaliser:
        """Of an observation group that actor or critic reads."""
        found = self.decoder.normalisers if group in self.decoder.groups else self.normalisers
        return cast(RunningNormaliser, found[group])

    def normalise(self, observation: Observation) -> Observation:
        """The groups that actor or critic read, normalised."""
        return {name: self.normaliser(name)(observation[name]) for name in self.shape.critic_groups}

    def normalised_windows(self, windows: Tensor) -> Tensor:
        """(…, window · F) What discriminator and encoder take, from windows (…, window, F)."""
        return self.style_normaliser(windows).flatten(-2)

    def value(self, normalised: Observation, latent: Tensor) -> Tensor:
        """(…) Expected discounted reward, from what `normalise` gave."""
        norm = self.value_normaliser
        value = self.critic(normalised, latent).double()
        return (value * (norm.variance + norm.epsilon).sqrt() + norm.mean).float()

    def in_ranges(self, actions: Tensor) -> Tensor:
        """(…, n) Actions in units in which the ranges that joints can follow are ±1."""
        return (actions - 0.5 * (self.high + self.low)) / (0.5 * (self.high - self.low))

    def in_spreads(self, actions: Tensor) -> Tensor:
        """(…, n) Actions, cut to the joints' ranges, in units of how far clips spread about their mean posture.

        ASE has half the range of a joint as unit for both; a quadruped uses so little of its hips' ranges that actions
        as different as latents are would be none that any clip has.
        """
        return torch.maximum(torch.minimum(actions, self.high), self.low) / self.spread

    @property
    def unseen(self) -> bool:
        """Whether the normalisers have no statistics yet."""
        return float(self.style_normaliser.count) == 0
