"""Ages: the first episodes of a training begun as if some of their time were over already.

Episodes that all begin together reach their time limit together, again and again: one rollout then sees only starts,
and the next none. Cut off at random times at first, they are spread over all ages ever after, as legged_gym and rsl_rl
do it.
"""

from __future__ import annotations

from typing import Any

import torch


def spread_ages(env: Any, generator: torch.Generator) -> None:
    """Gives each world's episode, just begun, an age drawn evenly from 0 to the time limit.

    Args:
        env: a `VectorEnv` with an ``episode_steps`` and a writable ``episode_length``.
        generator: on the CPU.
    """
    env.episode_length.copy_(torch.randint(env.episode_steps, (env.num_worlds,), generator=generator))
