"""Films of a skill prior: latents side by side, each held by a robot of its own from the same start."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import matplotlib.image
import numpy as np
import torch
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from torch import Tensor

from embodied.envs import AutoresetEnv
from embodied.physics.camera import Camera
from embodied.report.film_file import film_file
from embodied.report.video import viewing_distance
from embodied.scenes import EntityView
from embodied.scenes.frames import from_yaw
from embodied.skills.prior import SkillPrior
from morphologies import Body

RATE = 17
"""Frames in a second."""
STILL = 1.5
"""Moment of the picture that stands for the film, s; its last one where it is shorter."""
FACING = -0.9
"""Heading at the start, rad: to the right and a little towards the eye."""
NEARER = 0.7
"""Of the distance from which bodies are filmed as a rule: pictures are small."""
GAP, WORDS = 4, 22
"""Pixels between pictures, and of the line of words below each."""
DARK, LIGHT = 24, 225
"""Grey of what is between pictures, and of words on it."""


@dataclass(frozen=True)
class LatentsFilm:
    """A film and a picture of it."""

    path: Path
    still: Path
    """A PNG file."""
    size: tuple[int, int]
    """Width and height, pixels."""
    seconds: float
    falls: tuple[int, ...]
    """Of each latent's robot, times that it fell and began again."""


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
    words: Sequence[str] = (),
) -> LatentsFilm:
    """Films what every latent makes its world's robot do.

    Args:
        env: one world per latent, in which nothing is asked; episodes begin at rest, upright.
        prior: acts.
        body: its robot.
        latents: (W, L); pictures are laid out in rows as near to a square as can be.
        path: of the MP4 file; its folder is made. The still lies beside it.
        seed: of the episodes.
        seconds: of the film; an episode that ends begins again.
        size: of each picture, pixels; even.
        words: below each latent's picture.

    Raises:
        NoGraphics: there is no off-screen OpenGL here.
    """
    entity = env.env.scene.entities[env.env.task.agents[0]]
    view = entity.view(env.world)
    columns = int(np.ceil(np.sqrt(len(latents))))
    # Sixteen small pictures a frame: without shadows and smoothing they take a tenth of the time.
    camera = Camera(env.world, entity.bodies[0], *size, NEARER * viewing_distance(body), shadows=0, samples=0)
    lines = [line_of(each, size[0]) for each in words]
    every = max(1, round(1 / (RATE * env.control_dt)))
    frames = round(seconds / (every * env.control_dt))
    falls = torch.zeros(env.num_worlds, dtype=torch.int64)
    still = np.zeros(0)
    with closing(camera):

        def frame() -> np.ndarray:
            pictures = [camera.frame(world) for world in range(env.num_worlds)]
            if lines:
                pictures = [np.concatenate(pair) for pair in zip(pictures, lines, strict=True)]
            return mosaic(pictures, columns)

        observation, _ = env.reset(seed)
        face(view, torch.ones(env.num_worlds, dtype=torch.bool))
        memory = prior.initial_memory(env.num_worlds)
        height, width, _ = frame().shape
        with film_file(path, (width, height), round(1 / (every * env.control_dt)), block=2) as show:
            for number in range(frames):
                picture = frame()
                show(picture)
                if number * every * env.control_dt <= STILL:
                    still = picture
                for _ in range(every):
                    actions, memory = prior.decode(observation, latents, memory)
                    observation, _, terminated, truncated, _ = env.step(actions)
                    memory = prior.clear(memory, terminated | truncated)
                    falls += terminated
                    if bool((terminated | truncated).any()):
                        face(view, terminated | truncated)
    matplotlib.image.imsave(path.with_suffix(".png"), still)
    return LatentsFilm(
        path, path.with_suffix(".png"), (width, height), frames * every * env.control_dt, tuple(falls.tolist())
    )


def face(view: EntityView, begun: Tensor) -> None:
    """Turns robots that begin, (W,) bool, to one heading, which a prior does not feel: so films can be compared."""
    heading = from_yaw(torch.full((len(begun),), FACING, dtype=torch.float64))
    view.set_root_pose(torch.cat((view.root_pos, heading), dim=-1), begun)
    view.world.forward(begun)


def mosaic(pictures: Sequence[np.ndarray], columns: int) -> np.ndarray:
    """(…, …, 3) uint8 of pictures of one size in rows, a gap between them; what is left of the last row is dark."""
    height, width, _ = pictures[0].shape
    rows = -(-len(pictures) // columns)
    out = np.full((rows * (height + GAP) - GAP, columns * (width + GAP) - GAP, 3), DARK, dtype=np.uint8)
    for number, picture in enumerate(pictures):
        top, left = (number // columns) * (height + GAP), (number % columns) * (width + GAP)
        out[top : top + height, left : left + width] = picture
    return out


def line_of(words: str, width: int) -> np.ndarray:
    """(WORDS, width, 3) uint8: words, light on dark, cut where they do not fit."""
    figure = Figure(figsize=(width / 100, WORDS / 100), dpi=100, facecolor=str(DARK / 255))
    canvas = FigureCanvasAgg(figure)
    figure.text(5 / width, 0.5, words, va="center_baseline", size=8.5, color=str(LIGHT / 255), parse_math=False)
    canvas.draw()
    return np.asarray(canvas.buffer_rgba())[..., :3].copy()
