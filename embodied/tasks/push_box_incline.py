"""Push box on incline: push a box straight up a slope. DERL's push_box_incline task."""

from __future__ import annotations

import math
from collections.abc import Mapping

import torch
from torch import Tensor

from embodied.physics.world import World
from embodied.scenes import Scene
from embodied.scenes.arenas.incline import InclineArena
from embodied.scenes.props import box
from embodied.tasks.pushing import PushingTask, nearest_face
from embodied.tasks.uphill import FALL_FACTOR, Stand
from morphologies import Body

DEGREES = 10.0
"""Of the slope."""
LENGTH = 80.0
"""Of the floor along x, seen from above, m."""
WIDTH = 40.0
"""Of the floor along y, m."""
BEHIND = 3.0
"""From the start to the rear edge, m."""
BOX_X, GOAL_X = -35.0 + LENGTH / 2 - BEHIND, 35.0 + LENGTH / 2 - BEHIND
"""x of the box and of its goal, m: 35 m before and beyond the middle of the floor, counted from the start."""
HALF_SIDE = 0.2
"""Of the box, m."""
MASS = 2.0
"""Of the box, kg."""
MARGIN = 0.5
"""Within which the body is at the box and the box at its goal, m."""
ROOM = 0.2
"""Least gap between the box and what the body can reach from its start, m."""


class PushBoxIncline(PushingTask):
    """The manipulation formula on a slope of 10 degrees. The box lies straight ahead, its goal 70 m farther on.

    The distance to the box is that to the middle of its nearest face. A head has fallen at 0.2 of its standing height.
    Metric ``box_travel``: of the box along the slope, m, and those of `PushingTask`.

    The box is 2 m from the start. A body that would reach it there, of more than 1.6 m, starts farther back: ours.
    Positions along x are as seen from above; DERL's may be along the slope, a difference of 1.5 %.
    """

    name = "push_box_incline"
    fall_factor = FALL_FACTOR

    def __init__(self) -> None:
        self.incline = InclineArena(LENGTH - BEHIND, WIDTH / 2, BEHIND, DEGREES)
        self._start_x = 0.0
        super().__init__(self.incline, box(HALF_SIDE, MASS), MARGIN)

    def place(self) -> tuple[float, float]:
        """At the origin, or as far behind it as the body needs."""
        return (self._start_x, 0.0)

    def scene(self, bodies: Mapping[str, Body]) -> Scene:
        """The arena with the robot and the box in it."""
        self._start_x = min(0.0, BOX_X - HALF_SIDE - ROOM - bodies["robot"].description.reach)
        return super().scene(bodies)

    def start(self, scene: Scene, world: World, generator: torch.Generator) -> None:
        """Takes the World; see `Task.start`."""
        super().start(scene, world, generator)
        robot, thing = self.robot, self.thing
        self._stands = (
            Stand(self.incline, thing, BOX_X, 0.0, HALF_SIDE),
            Stand(self.incline, robot, *self.place(), robot.entity.body.spawn_height),
        )
        height = self.incline.slope * GOAL_X + HALF_SIDE / self._cos
        self._goal_at = self.robot.constant([GOAL_X, 0.0, height]).expand(world.num_worlds, 3)

    def nearest(self, points: Tensor) -> Tensor:
        """(W,) Distance to the nearest face's middle, m."""
        return nearest_face(points, HALF_SIDE)

    def reset(self, mask: Tensor) -> None:
        """Stands the body and the box on the slope, and adds noise to the body's state."""
        for stand in self._stands:
            stand.put(mask)
        self.goal.put(self._goal_at, mask)
        super().reset(mask)

    @property
    def _cos(self) -> float:
        return math.cos(math.radians(DEGREES))

    def metrics(self) -> dict[str, Tensor]:
        """``box_travel``, and those of `PushingTask`."""
        return {"box_travel": (self.thing.root_pos[:, 0] - BOX_X) / self._cos, **super().metrics()}
