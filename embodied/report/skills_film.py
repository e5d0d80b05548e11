"""Films of a skill prior: latents side by side, each held by a robot of its own from the same start."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import imageio_ffmpeg
import numpy as np
import torch
from torch import Tensor

from embodied.envs import AutoresetEnv
from embodied.physics.camera import Camera
from embodied.report.video import viewing_distance
from embodied.skills.prior import SkillPrior
from morphologies import Body

RATE = 17
"""Frames in a second."""
GAP = 4
"""Pixels between pictures."""


@torch.no_grad()
def film_latents(
    env: AutoresetEnv,
    prior: SkillPrior,
    body: Body,
    latents: Tensor,
    path: Path,
    seed: int,
    seconds: float = 6.0,
    size: tuple[int, int] = (256, 192),
) -> float:
    """Films what every latent makes its world's robot do; how long the film is, s.

    Args:
        env: one world per latent, in which nothing but the robot is asked.
        prior: acts.
        body: its robot.
        latents: (W, L); pictures are laid out in rows as near to a square as can be.
        path: of the MP4 file; its folder is made.
        seed: of the episodes.
        seconds: of the film; an episode that ends begins again.
        size: of each picture, pixels; multiples of 16.

    Raises:
        NoGraphics: there is no off-screen OpenGL here.
    """
    entity = env.env.scene.entities[env.env.task.agents[0]]
    columns = int(np.ceil(np.sqrt(len(latents))))
    # Sixteen small pictures a frame: without shadows and smoothing they take a tenth of the time.
    camera = Camera(env.world, entity.bodies[0], *size, viewing_distance(body), shadows=0, samples=0)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.tmp.mp4")
    path.touch()  # a place that cannot be written is told by its own error, not by the encoder's
    every = max(1, round(1 / (RATE * env.control_dt)))
    frames = round(seconds / (every * env.control_dt))
    observation, _ = env.reset(seed)
    memory = prior.initial_memory(env.num_worlds)
    writer = None
    try:
        for _ in range(frames):
            picture = mosaic([camera.frame(world) for world in range(env.num_worlds)], columns)
            if writer is None:
                shape = (picture.shape[1], picture.shape[0])
                rate = round(1 / (every * env.control_dt))
                writer = imageio_ffmpeg.write_frames(str(temporary), shape, fps=rate, quality=6, macro_block_size=2)
                writer.send(None)
            writer.send(picture)
            for _ in range(every):
                actions, memory = prior.decode(observation, latents, memory)
                observation, _, terminated, truncated, _ = env.step(actions)
                memory = prior.clear(memory, terminated | truncated)
        if writer is not None:
            writer.close()
        temporary.replace(path)
    finally:
        if writer is not None:
            writer.close()
        camera.close()
        temporary.unlink(missing_ok=True)
    return frames * every * env.control_dt


def mosaic(pictures: Sequence[np.ndarray], columns: int) -> np.ndarray:
    """(…, …, 3) uint8 of pictures of one size in rows, a gap between them; what is left of the last row is dark."""
    height, width, _ = pictures[0].shape
    rows = -(-len(pictures) // columns)
    out = np.full((rows * (height + GAP) - GAP, columns * (width + GAP) - GAP, 3), 24, dtype=np.uint8)
    for number, picture in enumerate(pictures):
        top, left = (number // columns) * (height + GAP), (number % columns) * (width + GAP)
        out[top : top + height, left : left + width] = picture
    return out
