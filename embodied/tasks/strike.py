"""Strike: go to a post and knock it over. Peng et al. (2022).

    r = 1 where it lies, else 0.6 (1 - up · z) + 0.4 exp(-4 max(0, 1 - v·u)²) [0 where v·u <= 0]

with u the direction to the post. Deviations: any part of the robot may strike, where the paper's knight has to use the
sword; and the post stands at most 5 m away.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from embodied.physics.world import World
from embodied.scenes import Scene
from embodied.scenes.arrays import Array, library_of
from embodied.scenes.props import pillar
from embodied.senses import Sense
from embodied.senses.heading_frame import AlongHeading, along
from embodied.tasks.skilled import MAX_TILT
from embodied.tasks.skilled_goal import SkilledGoalTask, approach, unit
from morphologies import Body

HALF_SIDE, HEIGHT, MASS = 0.08, 0.5, 1.5
"""m, m and kg, of the post."""
NEAREST, MIDDLE, FARTHEST = 0.7, 1.5, 5.0
"""Distances of the post, m: half of them lie below the middle one. Peng et al. have 0.5, 1.5 and 10."""
KNOCKED = 0.2
"""Cosine of the post's lean from which it lies. Peng et al. (2022)."""
SPEED = 1.0
"""At which to come, m/s."""
LOW = 0.3
"""Part of its standing height below which the root link has fallen: it may touch the post, so touch tells nothing."""


class Strike(SkilledGoalTask):
    """Metrics: ``struck``, 1 where the post lies at the end; ``fall``."""

    name = "strike"
    goal_steps = (10_000, 10_000)  # one post an episode

    def props(self) -> Mapping[str, Body]:
        """The post."""
        return {"post": pillar(HALF_SIDE, HEIGHT, MASS, "post")}

    def start(self, scene: Scene, world: World, generator: torch.Generator) -> None:
        """Takes the World; see `Task.start`."""
        super().start(scene, world, generator)
        self.post = scene.entities["post"].view(world)
        self._lowest = LOW * float(self.robot.entity.body.spawn_height)

    def goal_senses(self) -> Sequence[Sense]:
        """Where the post is, how it lies, moves and turns, along the robot's heading: 15 numbers."""
        terms = (
            along("object_offset", "m", 1000.0),
            along("object_tangent", "1", 1.1),
            along("object_normal", "1", 1.1),
            along("object_linear_velocity", "m/s", 200.0),
            along("object_angular_velocity", "rad/s", 2000.0),
        )
        return (AlongHeading(self.robot, terms, self._seen),)

    def _seen(self) -> Array:
        of, post = self.arrays.of, self.post
        axes, velocity = of(post.root_axes), of(post.root_velocity)
        offset = of(post.root_pos) - of(self.robot.root_pos)
        angular = (axes @ velocity[:, 3:, None])[..., 0]
        return library_of(axes).stack((offset, axes[:, :, 0], axes[:, :, 2], velocity[:, :3], angular), 1)

    def draw_goal(self, mask: Tensor) -> None:
        """Puts the post somewhere around the robot, half of the time near it."""
        chance = self.arrays.chance(self.generator, len(mask), 3)
        library, here = library_of(chance), self.place()
        near = NEAREST + (MIDDLE - NEAREST) * chance[:, 0]
        far = MIDDLE + (FARTHEST - MIDDLE) * chance[:, 0]
        distance, angle = library.where(chance[:, 2] < 0.5, near, far), math.tau * chance[:, 1]
        x, y = here[:, 0] + distance * library.cos(angle), here[:, 1] + distance * library.sin(angle)
        self.post.put(self.arrays.tensor(library.stack((x, y, 0.0 * x + 0.5 * HEIGHT), -1)), mask)

    def terms(self) -> dict[str, Array]:
        """``lean``, 0.6 at best before the post lies and all that is missing to 1 from then on, and ``approach``."""
        up = self.arrays.of(self.post.root_axes)[:, 2, 2]
        library = library_of(up)
        direction, _ = unit(self.arrays.of(self.post.root_pos)[:, :2] - self.place())
        lies = up < KNOCKED
        coming = 0.4 * approach(self.velocity(), direction, SPEED)
        return {
            "lean": library.where(lies, 1.0, 0.6 * (1.0 - up).clip(min=0.0)),
            "approach": library.where(lies, 0.0, coming),
        }

    def fallen(self) -> Array:
        """(W,) bool: the root link is near the ground, or leans more than 70°."""
        low = self.arrays.of(self.robot.root_pos)[:, 2] < self._lowest
        return low | (self.arrays.of(self._gravity.read())[:, 2] > -math.cos(MAX_TILT))

    def metrics(self) -> dict[str, Tensor]:
        """See the class."""
        lies = self.arrays.of(self.post.root_axes)[:, 2, 2] < KNOCKED
        return {"struck": self.arrays.tensor(lies * 1.0), "fall": self.arrays.tensor(self._fell * 1.0)}
