"""Videos: a body moving in its task, drawn off screen."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import torch

from embodied.envs import AutoresetEnv
from embodied.learning.evaluate import Actor
from embodied.physics.camera import DISTANCE, Camera
from embodied.report.film_file import film_file
from morphologies import Body


@dataclass(frozen=True)
class Filmed:
    """What a video shows."""

    path: Path
    seconds: float
    distance: float
    """Forward distance from start to end of the film, m."""
    speed: float
    """Mean, m/s."""


def viewing_distance(body: Body) -> float:
    """From where a body fills a good part of the picture, m."""
    return 0.8 + 2.4 * body.description.reach


@torch.no_grad()
def film(
    env: AutoresetEnv,
    actor: Actor,
    path: Path,
    seed: int,
    seconds: float = 20.0,
    size: tuple[int, int] = (640, 480),
    frames_per_second: int = 25,
    distance: float = DISTANCE,
) -> Filmed:
    """Films the first episode of the environment's first world.

    Args:
        env: has one world.
        actor: chooses its actions.
        path: of the MP4 file; its folder is made.
        seed: of the episode.
        seconds: at most; the film also ends with the episode.
        size: width and height, pixels; multiples of 16.
        frames_per_second: of the film.
        distance: of the eye from the body, m.

    Raises:
        NoGraphics: there is no off-screen OpenGL here.
    """
    entity = env.env.scene.entities[env.env.task.agents[0]]
    view = entity.view(env.world)
    camera = Camera(env.world, entity.bodies[0], *size, distance)
    every = max(1, round(1 / (frames_per_second * env.control_dt)))
    observation, _ = env.reset(seed)
    start = x = float(view.root_pos[0, 0])
    steps = 0
    with closing(camera), film_file(path, size, round(1 / (every * env.control_dt))) as show:
        for step in range(round(seconds / env.control_dt)):
            if step % every == 0:
                show(camera.frame(0))
            observation, _, terminated, truncated, _ = env.step(actor(observation))
            steps += 1
            if bool(terminated[0] | truncated[0]):
                break
            x = float(view.root_pos[0, 0])
    return Filmed(path, steps * env.control_dt, x - start, (x - start) / (steps * env.control_dt))
