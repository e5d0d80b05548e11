"""The networks of ASE: an actor with a style network, a critic without, a discriminator with an encoder on its trunk.

Peng et al. (2022), section 6 and appendix A; initial weights are those of the released code. Everything is drawn from a
generator that is given.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional

from embodied.networks import RunningNormaliser

STYLE_RANGE, LOGIT_RANGE, ENCODER_RANGE = 1.0, 1.0, 0.1
"""Uniform ± of the last weights of style network, discriminator and encoder. ASE."""
FLAT = math.sqrt(1.0 / 6.0)
"""Gain of the discriminator's trunk, which makes its first weights uniform within 1 / √inputs, as torch and ASE do:
its first slopes are then of the size that the gradient penalty allows."""


def layer(inputs: int, outputs: int, generator: torch.Generator, span: float | None = None) -> nn.Linear:
    """A linear layer without bias at first, weights uniform within ± ``span``.

    By default √(6 / inputs), after which a rectifier keeps the size of what comes in. He et al. (2015). ASE has 1 /
    √inputs, torch's own: through three layers a latent is then hardly felt any more.
    """
    made = nn.Linear(inputs, outputs, device="meta").to_empty(device="cpu")  # torch would draw from its own generator
    span = math.sqrt(6.0 / inputs) if span is None else span
    nn.init.uniform_(made.weight, -span, span, generator=generator)
    nn.init.zeros_(made.bias)
    return made


class Trunk(nn.Module):
    """Linear layers, each followed by a rectifier."""

    def __init__(self, inputs: int, hidden: Sequence[int], generator: torch.Generator, gain: float = 1.0) -> None:
        """Draws the weights, ``gain`` times as large as those of `layer`."""
        super().__init__()
        sizes = pairwise((inputs, *hidden))
        self.layers = nn.ModuleList(layer(n, m, generator, gain * math.sqrt(6.0 / n)) for n, m in sizes)
        self.outputs = (inputs, *hidden)[-1]

    def forward(self, inputs: Tensor) -> Tensor:
        """(…, outputs)."""
        for each in self.layers:
            inputs = functional.relu(each(inputs))
        return inputs


class SkillDecoder(nn.Module):
    """What a prior's user runs: from what a robot measures, and a latent, to an action. Its normalisers are inside."""

    def __init__(
        self,
        groups: Mapping[str, int],
        latent: int,
        actions: int,
        hidden: Sequence[int],
        style_hidden: Sequence[int],
        style: int,
        generator: torch.Generator,
    ) -> None:
        """Draws the weights.

        Args:
            groups: sizes of the observation groups that it reads, in the order in which they are joined.
            latent, actions: lengths.
            hidden, style_hidden: layer sizes of actor and style network.
            style: length of what the style network hands to the actor.
            generator: of the initial weights.
        """
        super().__init__()
        self.groups = tuple(groups)
        self.normalisers = nn.ModuleDict({name: RunningNormaliser(size) for name, size in groups.items()})
        self.style_trunk = Trunk(latent, style_hidden, generator)
        self.style = layer(self.style_trunk.outputs, style, generator, STYLE_RANGE)
        self.trunk = Trunk(sum(groups.values()) + style, hidden, generator)
        self.mean = layer(self.trunk.outputs, actions, generator, math.sqrt(1.0 / self.trunk.outputs))

    def forward(self, observation: Mapping[str, Tensor], latent: Tensor) -> Tensor:
        """(…, actions) Mean actions for observations (…, size) by group and latents (…, L)."""
        return self.act({name: self.normalisers[name](observation[name]) for name in self.groups}, latent)

    def act(self, normalised: Mapping[str, Tensor], latent: Tensor) -> Tensor:
        """The same from observations that are normalised already."""
        style = torch.tanh(self.style(self.style_trunk(latent)))
        return self.mean(self.trunk(torch.cat([*(normalised[name] for name in self.groups), style], dim=-1)))


class SkillCritic(nn.Module):
    """The value of what is seen under a latent. No style network, deliberately: so has ASE."""

    def __init__(
        self, groups: Mapping[str, int], latent: int, hidden: Sequence[int], generator: torch.Generator
    ) -> None:
        super().__init__()
        self.groups = tuple(groups)
        self.trunk = Trunk(sum(groups.values()) + latent, hidden, generator)
        self.value = layer(self.trunk.outputs, 1, generator, 1.0 / math.sqrt(self.trunk.outputs))

    def forward(self, normalised: Mapping[str, Tensor], latent: Tensor) -> Tensor:
        """(…) In units of the value normaliser, from normalised observations (…, size) and latents (…, L)."""
        seen = torch.cat([*(normalised[name] for name in self.groups), latent], dim=-1)
        return self.value(self.trunk(seen)).squeeze(-1)


class Discriminator(nn.Module):
    """Tells clips from the agent, and, on the same trunk, the latent from the movement."""

    def __init__(self, features: int, latent: int, hidden: Sequence[int], generator: torch.Generator) -> None:
        """Draws the weights; ``features`` is the length of a window laid flat."""
        super().__init__()
        self.trunk = Trunk(features, hidden, generator, FLAT)
        self.logit = layer(self.trunk.outputs, 1, generator, LOGIT_RANGE)
        self.encoder = layer(self.trunk.outputs, latent, generator, ENCODER_RANGE)

    def forward(self, windows: Tensor) -> tuple[Tensor, Tensor]:
        """Logits (…), positive for clips, and latents (…, L) of unit length, for normalised windows (…, features)."""
        seen = self.trunk(windows)
        return self.logit(seen).squeeze(-1), functional.normalize(self.encoder(seen), dim=-1)

    def logits(self, windows: Tensor) -> Tensor:
        """(…) The logits alone."""
        return self.logit(self.trunk(windows)).squeeze(-1)

    def trunk_weights(self) -> list[Tensor]:
        """Weights that the decay holds small: the trunk's and the last ones before the logit."""
        return [*(each.weight for each in self.trunk.layers), self.logit.weight]  # type: ignore[misc]
