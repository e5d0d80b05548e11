"""SkilledGoalTask: goals that change at random times within an episode. The task-training tasks of Peng et al. (2022).

Times are in control steps of 50 Hz; the paper's, of 30 Hz, are kept in seconds.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from embodied.physics.world import World
from embodied.scenes import Scene
from embodied.scenes.arrays import Array, library_of, whole
from embodied.senses import Sense
from embodied.senses.style import heading_of
from embodied.tasks.skilled import SkilledTask

FULL_SPEED = 4.0
"""Per m²/s², of how far the speed towards a goal falls short. Peng et al. (2022)."""


class SkilledGoalTask(SkilledTask):
    """A task gives its goal's numbers, the group ``goal``, and its reward terms."""

    starts_alike = True
    goal_steps: tuple[int, int] = (167, 333)
    """Least and largest number of control steps between goals: 3.3 to 6.7 s. Peng et al. (2022)."""

    def start(self, scene: Scene, world: World, generator: torch.Generator) -> None:
        """Takes the World; see `Task.start`."""
        super().start(scene, world, generator)
        self._renew_at = self.remember("renew_at", kind=torch.int64)

    def senses(self) -> Mapping[str, Sequence[Sense]]:
        """Those of a `SkilledTask`, and ``goal``."""
        groups = super().senses()
        return {"proprio": groups["proprio"], "goal": tuple(self.goal_senses()), **groups}

    @abstractmethod
    def goal_senses(self) -> Sequence[Sense]:
        """What is shown of the goal."""

    @abstractmethod
    def draw_goal(self, mask: Tensor) -> None:
        """Draws a goal where the mask (W,) holds; robots stand where they are."""

    @abstractmethod
    def terms(self) -> dict[str, Array]:
        """The reward terms of the step just made, (W,) each."""

    def reset(self, mask: Tensor) -> None:
        """The default pose, and a goal."""
        super().reset(mask)
        self._renew(mask)

    def rewards(self) -> dict[str, Tensor]:
        """The task's terms; afterwards goals that are due change, so that the next observation shows them."""
        self.note_step()
        named = self.terms()
        due = self._steps >= self._renew_at
        if self.arrays.possibly(due):
            self._renew(self.arrays.tensor(due))
        return {name: self.arrays.tensor(term) for name, term in named.items()}

    def _renew(self, mask: Tensor) -> None:
        low, high = self.goal_steps
        chance = self.arrays.chance(self.generator, len(mask))
        self.arrays.writer(mask)(self._renew_at, self._steps + low + whole(chance * (high - low + 1)))
        self.draw_goal(mask)

    def facing(self) -> tuple[Array, Array]:
        """(W,) twice: x and y of the unit vector along the robot's heading."""
        return heading_of(self.arrays.of(self.robot.root_axes))

    def velocity(self) -> Array:
        """(W, 2) Horizontal, in the world's frame, m/s."""
        return self.arrays.of(self.robot.root_velocity)[:, :2]

    def place(self) -> Array:
        """(W, 2) Horizontal, of the root link, m."""
        return self.arrays.of(self.robot.root_pos)[:, :2]


def approach(velocity: Array, direction: Array, speed: float) -> Array:
    """(W,) 1 for coming at ``speed``, m/s, or faster along unit vectors (W, 2); 0 for going away."""
    library = library_of(velocity)
    along = library.linalg.vecdot(velocity, direction)
    missing = (speed - along).clip(min=0.0)
    return library.where(along > 0.0, library.exp(-FULL_SPEED * missing**2), 0.0)


def unit(vectors: Array) -> tuple[Array, Array]:
    """(W, 2) Directions, and (W,) lengths; no direction where there is no length."""
    library = library_of(vectors)
    length = library.sqrt(library.linalg.vecdot(vectors, vectors))
    return vectors / length.clip(min=1e-6)[:, None], length
