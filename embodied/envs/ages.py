"""Ages: the first episodes of a training begun as if some of their time were over already.

Episodes that all begin together reach their time limit together, again and again: one rollout then sees only starts,
and the next none. Cut off at random times at first, they are spread over all ages ever after, as legged_gym and rsl_rl
do it, whose own log too has first episodes as short as they were.
"""

from __future__ import annotations

import torch

from embodied.vector_env import VectorEnv


def spread_ages(env: VectorEnv, generator: torch.Generator) -> None:
    """Gives each world's episode, just begun, an age drawn evenly from 0 to the time limit.

    Such an episode is among those that ended as what it was: its length is that of the steps made, its return what came
    together in them. So as long as first episodes end, for one time limit, mean lengths and returns are too low.

    Args:
        env: has a time limit that is known.
        generator: on the CPU.
    """
    if env.episode_steps is None:
        raise ValueError("ages are spread up to a time limit, and that of this environment is not known")
    env.episode_length.copy_(torch.randint(env.episode_steps, (env.num_worlds,), generator=generator))
