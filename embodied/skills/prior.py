"""SkillPrior: a frozen low-level policy that is commanded through a latent; what ASE and VQ-PMC have in common.

A high-level policy chooses latents, the prior turns each, with what the robot measures, into actions. Whoever commands
a prior needs no more of it than is said here.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol, runtime_checkable

import gymnasium
import torch
from torch import Tensor

from embodied.networks import Memory
from embodied.senses import Term
from embodied.vector_env import Observation


@runtime_checkable
class SkillPrior(Protocol):
    """A repertoire of one robot. It never learns, and draws nothing by itself: the same input gives the same action."""

    @property
    def robot(self) -> str:
        """Name of the registered robot that it moves."""
        ...

    @property
    def latent_space(self) -> gymnasium.spaces.Box:
        """Of one world's command: what a high-level policy may say. `project` takes all of it."""
        ...

    @property
    def action_space(self) -> gymnasium.spaces.Box:
        """Of one world's action, as the environment takes it."""
        ...

    @property
    def observation_spec(self) -> Mapping[str, tuple[Term, ...]]:
        """The terms of each observation group that `decode` reads, in their order: only what a robot measures."""
        ...

    @property
    def control_dt(self) -> float:
        """Time between two decisions, s; it was trained at this pace."""
        ...

    def sample(self, n: int, generator: torch.Generator | None = None) -> Tensor:
        """(n, L) Latents as they were drawn in training; each is a skill."""
        ...

    def project(self, latent: Tensor) -> Tensor:
        """(…, L) The nearest latent that is a skill, for any command of `latent_space`; skills stay what they are."""
        ...

    def decode(self, obs: Observation, latent: Tensor, memory: Memory = ()) -> tuple[Tensor, Memory]:
        """Actions (W, n), and the next memory.

        Args:
            obs: (W, …) by group, with those of `observation_spec`; others are not looked at.
            latent: (W, L) Skills, as `sample` or `project` give them.
            memory: what the last call gave, or `initial_memory`.
        """
        ...

    def initial_memory(self, num_worlds: int) -> Memory:
        """The memory at the start of an episode; empty for a prior without any."""
        ...

    def clear(self, memory: Memory, mask: Tensor) -> Memory:
        """The memory with the worlds of the mask (W,) begun anew."""
        ...


@runtime_checkable
class StyledPrior(SkillPrior, Protocol):
    """A prior that can tell how much a movement looks like the motions it was made from."""

    @property
    def window_steps(self) -> int:
        """Control steps of a window."""
        ...

    def style_reward(self, window: Tensor) -> Tensor:
        """(…) At least 0, more for better likeness.

        Args:
            window: (…, window_steps, F) of the observation group ``style``, the latest last.
        """
        ...
