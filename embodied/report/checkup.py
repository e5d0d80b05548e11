"""Checkup: a body set down and left alone for two seconds, and a picture of what is seen of it and what touches."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import matplotlib.image
import mujoco
import numpy as np
import torch

from embodied.physics.camera import Camera
from embodied.physics.cpu import CpuWorld
from embodied.report.video import viewing_distance
from embodied.scenes import Scene
from embodied.scenes.arenas.flat import FlatArena
from morphologies import Body

SECONDS = 2.0
TILT = 60.0
"""Degrees from its default orientation at which it has fallen over."""
SUNK = 0.5
"""Part of its standing height below which it has collapsed."""
WIDTH, HEIGHT = 640, 480
"""Of each of the two pictures, pixels."""
NEARER = 0.68
"""Of the distance from which films are made: here nothing moves out of the picture."""
FOOT_COLOUR, ROOT_COLOUR, LINK_COLOUR = (0.93, 0.55, 0.16, 1.0), (0.30, 0.50, 0.58, 1.0), (0.72, 0.74, 0.77, 1.0)


@dataclass(frozen=True)
class Standing:
    """How a body stood."""

    height: float
    """Of the root link at the end, m."""
    tilt: float
    """Largest angle to its default orientation, degrees."""
    drift: float
    """Way of the root link over the ground, m."""
    touched: tuple[str, ...]
    """Links other than feet that touched something at the end."""
    finite: bool
    problems: tuple[str, ...]


def stand(body: Body, timestep: float = 0.005) -> Standing:
    """Sets a body down on level ground and holds the default pose: position actuators on it, motors without torque."""
    scene = Scene(FlatArena(), {"robot": body}, timestep, decimation=4)
    world = CpuWorld(scene, num_worlds=1, threads=1)
    robot = scene.entities["robot"].view(world)
    world.forward()
    start, upright = robot.root_pos.clone(), robot.root_quat.clone()
    tilt, finite = 0.0, True
    for _ in range(round(SECONDS / scene.control_dt)):
        robot.act(torch.zeros(1, len(scene.entities["robot"].actuators)))
        world.step(scene.decimation)
        finite = finite and not bool(world.unhealthy.any())
        cosine = float((robot.root_quat * upright).sum().abs().clamp(max=1.0))
        tilt = max(tilt, float(np.degrees(2 * np.arccos(cosine))))
    end = robot.root_pos
    finite = finite and bool(torch.isfinite(end).all())
    touching = robot.contacts[0].tolist()
    names = scene.entities["robot"].link_names
    touched = tuple(n for n, touches in zip(names, touching, strict=True) if touches and n not in body.feet)
    height = float(end[0, 2])
    problems = []
    if not finite:
        problems.append(f"the physics became unstable within {SECONDS:g} s of standing, at {timestep * 1e3:g} ms")
    elif body.root != "fixed" and _has_position_actuators(scene.model):  # without torque, anything falls
        if tilt > TILT:
            problems.append(f"it falls over within {SECONDS:g} s: its root tilts by {tilt:.0f} degrees (pose)")
        elif height < SUNK * body.standing_height:
            problems.append(f"it collapses within {SECONDS:g} s: its root ends at {height:.2f} m (gains, pose)")
    drift = float((end - start)[0, :2].norm())
    return Standing(height, tilt, drift, touched, finite, tuple(problems))


def _has_position_actuators(model: mujoco.MjModel) -> bool:
    return bool((model.actuator_biastype == mujoco.mjtBias.mjBIAS_AFFINE).any())


def picture(body: Body, path: Path) -> None:
    """Writes a PNG: on the left the body as it looks, on the right what of it is solid, feet in orange, root in blue.

    Raises:
        NoGraphics: there is no off-screen OpenGL here.
    """
    frames = [_frame(each) for each in (body, replace(body, spec=lambda: _solid_alone(body)))]
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.tmp.png")
    try:
        matplotlib.image.imsave(temporary, np.hstack(frames))
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def _frame(body: Body) -> np.ndarray:
    scene = Scene(FlatArena(), {"robot": body})
    world = CpuWorld(scene, num_worlds=1, threads=1)
    world.forward()
    camera = Camera(world, scene.entities["robot"].bodies[0], WIDTH, HEIGHT, NEARER * viewing_distance(body))
    try:
        return camera.frame(0)
    finally:
        camera.close()


def _solid_alone(body: Body) -> mujoco.MjSpec:
    spec = body.spec()
    base = spec.worldbody.first_body()
    for geom in list(spec.geoms):
        if not (geom.contype or geom.conaffinity):
            spec.delete(geom)
            continue
        geom.group, geom.material = 1, ""
        foot = geom.parent.name in body.feet
        geom.rgba = FOOT_COLOUR if foot else ROOT_COLOUR if geom.parent == base else LINK_COLOUR
    return spec
