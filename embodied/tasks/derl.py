"""What DERL's environments and evaluation tasks have in common: timing, proprioception, noise, control cost, falls.

Constants from its released configuration; see the reference of each task for what it adds.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import gymnasium
import numpy as np
import torch
from torch import Tensor

from embodied.physics.world import World
from embodied.scenes import Arena, Scene
from embodied.scenes.arrays import arrays_of, library_of
from embodied.scenes.ground import LevelGround
from embodied.senses import Sense
from embodied.senses.proprioception import proprioception
from embodied.tasks.task import Task
from morphologies import Body

TIMESTEP = 0.005
"""s."""
DECIMATION = 4
"""Physics steps per control step: 50 Hz."""
EPISODE_STEPS = 1000
"""Control steps, 20 s."""
RESET_NOISE = 5e-3
"""Uniform ± on every position and velocity, in its own unit."""
CONTROL_COST = 1e-3
"""Per squared unit of action."""
FALL_FACTOR = 0.5
"""Part of its standing height, above the ground under it, below which the head counts as fallen."""
EDGE_MARGIN = 1.0
"""Distance from a side of the arena that ends an episode, m."""


class DerlTask(Task):
    """One body, 20 s, with DERL's noise, control cost and falls. A task gives its arena, senses and reward.

    An episode ends when the head comes near an edge of the arena, or falls: when it is no higher above the ground under
    it than ``fall_factor`` of its standing height. A body whose limbs all lie level stands with its head at 0: it
    cannot fall.
    """

    default_body = "ant"
    episode_steps = EPISODE_STEPS
    starts_alike = True
    body_constants = ("fall_height",)
    fall_factor = FALL_FACTOR
    rear_edge = True
    """Whether the arena has an edge behind the start."""

    def __init__(self, arena: Arena) -> None:
        super().__init__()
        self.arena = arena

    def props(self) -> Mapping[str, Body]:
        """Things in the scene that do not act."""
        return {}

    def place(self) -> tuple[float, float]:
        """x and y of the robot at the start, m."""
        return (0.0, 0.0)

    def scene(self, bodies: Mapping[str, Body]) -> Scene:
        """The arena with the robot and the props in it."""
        self.fall_height = self.fall_factor * bodies["robot"].standing_height
        return Scene(self.arena, bodies, TIMESTEP, DECIMATION, {"robot": self.place()}, self.props())

    def start(self, scene: Scene, world: World, generator: torch.Generator) -> None:
        """Takes the World; see `Task.start`."""
        self.world = world
        self.robot = scene.entities["robot"].view(world)
        self.ground = self.arena.ground(world)
        self.generator = generator
        self.dt = scene.control_dt
        self.head = self.robot.root_pos
        self.level = isinstance(self.ground, LevelGround)
        self._fall_height = self.robot.per_world(self.fall_height)[..., 0]
        side = self.arena.half_width - EDGE_MARGIN
        rear = EDGE_MARGIN - self.arena.behind if self.rear_edge else -math.inf
        self.lowest = self.robot.per_world(rear, -side, self.fall_height if self.level else -math.inf)
        self.highest = self.robot.constant([self.arena.ahead - EDGE_MARGIN, side, math.inf])
        self.arrays = arrays_of(world)
        self._edges = [self.arrays.of(tensor) for tensor in (self.head, self.lowest, self.highest)]
        self.actions = torch.zeros(world.num_worlds, len(scene.entities["robot"].actuators), device=world.device)

    def senses(self) -> Mapping[str, Sequence[Sense]]:
        """Proprioception."""
        return {"proprio": proprioception(self.robot)}

    def action_space(self) -> gymnasium.spaces.Box:
        """One number per actuator: of a motor, a fraction of its largest torque; beyond the space the engine clamps."""
        low, high = self.robot.entity.action_range.T.astype(np.float32)
        return gymnasium.spaces.Box(low, high)

    def reset(self, mask: Tensor) -> None:
        """Adds noise to the default state."""
        self.robot.perturb(RESET_NOISE, mask, self.generator)

    def remember(self, mask: Tensor, **values: Tensor) -> None:
        """Writes (W,) values into the memory of that name where the mask holds."""
        for name, value in values.items():
            torch.where(mask, value, self.memory[name], out=self.memory[name])

    def act(self, actions: Tensor) -> None:
        """Torques or targets; see `EntityView.act`."""
        self.actions = actions
        self.robot.act(actions)

    def control_cost(self) -> Tensor:
        """(W,) 1e-3 Σ a² of the action as the policy gave it, negative."""
        actions = self.arrays.of(self.actions)
        return self.arrays.tensor(library_of(actions).linalg.vecdot(actions, actions) * -CONTROL_COST)

    def fallen(self) -> Tensor:
        """(W,) bool: the head is too low over the ground under it."""
        head = self.robot.root_pos
        return head[:, 2] - self.ground.height(head[:, None, :2])[:, 0] <= self._fall_height

    def terminated(self) -> Tensor:
        """The head is too low or near an edge of the arena: one comparison where the ground is level."""
        head, lowest, highest = self._edges
        ended = self.arrays.tensor(((head <= lowest) | (head >= highest)).any(-1))
        return ended if self.level else ended | self.fallen()
