"""Pushing an object to a goal: DERL's manipulation formula, and how an object and its goal are placed."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from embodied.physics.world import World
from embodied.scenes import Arena, Scene
from embodied.scenes.props import mark
from embodied.senses import Sense
from embodied.senses.objects import ObjectState
from embodied.tasks.derl import DerlTask
from morphologies import Body

PROGRESS_REWARD = 100.0
"""Per metre of approach to the object, then of the object to its goal."""
ARRIVAL_REWARD = 10.0
"""Once, for coming to the object; then per step with the object at its goal."""
AHEAD = (15.0, 24.0)
"""From the start to the object, and from the object to its goal, along x, m."""
ASIDE = 10.0
"""Largest distance of either from the middle of the arena along y, m."""
EDGE_GAP = 2.0
"""Least distance of object and goal from the arena's edges, m. DERL's mixes metres with cells; ours is in metres."""


class PushingTask(DerlTask):
    """An object has to be found, and then brought to a goal.

    Until the body first comes within the margin of the object, the reward is 100 x the decrease of its distance to it,
    m, and 10 on that arrival. From the next step on it is 100 x the decrease of the object's distance to the goal, m,
    and 10 on every step that it is within the margin. Less a control cost throughout.

    The body's distance is that of whichever of its points, the head's centre and the limbs' ends, is nearest to the
    object, in space; how it is measured is the object's matter. The object's is that of its centre to the goal, in
    space; the goal lies where the centre of an object at rest would be.

    Metrics that all such tasks share: ``arrived`` and ``delivered``, 1 once the body has been at the object, and once
    the object has been at the goal after that; ``approach``, how much nearer it is to the goal than at first, m.

    As in DERL no edge behind the start ends an episode.
    """

    fitness_term = "manipulation"
    rear_edge = False

    def __init__(self, arena: Arena, thing: Body, margin: float) -> None:
        """``margin``: within which one is at the object, and the object at its goal, m."""
        super().__init__(arena)
        self.thing_body, self.margin = thing, margin

    @abstractmethod
    def nearest(self, points: Tensor) -> Tensor:
        """(W,) Distance, m, of the nearest of (W, N, 3) points, given in the object's frame, to the object."""

    def props(self) -> Mapping[str, Body]:
        """The object, and the mark on the goal."""
        return {"object": self.thing_body, "goal": mark(self.margin, "goal")}

    def start(self, scene: Scene, world: World, generator: torch.Generator) -> None:
        """Takes the World; see `Task.start`."""
        super().start(scene, world, generator)
        self.thing, self.goal = (scene.entities[name].view(world) for name in ("object", "goal"))
        self._ends = [name for name in scene.entities["robot"].sensors if name.startswith("limb/end/")]
        self._thing_pos, self._goal_pos = self.thing.root_pos, self.goal.root_pos
        self.memory["to_object"] = self.to_object()
        self.memory["to_goal"] = self.to_goal()
        self.memory["first_to_object"] = self.memory["to_object"].clone()
        self.memory["first_to_goal"] = self.memory["to_goal"].clone()
        for name in ("arrived", "delivered"):
            self.memory[name] = torch.zeros(world.num_worlds, dtype=torch.bool, device=world.device)

    def senses(self) -> Mapping[str, Sequence[Sense]]:
        """Proprioception, and the object with its goal."""
        return {**super().senses(), "object": (ObjectState(self.robot, self.thing, self.goal),)}

    def to_object(self) -> Tensor:
        """(W,) From the nearest point of the body to the object, m."""
        axes = self.thing.root_axes
        points = (self.head - self._thing_pos)[:, None] @ axes
        if self._ends:
            ends = self.robot.sensor(*self._ends).unflatten(-1, (-1, 3))
            points = torch.cat((torch.baddbmm(points, ends, self.robot.root_axes.mT @ axes), points), dim=1)
        return self.nearest(points)

    def to_goal(self) -> Tensor:
        """(W,) From the object to the goal, m."""
        return torch.linalg.vector_norm(self._goal_pos - self._thing_pos, dim=-1)

    def begin(self, mask: Tensor) -> None:
        """Measures the distances that progress is counted from; nobody has arrived."""
        to_object, to_goal = self.to_object(), self.to_goal()
        self.remember(mask, to_object=to_object, first_to_object=to_object, to_goal=to_goal, first_to_goal=to_goal)
        for name in ("arrived", "delivered"):
            self.memory[name].masked_fill_(mask, False)

    def rewards(self) -> dict[str, Tensor]:
        """``manipulation``: the formula. ``control_cost``: 1e-3 Σ a², negative."""
        to_object, to_goal = self.to_object(), self.to_goal()
        arrived = self.memory["arrived"]
        before = torch.where(arrived, self.memory["to_goal"], self.memory["to_object"])
        now = torch.where(arrived, to_goal, to_object)
        there = now < self.margin
        reward = (before - now).mul_(PROGRESS_REWARD).add_(there, alpha=ARRIVAL_REWARD)
        self.memory["to_object"].copy_(to_object)
        self.memory["to_goal"].copy_(to_goal)
        self.memory["delivered"] |= there & arrived
        arrived |= there
        return {"manipulation": reward, "control_cost": self.control_cost()}

    def metrics(self) -> dict[str, Tensor]:
        """``arrived``, ``delivered`` (0 or 1) and ``approach`` (m)."""
        memory = self.memory
        return {
            "arrived": memory["arrived"].to(memory["to_goal"].dtype),
            "delivered": memory["delivered"].to(memory["to_goal"].dtype),
            "approach": memory["first_to_goal"] - memory["to_goal"],
        }

    def draw_places(self, mask: Tensor, rest: float) -> None:
        """Draws the object 15 to 24 m ahead and the goal as far again beyond it, both up to 10 m aside.

        What would lie closer to an edge than the gap is moved to it. Both lie on the ground under them.

        Args:
            mask: (W,) bool, worlds in which they are put there.
            rest: height of the centre of an object at rest, m; half its width.
        """
        uniform = torch.rand((len(mask), 4), generator=self.generator, dtype=torch.float64, device=mask.device)
        nearest, farthest = AHEAD
        x = (nearest + (farthest - nearest) * uniform[:, :2]).cumsum(dim=1).clamp_(max=self.arena.ahead - EDGE_GAP)
        side = min(ASIDE, self.arena.half_width - EDGE_GAP)
        y = (2.0 * uniform[:, 2:] - 1.0) * side
        for number, view in enumerate((self.thing, self.goal)):
            place = torch.stack((x[:, number], y[:, number]), dim=-1)
            height = self.highest_under(place, rest) + rest
            view.put(torch.cat((place, height[:, None]), dim=-1), mask)

    def highest_under(self, places: Tensor, half_side: float) -> Tensor:
        """(W,) Height of the highest ground, m, under squares around (W, 2) places."""
        offset = half_side * torch.arange(-1, 2, dtype=places.dtype, device=places.device)
        return self.ground.height(places[:, None] + torch.cartesian_prod(offset, offset)).amax(dim=1)


def nearest_face(points: Tensor, half_side: float) -> Tensor:
    """(W,) Distance, m, of the nearest of (W, N, 3) points to the middle of the nearest face of a cube at the origin.

    A face's middle lies at ±h along an axis, so the square of a point's distance to it is |p|² ∓ 2 h p_k + h².
    """
    squared = points.square().sum(dim=-1) - 2 * half_side * points.abs().amax(dim=-1) + half_side**2
    return squared.amin(dim=-1).clamp_(min=0.0).sqrt_()


def nearest_surface(points: Tensor, radius: float) -> Tensor:
    """(W,) Distance, m, of the nearest of (W, N, 3) points to the surface of a ball at the origin; never negative."""
    return torch.linalg.vector_norm(points, dim=-1).amin(dim=-1).sub_(radius).clamp_(min=0.0)
