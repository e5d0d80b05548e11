"""Commanding a prior: a high-level policy whose actions are latents, as an actor among actors."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torch import Tensor

from embodied.networks import ActorCritic
from embodied.runs.errors import UserError
from embodied.skills.prior import SkillPrior
from embodied.vector_env import Observation

HOLD = 8
"""Control steps that a latent is held for: 6 Hz at 50 Hz. Peng et al. (2022) have 6 Hz, too, 5 steps at 30 Hz."""


def hold_of(config: Mapping[str, Any]) -> int:
    """Control steps that a run's latents are held for.

    Raises:
        UserError: its configuration was changed to something else.
    """
    hold = config.get("hold")
    if hold is not None and not (isinstance(hold, int) and hold >= 1):
        raise UserError(f"the run's config.yaml is damaged: hold is {hold!r}, and no number of control steps")
    return HOLD if hold is None else hold


class HeldLatents:
    """An `Actor` at the prior's pace: a policy's mean latent for some steps, and what the prior makes of it.

    In episodes that begin together it does what the policy does in a `LatentEnv`.
    """

    def __init__(self, policy: ActorCritic, prior: SkillPrior, hold: int = HOLD) -> None:
        """Begins with a new latent.

        Args:
            policy: its actions are latents.
            prior: frozen.
            hold: control steps between latents.
        """
        self._policy, self._prior, self._hold = policy, prior, hold
        self._step = 0
        self._latent: Tensor | None = None
        self._memory: tuple[Tensor, ...] = ()

    def __call__(self, observation: Observation) -> Tensor:
        """(W, n) Actions of the prior."""
        worlds = len(next(iter(observation.values())))
        if self._latent is None:
            self._memory = self._prior.initial_memory(worlds)
        if self._latent is None or self._step % self._hold == 0:
            self._latent = self._prior.project(self._policy(observation)[0].mean)
        self._step += 1
        actions, self._memory = self._prior.decode(observation, self._latent, self._memory)
        return actions
