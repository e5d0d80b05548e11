"""What no training can be asked for, whatever command asks: refused by name before anything is written."""

from __future__ import annotations

import math
from typing import Protocol

from embodied.learning.ppo import PPOConfig
from embodied.networks import PolicyConfig
from embodied.runs.configuration import require_positive
from embodied.runs.errors import UserError

MAX_WORLDS = 65_536
"""More than any machine holds; a number beyond is a slip."""
MAX_SEED = 2**63


class Learning(Protocol):
    """The fields that commands which train have in common."""

    @property
    def steps(self) -> int: ...  # noqa: D102
    @property
    def worlds(self) -> int: ...  # noqa: D102
    @property
    def seed(self) -> int: ...  # noqa: D102
    @property
    def ppo(self) -> PPOConfig: ...  # noqa: D102
    @property
    def policy(self) -> PolicyConfig: ...  # noqa: D102


def refuse_impossible_learning(config: Learning) -> None:
    """Raises UserError naming the first field that no training can have."""
    ppo = config.ppo
    require_positive(config, "worlds", "ppo.rollout_steps", "ppo.minibatch", "ppo.epochs")
    refuse_impossible_seed(config.seed)
    if config.worlds > MAX_WORLDS:
        raise UserError(f"--worlds must be at most {MAX_WORLDS}, not {config.worlds}")
    for name in ("gamma", "gae_lambda"):
        if not 0 <= getattr(ppo, name) <= 1:
            raise UserError(f"--ppo.{name.replace('_', '-')} must lie between 0 and 1, not {getattr(ppo, name)}")
    for name in ("clip", "learning_rate", "adam_epsilon", "max_gradient_norm", "kl_stop"):
        if not (math.isfinite(getattr(ppo, name)) and getattr(ppo, name) > 0):
            raise UserError(f"--ppo.{name.replace('_', '-')} must be above 0 and finite, not {getattr(ppo, name)}")
    if not ppo.value_clip > 0:
        raise UserError(f"--ppo.value-clip must be above 0, inf for no clip, not {ppo.value_clip}")
    for name in ("final_learning_rate", "kl_target"):
        if not (math.isfinite(getattr(ppo, name)) and getattr(ppo, name) >= 0):
            raise UserError(f"--ppo.{name.replace('_', '-')} must be 0 or above and finite, not {getattr(ppo, name)}")
    if not config.policy.hidden or min(config.policy.hidden) < 1:
        raise UserError(f"--policy.hidden must be sizes of at least 1, not {config.policy.hidden}")
    samples = config.worlds * ppo.rollout_steps
    if config.steps <= samples:
        raise UserError(
            f"--steps must be above one rollout, {config.worlds} worlds x {ppo.rollout_steps} steps = {samples}: the "
            f"first only fills the normalisers, and {config.steps} steps would learn nothing"
        )


def refuse_impossible_seed(seed: int) -> None:
    """Raises UserError for a seed that no generator takes."""
    if not 0 <= seed < MAX_SEED:
        raise UserError(f"--seed must lie between 0 and 2^63 - 1, not {seed}")
