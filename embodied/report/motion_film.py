"""Motion films: clips as their robot would do them, without any physics, drawn off screen."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import imageio_ffmpeg
import numpy as np
import torch

from embodied.motion.clip import MotionClip
from embodied.motion.library import MotionLibrary
from embodied.physics.camera import Camera
from embodied.physics.cpu import CpuWorld
from embodied.report.video import viewing_distance
from embodied.scenes.arenas.flat import FlatArena
from embodied.scenes.scene import Scene
from morphologies import Body

RATE = 30
"""Frames of a film in a second."""


def film_clips(
    clips: Sequence[MotionClip], body: Body, path: Path, seconds: float, size: tuple[int, int] = (640, 480)
) -> float:
    """Films one clip after another, each for so many seconds at most, looped ones for exactly that; how long it is, s.

    Args:
        clips: of that body.
        body: what is seen.
        path: of the MP4 file; its folder is made.
        seconds: of each clip.
        size: width and height, pixels; multiples of 16.

    Raises:
        NoGraphics: there is no off-screen OpenGL here.
    """
    scene = Scene(FlatArena(), {"robot": body})
    world = CpuWorld(scene, 1, threads=1)
    entity = scene.entities["robot"]
    view = entity.view(world)
    every = torch.ones(1, dtype=torch.bool)
    camera = Camera(world, entity.bodies[0], *size, viewing_distance(body))
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.tmp.mp4")
    path.touch()  # a place that cannot be written is told by its own error, not by the encoder's
    writer = imageio_ffmpeg.write_frames(str(temporary), size, fps=RATE, quality=7, macro_block_size=16)
    writer.send(None)
    frames = 0
    try:
        for pose, joints in _postures(clips, seconds):
            view.set_root_pose(pose, every)
            view.joint_pos[:] = joints
            world.forward(every)
            writer.send(np.ascontiguousarray(camera.frame(0)))
            frames += 1
        writer.close()
        temporary.replace(path)
    finally:
        writer.close()
        camera.close()
        world.close()
        temporary.unlink(missing_ok=True)
    return frames / RATE


def _postures(clips: Sequence[MotionClip], seconds: float) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
    """(1, 7) and (1, J) of every frame of the film."""
    for clip in clips:
        library = MotionLibrary([clip], dtype=torch.float64)
        shown = seconds if clip.loop else min(seconds, clip.duration)
        times = torch.arange(max(1, round(shown * RATE)), dtype=torch.float64) / RATE
        state = library.sample(torch.zeros(len(times), dtype=torch.long), times)
        poses = torch.cat((state.root_pos, state.root_quat), dim=1)
        yield from zip(poses.split(1), state.joint_pos.split(1), strict=True)
