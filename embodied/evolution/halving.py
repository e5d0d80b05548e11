"""Asynchronous successive halving: lifetimes whose curve is hopeless are cut short. Li et al. (2020), stopping variant.

At each rung a lifetime is compared with all that reached the rung before it, and goes on if it is among the best one in
``factor``. Nobody waits. What was decided is recorded: truncation changes who wins.
"""

from __future__ import annotations

import math

RUNGS = 2
"""At most; with a factor of 3 at a ninth and a third of a lifetime."""


def rungs(steps: int, samples: int, factor: int) -> tuple[int, ...]:
    """Environment steps at which lifetimes are compared; whole rollouts, and not before the third.

    Args:
        steps: of a whole lifetime.
        samples: environment steps of one rollout.
        factor: between two rungs.
    """
    found = []
    for exponent in range(RUNGS, 0, -1):
        at = math.ceil(steps / factor**exponent / samples) * samples
        if 3 * samples <= at < steps and at not in found:
            found.append(at)
    return tuple(found)


def goes_on(value: float | None, reached: list[float], factor: int) -> bool:
    """Whether a lifetime passes a rung.

    Args:
        value: its recent fitness; None, and it passes, where no episode has ended yet.
        reached: the values of all that reached this rung before.
        factor: one in so many passes.
    """
    if value is None:
        return True
    better = sum(other > value for other in reached)
    return better < math.ceil((len(reached) + 1) / factor)
