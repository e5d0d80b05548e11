"""Heading: run in a direction at a speed, and look where one is told. Peng et al. (2022), "speed" and "steering".

    r = 0.7 exp(-2 ((v* - v·d)² + 0.1 |v - (v·d) d|²)) [0 where v·d <= 0] + 0.3 max(0, facing · facing*)

Deviations: the released code sums the components of the velocity across the direction, so that drifting sideways
costs nothing where they cancel; here it is their norm. Errors count eight times as much, as robots of this size go
a third as fast as a person runs. Faces are drawn near the direction: no quadruped runs sideways.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor

from embodied.physics.world import World
from embodied.scenes import Scene
from embodied.scenes.arrays import Array, library_of
from embodied.senses import Sense
from embodied.senses.heading_frame import AlongHeading, along
from embodied.senses.remembered import Remembered
from embodied.senses.sense import Term
from embodied.tasks.skilled_goal import SkilledGoalTask

SPEED = (0.4, 1.6)
"""m/s. A Go1's clips walk at 0.6, trot at 1.2 to 1.6."""
FACING = math.radians(30.0)
"""How far a face may lie from the direction, rad."""
SHARPNESS = 2.0
"""Per m²/s²."""
ACROSS = 0.1
"""Of the velocity across the direction, beside that along it."""


class Heading(SkilledGoalTask):
    """Metrics: ``velocity_error``, mean distance of the velocity from the one asked for, m/s; ``fall``, 1 for one."""

    name = "heading"

    def start(self, scene: Scene, world: World, generator: torch.Generator) -> None:
        """Takes the World; see `Task.start`."""
        super().start(scene, world, generator)
        self._asked = self.remember("asked", 2, 3)  # direction and face, in the world's frame
        self._speed = self.remember("speed", 1)
        self._off = self.remember("velocity_error")

    def goal_senses(self) -> Sequence[Sense]:
        """Direction and face along the robot's heading, and the speed."""
        terms = (along("goal_direction", "1", 1.1), along("goal_facing", "1", 1.1))
        speed = Remembered(Term("goal_speed", 1, "m/s", 10.0), self.memory["speed"])
        return AlongHeading(self.robot, terms, lambda: self._asked), speed

    def draw_goal(self, mask: Tensor) -> None:
        """Any direction, a speed in `SPEED`, a face within `FACING` of the direction."""
        chance = self.arrays.chance(self.generator, len(mask), 3)
        library, write = library_of(chance), self.arrays.writer(mask)
        angle = math.tau * chance[:, 0]
        face = angle + FACING * (2.0 * chance[:, 1] - 1.0)
        zero = 0.0 * angle
        asked = [library.stack((library.cos(each), library.sin(each), zero), -1) for each in (angle, face)]
        write(self._asked, library.stack(asked, 1))
        write(self._speed, (SPEED[0] + (SPEED[1] - SPEED[0]) * chance[:, 2])[:, None])

    def reset(self, mask: Tensor) -> None:
        """See `SkilledGoalTask.reset`."""
        super().reset(mask)
        self.arrays.writer(mask)(self._off, 0.0)

    def terms(self) -> dict[str, Array]:
        """``speed``, 0.7 at best, and ``facing``, 0.3."""
        velocity, direction, face = self.velocity(), self._asked[:, 0, :2], self._asked[:, 1, :2]
        library = library_of(velocity)
        ahead = library.linalg.vecdot(velocity, direction)
        across = velocity - ahead[:, None] * direction
        missing = (self._speed[:, 0] - ahead) ** 2
        aside = library.linalg.vecdot(across, across)
        self._off += library.sqrt(missing + aside)
        speed = 0.7 * library.exp(-SHARPNESS * (missing + ACROSS * aside))
        x, y = self.facing()
        facing = 0.3 * (x * face[:, 0] + y * face[:, 1]).clip(min=0.0)
        return {"speed": library.where(ahead > 0.0, speed, 0.0), "facing": facing}

    def metrics(self) -> dict[str, Tensor]:
        """See the class."""
        error = self._off / self._steps.clip(min=1)
        return {"velocity_error": self.arrays.tensor(error), "fall": self.arrays.tensor(self._fell * 1.0)}
