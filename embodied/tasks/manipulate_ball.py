"""Manipulate ball: push a ball over level ground to a goal. DERL's manipulation_ball task."""

from __future__ import annotations

import torch
from torch import Tensor

from embodied.scenes.arenas.flat import FlatArena
from embodied.scenes.props import ball
from embodied.tasks.pushing import PushingTask, nearest_surface

SIZE = 30.0
"""Of the floor along x and y, m."""
BEHIND = 3.0
"""From the start to the rear edge, m."""
RADIUS = 0.2
"""Of the ball, m."""
DENSITY = 600.0
"""Of the ball, kg/m³: 20 kg in all."""
SOLREF = (-10000.0, -30.0)
"""Of the ball's contacts: minus stiffness, minus damping; it bounces."""
MARGIN = 0.5
"""Within which the body is at the ball and the ball at its goal, m."""


class ManipulateBall(PushingTask):
    """The manipulation formula with a ball, on a floor of 30 x 30 m, the start 3 m from its rear edge.

    The goal, 15 to 24 m beyond the ball, would lie outside: it is moved to 2 m before the far edge. The distance to the
    ball is that to its surface.

    Metric ``stage``, 0 to 4, our reading of a figure published without its definition: the part of the way to the ball
    that was made, 0 to 1; from the arrival 2 plus the part of the ball's way to the goal, 2 to 3; 4 once it has been
    at the goal.

    Deviation: of a box DERL measures the distance to the middles of its faces. A ball has none, and points fixed to it
    would roll: the distance would change with nobody moving.
    """

    name = "manipulate_ball"

    def __init__(self) -> None:
        arena = FlatArena(SIZE - BEHIND, SIZE / 2, BEHIND)
        super().__init__(arena, ball(RADIUS, DENSITY, SOLREF), MARGIN)

    def nearest(self, points: Tensor) -> Tensor:
        """(W,) Distance to the surface, m."""
        return nearest_surface(points, RADIUS)

    def reset(self, mask: Tensor) -> None:
        """Draws the ball and the goal, and adds noise to the body's default state."""
        self.draw_places(mask, RADIUS)
        super().reset(mask)

    def metrics(self) -> dict[str, Tensor]:
        """``stage``, and those of `PushingTask`."""
        memory = self.memory
        to_ball = 1.0 - memory["to_object"] / memory["first_to_object"]
        to_goal = 3.0 - memory["to_goal"] / memory["first_to_goal"]
        stage = torch.where(memory["arrived"], to_goal.clamp(2.0, 3.0), to_ball.clamp(0.0, 1.0))
        return {"stage": stage.masked_fill(memory["delivered"], 4.0), **super().metrics()}
