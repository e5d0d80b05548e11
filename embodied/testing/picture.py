"""What every Task promises to the eye: a picture of its start that shows something, the body in it."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from embodied.envs import make
from embodied.physics.camera import Camera
from embodied.tasks import Task
from morphologies import Body

MIN_CONTRAST = 8.0
"""Standard deviation of brightness, of 255, that no blank picture has."""


def check_picture(make_task: Callable[[], Task], body: str | Body | None = None) -> np.ndarray:
    """Asserts that the start of an episode can be drawn and is not blank; returns the (240, 320, 3) uint8 picture.

    Raises:
        NoGraphics: this machine cannot draw.
    """
    env = make(make_task(), body, num_worlds=1, seed=0, threads=1)
    env.reset()
    robot = env.env.scene.entities[env.env.task.agents[0]]
    camera = Camera(env.world, robot.bodies[0], 320, 240)
    try:
        picture = camera.frame(0)
    finally:
        camera.close()
        env.close()
    middle = picture[60:180, 80:240].astype(float)
    assert picture.astype(float).std() > MIN_CONTRAST, "the picture is blank"
    assert middle.std() > MIN_CONTRAST, "there is nothing in the middle of the picture, where the body should be"
    return picture
