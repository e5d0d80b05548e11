"""Commands of the velocity task: what a joystick would ask of a body, drawn at random."""

from __future__ import annotations

import numpy as np
import torch

MAX_COMMAND = (1.0, 0.5, 1.0)
"""Forward and to the left, m/s, and yaw rate, rad/s: commands are uniform within ± these. legged_gym has 1, 1, 1."""
RESAMPLING_TIME = 10.0
"""s between a world's commands. legged_gym."""
STANDING = 0.1
"""Part of the commands that ask for nothing but standing still. mjlab."""


def draw_commands(num_worlds: int, generator: torch.Generator) -> np.ndarray:
    """(W, 3) Fresh commands."""
    chance = torch.rand(num_worlds, 4, dtype=torch.float64, generator=generator).numpy()
    commands = (2.0 * chance[:, :3] - 1.0) * MAX_COMMAND
    commands[chance[:, 3] < STANDING] = 0.0
    return commands
