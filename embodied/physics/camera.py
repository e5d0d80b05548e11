"""Camera: pictures of one world that follow a body, drawn off screen through EGL."""

from __future__ import annotations

import os

import mujoco
import numpy as np

from embodied.graphics import HINT, NoGraphics, refuse_no_screen
from embodied.physics.cpu import CpuWorld
from embodied.physics.picture_model import PictureModel

DISTANCE = 3.5
"""Of the eye from the body, m."""
GHOST = (0.1, 0.45, 0.9, 0.28)
"""Red, green, blue and opacity of what is only shown beside what is there."""


class Camera:
    """Draws frames of a World. Shadows and multisampling are kept small: software rendering pays for them."""

    def __init__(
        self,
        world: CpuWorld,
        track: int,
        width: int = 640,
        height: int = 480,
        distance: float = DISTANCE,
        shadows: int = 2048,
        samples: int = 4,
    ) -> None:
        """Opens a drawing context.

        Args:
            world: what is seen.
            track: id of the body that the view follows.
            width, height: of the picture, pixels.
            distance: from the body, m.
            shadows: side of their map, texels; less is quicker, 0 draws none.
            samples: of a pixel against stairs; 0 is quicker.

        Raises:
            NoGraphics: the graphics library is missing.
        """
        refuse_no_screen()
        self._world = world
        self._picture = PictureModel(world)
        self._model = self._picture.model
        self._model.vis.global_.offwidth = max(width, self._model.vis.global_.offwidth)
        self._model.vis.global_.offheight = max(height, self._model.vis.global_.offheight)
        self._model.vis.quality.shadowsize = shadows
        self._model.vis.quality.offsamples = samples
        try:
            self._renderer = mujoco.Renderer(self._model, height, width)
        except Exception as error:
            late = "" if os.environ.get("MUJOCO_GL") else "set MUJOCO_GL=egl before mujoco is first imported; or "
            raise NoGraphics(f"{late}{HINT} ({type(error).__name__}: {error})") from None
        self._view = mujoco.MjvCamera()
        self._view.type = mujoco.mjtCamera.mjCAMERA_FREE
        self._view.distance = distance
        self._view.azimuth = 60.0
        self._view.elevation = -18.0
        self._track = track

    def frame(self, world: int, ghosts: CpuWorld | None = None) -> np.ndarray:
        """(height, width, 3) uint8: the world as it is now, from beside the tracked body.

        Args:
            world: which.
            ghosts: of the same scene; what moves in its world of the same number is shown faintly too.
        """
        data = self._world.data(world)
        x, y, z = data.xpos[self._track]
        base = max(0.0, z - 1.3)  # near level ground the view does not bob with the body; up a slope it follows
        self._view.lookat[:] = (x, y, base + 0.5 * (z - base + 0.3))
        # Shadows are drawn around a light's position: the sun goes along.
        data.light_xpos[:] = np.array((x, y, base)) - 4.0 * data.light_xdir
        self._take(self._picture.follow(world))
        self._renderer.update_scene(data, self._view)
        if ghosts is not None:
            self._add(ghosts.data(world))
        return self._renderer.render()

    def _add(self, ghost: mujoco.MjData) -> None:
        """Faintly, what moves of other data of the model."""
        scene, before = self._renderer.scene, self._renderer.scene.ngeom
        moving = int(mujoco.mjtCatBit.mjCAT_DYNAMIC)
        mujoco.mjv_addGeoms(self._model, ghost, mujoco.MjvOption(), mujoco.MjvPerturb(), moving, scene)
        for number in range(before, scene.ngeom):
            scene.geoms[number].rgba[:] = GHOST
            scene.geoms[number].matid = -1

    def _take(self, fields: list[int]) -> None:
        """Brings height fields that look different now to the graphics memory; the library has no public way to."""
        if fields:
            self._renderer._gl_context.make_current()
            for field in fields:
                mujoco.mjr_uploadHField(self._model, self._renderer._mjr_context, field)

    def close(self) -> None:
        """Frees the drawing context."""
        self._renderer.close()
