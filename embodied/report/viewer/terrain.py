"""The ground round the body where it is not level: a patch of hills or steps with lines on it, laid anew on the way."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

import numpy as np
import viser

Heights = Callable[[np.ndarray], np.ndarray]
"""(n,) Heights of the ground, m, under (n, 2) places in the world."""

REACH, GRAIN = (9.0, 6.0), 0.1
"""Half extents of the patch along x and y, and between two of its points, m; the latter that of DERL's terrain."""
FAR_REACH, FAR_GRAIN = (27.0, 21.0), 0.5
"""Of the coarser ground around it, m."""
LINES, LINE_GRAIN = 1.0, 0.2
"""Between two lines, and between two points of a line, m."""
MOVE = 2.0
"""How far the body goes before the patch is laid anew, m."""
LIFT = 0.004
"""Of the lines above the ground, m."""
LEVEL = 1e-4
"""Ground that is nowhere in the patch farther from 0 is level, m."""
GROUND, LINE = (226, 231, 233), (176, 188, 194)
"""Colours."""


class Terrain:
    """Draws what heights there are; where the ground is level it leaves the stage to its floor."""

    def __init__(self, server: viser.ViserServer, frame: str) -> None:
        """``frame``: name of the scene's frame that is the world's."""
        self._server, self._frame = server, frame
        self._drawn: Sequence[viser.SceneNodeHandle] = ()
        self._centre: np.ndarray | None = None
        self.level = True
        """Whether the floor is all the ground there is."""

    def lay(self, heights: Heights, position: np.ndarray, anew: bool = False) -> None:
        """Draws the ground round a place, unless what is drawn still reaches round it."""
        if not anew and self._centre is not None and np.abs(position[:2] - self._centre).max() < MOVE:
            return
        self._centre = np.round(position[:2] / LINES) * LINES
        near = patch(heights, self._centre, REACH, GRAIN)
        self.level = bool(np.abs(near[0][:, 2]).max() < LEVEL)
        for handle in self._drawn:
            handle.remove()
        if self.level:
            self._drawn = ()
            return
        far = around(*patch(heights, self._centre, FAR_REACH, FAR_GRAIN), self._centre)
        mesh = partial(self._server.scene.add_mesh_simple, color=GROUND, flat_shading=True, cast_shadow=False)
        self._drawn = (
            mesh(f"{self._frame}/near", *near),
            mesh(f"{self._frame}/far", *far),
            self._server.scene.add_line_segments(f"{self._frame}/lines", lines(heights, self._centre), colors=LINE),
        )


def patch(
    heights: Heights, centre: np.ndarray, reach: tuple[float, float], grain: float
) -> tuple[np.ndarray, np.ndarray]:
    """Vertices (v, 3) in the world and triangles (f, 3), anticlockwise seen from above, of the ground round a place.

    Triangles are cut as the engine cuts its height fields.
    """
    x, y = (c + np.arange(-round(r / grain), round(r / grain) + 1) * grain for c, r in zip(centre, reach, strict=True))
    places = np.stack(np.meshgrid(x, y), axis=-1).reshape(-1, 2)
    vertices = np.column_stack((places, heights(places))).astype(np.float32)
    number = np.arange(len(places), dtype=np.uint32).reshape(len(y), len(x))
    a, b, c, d = (part.ravel() for part in (number[:-1, :-1], number[:-1, 1:], number[1:, 1:], number[1:, :-1]))
    return vertices, np.concatenate((np.column_stack((a, b, c)), np.column_stack((a, c, d))))


def around(vertices: np.ndarray, faces: np.ndarray, centre: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Without the triangles where the near patch lies."""
    middles = vertices[faces, :2].mean(axis=1)
    return vertices, faces[(np.abs(middles - centre) > REACH).any(axis=1)]


def lines(heights: Heights, centre: np.ndarray) -> np.ndarray:
    """(n, 2, 3) Segments of a grid of lines that lies on the ground."""
    found = []
    for axis in (0, 1):
        along, across = REACH[axis], REACH[1 - axis]
        steps = centre[axis] + np.arange(-round(along / LINE_GRAIN), round(along / LINE_GRAIN) + 1) * LINE_GRAIN
        for offset in np.arange(-round(across / LINES), round(across / LINES) + 1) * LINES:
            places = np.empty((len(steps), 2))
            places[:, axis], places[:, 1 - axis] = steps, centre[1 - axis] + offset
            points = np.column_stack((places, heights(places) + LIFT))
            found.append(np.stack((points[:-1], points[1:]), axis=1))
    return np.concatenate(found).astype(np.float32)
