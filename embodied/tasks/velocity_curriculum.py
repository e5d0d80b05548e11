"""The curriculum of the velocity task on uneven ground: each world's level follows what its robot can do.

After legged_gym: a robot that got far is sent to harder ground, one that did less than half of what was asked to
easier, one that masters the hardest to a level at random. There "far" is a straight distance from the start of half a
tile, for robots that hold a heading. Here commands turn robots in circles, so what counts is the way made along the
commanded direction, and the distance from the start need only show that the ground was met at all.
"""

from __future__ import annotations

from embodied.scenes.arrays import Array, library_of, whole

FOLLOWED = 0.8
"""Part of the commanded way from which on a level is mastered."""
FAILED = 0.5
"""Part of the commanded way below which a level is too hard. legged_gym."""
REACHED = 0.25
"""Part of the tile's side: how far from the start a robot must have been at some time for its level to count as met."""
FIRST_LEVELS = 0.5
"""Part of the levels, the easier ones, that worlds begin on. legged_gym, 5 of 10."""


def next_levels(
    levels: Array,
    asked: Array,
    followed: Array,
    reached: Array,
    count: int,
    tile: float,
    chance: Array,
) -> Array:
    """(k,) Levels of worlds whose episodes ended.

    Args:
        levels: (k,) those they were on.
        asked: (k,) way commanded, carried on to a whole episode where it ended early, m.
        followed: (k,) way made along the commanded direction, m.
        reached: (k,) farthest horizontal distance from the start, m.
        count: how many levels there are.
        tile: side of a tile, m.
        chance: (k,) uniform in [0, 1), for those that have mastered the last level.
    """
    up = (followed >= FOLLOWED * asked) & (reached >= REACHED * tile)
    down = (followed < FAILED * asked) & ~up
    moved = levels + up * 1 - down * 1
    return library_of(levels).where(moved >= count, whole(chance * count), moved.clip(min=0))


def first_levels(count: int, chance: Array) -> Array:
    """(k,) Levels of worlds that have not played yet, from (k,) numbers in [0, 1)."""
    return whole(chance * max(1, round(count * FIRST_LEVELS)))
