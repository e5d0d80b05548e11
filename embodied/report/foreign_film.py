"""Videos of environments from elsewhere, as their own renderers draw them."""

from __future__ import annotations

import math
from pathlib import Path

import gymnasium
import numpy as np
import torch

from embodied.envs import ForeignEnv
from embodied.learning.evaluate import Actor
from embodied.report.film_file import film_file
from embodied.runs.errors import UserError

RATE = 25
"""Frames a second, about; and steps, where an environment does not tell how long they take."""


@torch.no_grad()
def film_foreign(env: ForeignEnv, actor: Actor, path: Path, seed: int, seconds: float) -> tuple[float, float]:
    """Films the first episode of an environment made with ``render_mode="rgb_array"``.

    Args:
        env: has one world.
        actor: chooses its actions.
        path: of the MP4 file; its folder is made.
        seed: of the episode.
        seconds: at most; the film also ends with the episode.

    Returns:
        Length, s, and the rewards' sum.

    Raises:
        UserError: the environment draws no pictures.
    """
    dt = env.control_dt if math.isfinite(env.control_dt) else 1 / RATE
    every = max(1, round(1 / (RATE * dt)))
    observation, _ = env.reset(seed)
    height, width = (side - side % 2 for side in _picture(env).shape[:2])
    total, steps = 0.0, 0
    with film_file(path, (width, height), max(1, round(1 / (every * dt))), block=2) as show:
        for step in range(max(1, round(seconds / dt))):
            if step % every == 0:
                show(_picture(env)[:height, :width])
            observation, _, terminated, truncated, info = env.step(actor(observation))
            total += float(info["terms"]["reward"][0])
            steps += 1
            if bool(terminated[0] | truncated[0]):
                break
    return steps * dt, total


def _picture(env: ForeignEnv) -> np.ndarray:
    try:
        picture = env.render()
    except gymnasium.error.DependencyNotInstalled as error:
        raise UserError(f"{env.name} cannot be drawn: {error}") from None
    if not isinstance(picture, np.ndarray) or picture.ndim != 3 or picture.shape[-1] != 3:
        raise UserError(f"{env.name} draws no pictures")
    return picture.astype(np.uint8, copy=False)
