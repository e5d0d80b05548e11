"""Flat: run forward over level ground. DERL's FT environment, constants from its released configuration."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import gymnasium
import numpy as np
import torch
from torch import Tensor

from embodied.physics.world import World
from embodied.scenes import Scene
from embodied.scenes.arenas.flat import FlatArena
from embodied.senses import Sense
from embodied.senses.imu import Imu
from embodied.senses.joints import JointPositions, JointVelocities
from embodied.senses.limb_ends import LimbEnds
from embodied.senses.root_velocity import RootVelocity
from embodied.senses.touch import Touch
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
"""Part of the cleared spawn height below which the head counts as fallen."""
SPAWN_CLEARANCE = 0.2
"""Between the lowest limb tip and the ground at the start, m."""
EDGE_MARGIN = 1.0
"""Distance from the arena's edge that ends an episode, m. As in DERL there is no such rule behind the start."""


class Flat(Task):
    """Reward: the head's forward velocity, m/s, less a control cost. Ends on a fall or near the arena's edge."""

    name = "flat"
    default_body = "ant"
    episode_steps = EPISODE_STEPS
    starts_alike = True
    fitness_term = "forward"

    def __init__(self) -> None:
        super().__init__()
        self._arena = FlatArena()

    def scene(self, bodies: Mapping[str, Body]) -> Scene:
        """A level floor with the robot on it."""
        self._fall_height = FALL_FACTOR * (bodies["robot"].spawn_height - SPAWN_CLEARANCE)
        return Scene(self._arena, bodies, TIMESTEP, DECIMATION)

    def start(self, scene: Scene, world: World, generator: torch.Generator) -> None:
        """Takes the World; see `Task.start`."""
        self._robot = scene.entities["robot"].view(world)
        self._generator = generator
        self._dt = scene.control_dt
        self._actions = torch.zeros(world.num_worlds, len(scene.entities["robot"].actuators), device=world.device)
        self._head = self._robot.root_pos
        self._x = self._head[:, 0]
        self.memory["previous_x"] = self._x.clone()
        side = self._arena.half_width - EDGE_MARGIN
        ahead = self._arena.ahead - EDGE_MARGIN
        bounds = [[-math.inf, -side, self._fall_height], [ahead, side, math.inf]]
        self._lowest, self._highest = self._head.new_tensor(bounds)

    def senses(self) -> Mapping[str, Sequence[Sense]]:
        """Proprioception: joints, root velocity, inertial unit, touch, and where the limbs end."""
        robot = self._robot
        return {
            "proprio": (
                JointPositions(robot),
                RootVelocity(robot),
                JointVelocities(robot),
                Imu(robot),
                Touch(robot),
                LimbEnds(robot),
            )
        }

    def action_space(self) -> gymnasium.spaces.Box:
        """One number per motor, a fraction of its largest torque; beyond ±1 the engine clamps it."""
        low, high = self._robot.entity.control_range.T.astype(np.float32)
        return gymnasium.spaces.Box(low, high)

    def reset(self, mask: Tensor) -> None:
        """Adds noise to the default state."""
        self._robot.perturb(RESET_NOISE, mask, self._generator)

    def begin(self, mask: Tensor) -> None:
        """Measures the first step's progress from where the noise put the head."""
        torch.where(mask, self._x, self.memory["previous_x"], out=self.memory["previous_x"])

    def act(self, actions: Tensor) -> None:
        """Torques, as fractions of the motors' gears."""
        self._actions = actions
        self._robot.controls = actions

    def rewards(self) -> dict[str, Tensor]:
        """``forward``: velocity of the head along x over the step, m/s. ``control_cost``: 1e-3 Σ a², negative."""
        forward = (self._x - self.memory["previous_x"]).div_(self._dt)
        self.memory["previous_x"].copy_(self._x)
        return {"forward": forward, "control_cost": torch.linalg.vecdot(self._actions, self._actions) * -CONTROL_COST}

    def terminated(self) -> Tensor:
        """The head is too low, or near a side or the far end of the arena.

        A body whose limbs all lie level starts with its head at 0.2 m, for which DERL's rule gives 0: it cannot fall.
        """
        return ((self._head <= self._lowest) | (self._head >= self._highest)).any(dim=-1)
