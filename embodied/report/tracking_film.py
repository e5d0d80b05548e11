"""Films of an imitation: clips as the robot tracks them, and, faintly in the same picture, as they are."""

from __future__ import annotations

from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path

import matplotlib.image
import torch

from embodied.envs import make
from embodied.learning.evaluate import Actor
from embodied.motion.library import MotionLibrary
from embodied.physics.camera import Camera
from embodied.physics.cpu import CpuWorld
from embodied.report.film_file import film_file
from embodied.report.video import viewing_distance
from embodied.scenes import EntityView
from embodied.skills.tracking import TrackingConfig, TrackingTask
from morphologies import Body

RATE = 17
"""Pictures in a second."""
SECONDS = 3.0
"""Of a film, at most."""
STILL = 1.0
"""Moment of the picture that stands for a film, s; its last one where it is shorter."""
NEARER = 0.6
"""Of the distance from which bodies are filmed as a rule: what is to be seen are small differences."""


@dataclass(frozen=True)
class TrackedFilm:
    """A clip on film."""

    clip: str
    path: Path
    still: Path
    """A PNG file: a picture of it."""
    seconds: float
    lost: bool
    """Whether the film ends because the clip was lost."""


@torch.no_grad()
def film_tracked(
    library: MotionLibrary,
    config: TrackingConfig,
    body: Body,
    actor: Actor,
    folder: Path,
    size: tuple[int, int] = (352, 256),
    samples: int = 0,
) -> list[TrackedFilm]:
    """Films every clip of a library from its beginning: to its end, until it is lost, or for `SECONDS`.

    Args:
        library: of the clips to film, of that body.
        config: of the task.
        body: the robot.
        actor: chooses its actions.
        folder: where films and stills go, an MP4 and a PNG file with the name of each clip.
        size: width and height, pixels; multiples of 16.
        samples: of a pixel against stairs; four take twice the time of none.

    Raises:
        NoGraphics: there is no off-screen OpenGL here.
    """
    count = len(library)
    env = make(TrackingTask(library, config, each=True), body, count, threads=1)
    entity = env.env.scene.entities["robot"]
    with ExitStack() as held:
        held.callback(env.close)
        reference = held.enter_context(closing(CpuWorld(env.env.scene, count, threads=1)))
        ghost = entity.view(reference)
        camera = Camera(env.world, entity.bodies[0], *size, NEARER * viewing_distance(body), 1024, samples)
        held.callback(camera.close)
        every = max(1, round(1 / (RATE * env.control_dt)))
        paths = [folder / f"{name}.mp4" for name in library.names]
        shows = [held.enter_context(film_file(path, size, round(1 / (every * env.control_dt)))) for path in paths]
        steps, lost, stills = [0] * count, [False] * count, {}
        observation, _ = env.reset(0)
        going = list(range(count))
        for step in range(round(SECONDS / env.control_dt)):
            if step % every == 0:
                _pose(ghost, library, step * env.control_dt)
                for world in going:
                    picture = camera.frame(world, reference)
                    shows[world](picture)
                    if world not in stills or step * env.control_dt <= STILL:
                        stills[world] = picture
            observation, _, terminated, truncated, info = env.step(actor(observation))
            ended = info["episode"]
            tracked = dict(zip(ended["world"].tolist(), ended["metrics"]["tracked"].tolist(), strict=True))
            for world in going:
                steps[world] += 1
                lost[world] = tracked.get(world, 1.0) < 0.5
            going = [world for world in going if not bool(terminated[world] | truncated[world])]
            if not going:
                break
    for path, picture in zip(paths, stills.values(), strict=True):
        matplotlib.image.imsave(path.with_suffix(".png"), picture)
    return [
        TrackedFilm(name, path, path.with_suffix(".png"), made * env.control_dt, gone)
        for name, path, made, gone in zip(library.names, paths, steps, lost, strict=True)
    ]


def _pose(view: EntityView, library: MotionLibrary, seconds: float) -> None:
    """Puts a robot a world as clips are at a moment; they begin above the origin."""
    count = len(library)
    clips, everywhere = torch.arange(count), torch.ones(count, dtype=torch.bool)
    begin, now = (library.sample(clips, torch.full((count,), moment)) for moment in (0.0, seconds))
    place = now.root_pos - torch.nn.functional.pad(begin.root_pos[:, :2], (0, 1))
    view.set_root_pose(torch.cat((place, now.root_quat), dim=-1).double(), everywhere)
    view.joint_pos[:] = now.joint_pos
    view.world.forward(everywhere)
