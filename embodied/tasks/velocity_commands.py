"""Commands of the velocity task: what a joystick would ask of a body, drawn at random."""

from __future__ import annotations

from embodied.scenes.arrays import Array, library_of

MAX_COMMAND = (1.0, 0.5, 1.0)
"""Forward and to the left, m/s, and yaw rate, rad/s: commands are uniform within ± these. legged_gym has 1, 1, 1."""
RESAMPLING_TIME = 10.0
"""s between a world's commands. legged_gym."""
STANDING = 0.1
"""Part of the commands that ask for nothing but standing still. mjlab."""


def commands_of(chance: Array) -> Array:
    """(W, 3) Commands from (W, 4) numbers that are uniform in [0, 1)."""
    walking = (chance[:, 3] >= STANDING) * 1.0
    drawn = (2.0 * chance - 1.0) * walking[:, None]
    return library_of(chance).stack([drawn[:, axis] * bound for axis, bound in enumerate(MAX_COMMAND)], 1)
