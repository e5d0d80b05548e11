"""The stage: ground, light and one body with what is around it in three dimensions, in every browser that looks.

The ground moves and the body stays near the middle, so the view that somebody has turned to their liking stays theirs.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np
import viser

from embodied.report.viewer.shapes import Figure, Shape
from embodied.report.viewer.solids import solid
from embodied.report.viewer.terrain import Terrain

TILE = 1.0
"""Side of the floor's larger squares, m."""
SIGN = 1.0
"""Distance between two signs that tell how far it is from the start, m."""
SIGNS = 9
"""How many stand at once."""
BEHIND = 3
"""How many of them before the latest one passed."""
LAG = 0.3
"""Part of the way to the body that the ground catches up between two pictures: jolts show as jolts."""
CAMERA = (0.9, -3.0, 1.15)
"""m from the body, which runs along x."""


Links = tuple[np.ndarray, np.ndarray]
"""Positions (n, 3), m, and orientations (n, 4) in the world."""


class Scenery(Protocol):
    """What is around a body."""

    @property
    def things(self) -> Sequence[Shape]:
        """What else there is but the ground."""
        ...

    @property
    def thing_places(self) -> Links:
        """Where they are."""
        ...

    def heights(self, points: np.ndarray) -> np.ndarray:
        """(n,) Of the ground, m, under (n, 2) places."""
        ...


class Stage:
    """Shows one body at a time. Driven from one thread."""

    def __init__(self, server: viser.ViserServer) -> None:
        """Lays the floor and puts up lights."""
        self._server = server
        scene = server.scene
        scene.set_up_direction("+z")
        scene.world_axes.visible = False
        scene.configure_environment_map(None)
        scene.configure_default_lights(enabled=False)
        scene.add_light_hemisphere(
            "/light/sky", sky_color=(255, 255, 255), ground_color=(150, 150, 150), intensity=1.25
        )
        scene.add_light_directional("/light/sun", intensity=1.7, cast_shadow=True, position=(-1.5, -2.5, 5.0))
        server.initial_camera.position = CAMERA
        server.initial_camera.look_at = (0.0, 0.0, 0.25)
        server.initial_camera.fov = np.deg2rad(45)
        self._floor = scene.add_grid(
            "/floor",
            cell_size=TILE / 2,
            section_size=TILE,
            cell_color=(214, 221, 224),
            section_color=(176, 188, 194),
            infinite_grid=True,
            fade_distance=24.0,
            shadow_opacity=0.22,
            plane_color=(240, 243, 244),
            plane_opacity=1.0,
        )
        self._world = scene.add_frame("/world", show_axes=False)
        self._signs = [
            scene.add_label(
                f"/world/sign{n}",
                "",
                font_size_mode="scene",
                font_scene_height=0.055,
                depth_test=True,
                anchor="bottom-center",
            )
            for n in range(SIGNS)
        ]
        self._terrain = Terrain(server, "/world")
        self._scenery: Scenery | None = None
        self._passed: int | None = None
        self._figures: list[tuple[Figure, viser.BatchedMeshHandle]] = []
        self._furniture: list[tuple[Figure, viser.BatchedMeshHandle]] = []
        self.recentre(np.zeros(2))

    def clear(self) -> None:
        """Empties the stage."""
        for _, handle in (*self._figures, *self._furniture):
            handle.remove()
        self._figures, self._furniture, self._scenery = [], [], None

    def dress(self, shapes: Sequence[Shape], links: Links, position: np.ndarray, scenery: Scenery) -> None:
        """Puts a body on the empty stage, with what is around it."""
        self._scenery = scenery
        self.recentre(position)
        with self._server.atomic():
            self._figures = self._put("/body", shapes, links)

    def _put(self, name: str, shapes: Sequence[Shape], links: Links) -> list[tuple[Figure, viser.BatchedMeshHandle]]:
        put = []
        for kind in sorted({shape.solid for shape in shapes}):
            figure = Figure([shape for shape in shapes if shape.solid == kind])
            positions, quats = self._in_view(figure, links)
            handle = self._server.scene.add_batched_meshes_simple(
                f"{name}/{kind}",
                *solid(kind),
                batched_positions=positions,
                batched_wxyzs=quats,
                batched_scales=figure.scales,
                batched_colors=figure.colours,
                lod="off",
                receive_shadow=False,
            )
            put.append((figure, handle))
        return put

    def recentre(self, position: np.ndarray) -> None:
        """Brings the body to the middle at once: an episode begins, and what is around it may be other than before."""
        self._middle = np.array([*position[:2], self._height(position)])
        with self._server.atomic():
            for _, handle in self._furniture:
                handle.remove()
            self._furniture = []
            if self._scenery is not None:
                self._furniture = self._put("/things", self._scenery.things, self._scenery.thing_places)
            self._show_ground(position, anew=True)

    def pose(self, links: Links, position: np.ndarray) -> None:
        """Moves the body, and the ground beneath it."""
        with self._server.atomic():
            self._middle += LAG * (np.array([*position[:2], self._height(position)]) - self._middle)
            self._move(self._figures, links)
            if self._scenery is not None and self._furniture:
                self._move(self._furniture, self._scenery.thing_places)
            self._show_ground(position)

    def _move(self, put: Sequence[tuple[Figure, viser.BatchedMeshHandle]], links: Links) -> None:
        for figure, handle in put:
            handle.batched_positions, handle.batched_wxyzs = self._in_view(figure, links)

    def _height(self, position: np.ndarray) -> float:
        """Of the ground under a place, m."""
        return float(self._scenery.heights(position[None, :2])[0]) if self._scenery is not None else 0.0

    def _in_view(self, figure: Figure, links: Links) -> Links:
        # Not left to a frame above the body: browsers move frames and meshes at slightly different moments.
        positions, quats = figure.placed(*links)
        return positions - self._middle, quats

    def _show_ground(self, position: np.ndarray, anew: bool = False) -> None:
        x, y, z = self._middle
        if self._scenery is not None:
            self._terrain.lay(self._scenery.heights, position, anew)
        if self._floor.visible != self._terrain.level:
            self._floor.visible = self._terrain.level
        self._world.position = (-x, -y, -z)
        self._floor.position = (-(x % TILE), -(y % TILE), -z)
        passed = int(x // SIGN)
        if anew or passed != self._passed:
            self._passed = passed
            for n in range(passed - BEHIND, passed - BEHIND + SIGNS):
                sign = self._signs[n % SIGNS]  # so that only the farthest one is moved to the other end
                place = np.array([SIGN * n, 0.75])
                sign.text = f"{SIGN * n:g} m"
                sign.position = (*place, 0.01 + self._height(place))
