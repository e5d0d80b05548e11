"""Film: what a bundle does in its own simulation, drawn off screen."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import imageio_ffmpeg
import mujoco
import numpy as np

from embodied.export.errors import BundleError
from embodied.export.opening import OpenBundle, network_faults
from embodied.export.record import UPRIGHT, upward
from embodied.graphics import HINT, NoGraphics, refuse_no_screen

RATE = 25
"""Frames in a second, at most."""
DISTANCE = 7.0
"""Of the eye, in heights at which the root link stands."""
LYING = 1.0
"""s for which a robot that fell is shown before the next start is."""


class _Fell(Exception):
    """Leaves a start before its end."""


def film_bundle(bundle: OpenBundle, path: Path, first: int, seconds: float, size: tuple[int, int]) -> float:
    """Films one recorded start after the other, each with what was asked then; how long the film is, s.

    One that falls makes way for the next.

    Args:
        bundle: what acts, and where.
        path: of the MP4 file; its folder is made.
        first: number of the first start.
        seconds: of the film.
        size: width and height, pixels; multiples of 16.

    Raises:
        NoGraphics: there is no off-screen OpenGL here.
        BundleError: it has no recorded starts.
    """
    loop, simulation = bundle.arrays("closed_loop.npz"), bundle.simulation
    count, recorded = loop["root_pose"].shape[:2] if "root_pose" in loop and loop["root_pose"].ndim == 3 else (0, 0)
    if not count or not recorded:
        raise BundleError(bundle.where, "has no recorded starts")
    timing, robot = bundle.manifest["timing"], bundle.manifest["robot"]
    every = max(1, round(1.0 / (RATE * timing["control_period"])))
    rate = round(1.0 / (every * timing["control_period"]))
    renderer, view = _renderer(simulation.model, size), mujoco.MjvCamera()
    view.type, view.azimuth, view.elevation = mujoco.mjtCamera.mjCAMERA_FREE, 60.0, -18.0
    view.distance = DISTANCE * robot["standing_height"]
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.tmp.mp4")
    path.touch()  # a place that cannot be written is told by its own error, not by the encoder's
    writer = imageio_ffmpeg.write_frames(str(temporary), size, fps=rate, quality=7, macro_block_size=16)
    writer.send(None)
    wanted = round(seconds / timing["control_period"])
    made, lying = 0, 0

    def watch() -> None:
        nonlocal made, lying
        if made % every == 0:
            x, y, _ = simulation.root.qpos[:3]
            view.lookat[:] = (x, y, 0.6 * robot["standing_height"])
            # Shadows are drawn around a light's position: the sun goes along.
            simulation.data.light_xpos[:] = np.array((x, y, 0.0)) - 4.0 * simulation.data.light_xdir
            renderer.update_scene(simulation.data, view)
            writer.send(np.ascontiguousarray(renderer.render()))
        made += 1
        lying = lying + 1 if upward(simulation.root.qpos[3:7]) <= UPRIGHT else 0
        if lying * timing["control_period"] >= LYING:
            raise _Fell

    try:
        start = first % count
        while made < wanted:
            steps, lying = min(wanted - made, recorded), 0
            one = {key.split("/")[1]: each[start] for key, each in loop.items() if key.startswith("start/")}
            told = {key.split("/")[1]: each[start] for key, each in loop.items() if key.startswith("given/")}
            with suppress(_Fell):
                simulation.run(one, told, steps, watch=watch)
            start = (start + 1) % count
        writer.close()
        temporary.replace(path)
    except (KeyError, ValueError, IndexError, *network_faults()) as error:
        raise BundleError(bundle.where, f"does not fit together: {error}") from None
    finally:
        writer.close()
        renderer.close()
        temporary.unlink(missing_ok=True)
        if not path.stat().st_size:
            path.unlink()
    return made * timing["control_period"]


def _renderer(model: mujoco.MjModel, size: tuple[int, int]) -> mujoco.Renderer:
    refuse_no_screen()
    width, height = size
    model.vis.global_.offwidth, model.vis.global_.offheight = max(width, 640), max(height, 480)
    model.vis.quality.shadowsize, model.vis.quality.offsamples = 2048, 4
    try:
        return mujoco.Renderer(model, height, width)
    except Exception as error:
        raise NoGraphics(f"{HINT} ({type(error).__name__}: {error})") from None
