"""Reach: touch a point in the air with the nose, or with a foot. After the sword's tip of Peng et al. (2022).

    r = ½ exp(-4 d²) + ½ exp(-60 d²)

Deviation: the paper's reward has the first term alone, by which a person with a sword is a good way off at half a
metre; a robot of this size has to come closer for it to mean anything.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Literal

import numpy as np
import torch
from torch import Tensor

from embodied.physics.world import World
from embodied.runs.errors import UserError
from embodied.scenes import Scene
from embodied.scenes.arrays import Array, library_of
from embodied.scenes.entity import Entity
from embodied.scenes.props import marker
from embodied.senses import Sense
from embodied.senses.heading_frame import AlongHeading, along
from embodied.senses.style import axes_of
from embodied.tasks.skilled_goal import SkilledGoalTask
from morphologies import Body

FARTHEST = 1.0
"""Horizontal distance of a point from the robot, m. Peng et al. (2022)."""
HEIGHTS = {"nose": (0.5, 1.4), "foot": (0.1, 0.8)}
"""Lowest and highest point, in heights at which the root link stands."""
WIDE, SHARP = 4.0, 60.0
"""Per m²."""
CLOSE = 0.1
"""Distance at which a point counts as reached, m."""


class Reach(SkilledGoalTask):
    """Metrics: ``distance``, mean over the episode, m; ``reached``, part of its steps within 0.1 m; ``fall``."""

    name = "reach"
    goal_steps = (83, 167)  # 1.7 to 3.3 s: every 50 to 100 steps of the paper's

    def __init__(self, part: Literal["nose", "foot"] = "nose") -> None:
        """``part``: the foremost point of the root link, or the first of the body's feet in front."""
        super().__init__()
        if part not in HEIGHTS:
            raise UserError(f"reach is for the nose or a foot, not for {part!r}")
        self.part = part

    def props(self) -> Mapping[str, Body]:
        """The mark on the point."""
        return {"goal": marker(0.04, "goal")}

    def start(self, scene: Scene, world: World, generator: torch.Generator) -> None:
        """Takes the World; see `Task.start`."""
        super().start(scene, world, generator)
        entity = self.robot.entity
        self.goal = scene.entities["goal"].view(world)
        if self.part == "foot" and not entity.body.feet:
            raise UserError(f"reach with a foot needs a body with feet; none are known of {entity.body.name}")
        self._link = 0 if self.part == "nose" else entity.link_names.index(entity.body.feet[0])
        self._nose = self.arrays.of(self.robot.constant(nose_of(entity) if self.part == "nose" else np.zeros(3)))
        low, high = HEIGHTS[self.part]
        standing = float(entity.body.spawn_height)
        self._heights = low * standing, high * standing
        self._figures = self.remember("figures", 2)

    def goal_senses(self) -> Sequence[Sense]:
        """The way from the robot's root link to the point, along the robot's heading."""
        return (AlongHeading(self.robot, (along("goal_offset", "m", 1000.0),), lambda: self._way()[:, None]),)

    def _way(self) -> Array:
        return self.arrays.of(self.goal.root_pos) - self.arrays.of(self.robot.root_pos)

    def draw_goal(self, mask: Tensor) -> None:
        """Evenly over a disc about the robot, at any of the heights."""
        chance = self.arrays.chance(self.generator, len(mask), 3)
        library, here = library_of(chance), self.place()
        distance, angle = FARTHEST * library.sqrt(chance[:, 0]), math.tau * chance[:, 1]
        low, high = self._heights
        point = (
            here[:, 0] + distance * library.cos(angle),
            here[:, 1] + distance * library.sin(angle),
            low + (high - low) * chance[:, 2],
        )
        self.goal.put(self.arrays.tensor(library.stack(point, -1)), mask)

    def reset(self, mask: Tensor) -> None:
        """See `SkilledGoalTask.reset`."""
        super().reset(mask)
        self.arrays.writer(mask)(self._figures, 0.0)

    def reaching(self) -> Array:
        """(W, 3) Where the nose or the foot is, m."""
        of, robot = self.arrays.of, self.robot
        return of(robot.link_pos)[:, self._link] + (of(robot.root_axes) @ self._nose[:, None])[..., 0]

    def terms(self) -> dict[str, Array]:
        """``near`` and ``close``, 0.5 each at best."""
        off = self.arrays.of(self.goal.root_pos) - self.reaching()
        library = library_of(off)
        square = library.linalg.vecdot(off, off)
        self._figures += library.stack((library.sqrt(square), (square < CLOSE**2) * 1.0), -1)
        return {"near": 0.5 * library.exp(-WIDE * square), "close": 0.5 * library.exp(-SHARP * square)}

    def metrics(self) -> dict[str, Tensor]:
        """See the class."""
        means = self._figures / self._steps.clip(min=1)[:, None]
        named = {"distance": means[:, 0], "reached": means[:, 1], "fall": self._fell * 1.0}
        return {name: self.arrays.tensor(values) for name, values in named.items()}


def nose_of(entity: Entity) -> np.ndarray:
    """(3,) The foremost point of the root link's solid shapes, in its frame, on its middle line, m."""
    model, ahead, height = entity.model, 0.0, 0.0
    for geom in range(model.ngeom):
        if model.geom_bodyid[geom] == entity.bodies[0] and (model.geom_contype[geom] or model.geom_conaffinity[geom]):
            across = abs(axes_of(model.geom_quat[geom])[0]) @ model.geom_aabb[geom, 3:]
            reach = float(model.geom_pos[geom, 0] + across)
            if reach > ahead:
                ahead, height = reach, float(model.geom_pos[geom, 2])
    return np.array([ahead, 0.0, height])
