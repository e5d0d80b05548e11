"""SkilledTask: what all tasks have in common that a skill prior can play: one legged robot on level ground.

Its ``proprio`` group is what a robot measures, and all that a prior's decoder reads. ``privileged`` is what only a
simulation knows, for critics; ``style`` is one frame of what discriminators compare with motion clips. A task adds
``goal``, what is asked of the robot, and says what is rewarded.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import gymnasium
import numpy as np
import torch
from torch import Tensor

from embodied.physics.world import World
from embodied.runs.errors import UserError
from embodied.scenes import Scene
from embodied.scenes.arenas.flat import FlatArena
from embodied.scenes.arrays import Array, arrays_of
from embodied.scenes.frames import from_yaw
from embodied.senses import Sense
from embodied.senses.body_velocity import Gyro, Velocimeter
from embodied.senses.foot_contacts import STANDING_FORCE, FootContacts
from embodied.senses.gravity import ProjectedGravity
from embodied.senses.history import History
from embodied.senses.joint_deviations import JointDeviations
from embodied.senses.joints import JointVelocities
from embodied.senses.remembered import Remembered
from embodied.senses.root_height import RootHeight
from embodied.senses.sense import Term
from embodied.senses.style import Style
from embodied.tasks.task import Task
from morphologies import Body

TIMESTEP = 0.005
"""s."""
DECIMATION = 4
"""Physics steps per control step: 50 Hz, as Han et al. (2024)."""
EPISODE_STEPS = 500
"""Control steps, 10 s. Peng et al. (2022)."""
HISTORY = 3
"""Control steps that ``proprio`` shows. Han et al. (2024) stack three."""
MAX_ACTION = 20.0
"""Magnitude to which actions are cut; at the Go1's scale 5 rad, beyond all ranges."""
MAX_TILT = math.radians(70.0)
"""Of the root link's z axis from the vertical, beyond which a robot has fallen."""
START_JOINTS = 0.05
"""Uniform ± on joint angles at the start, rad."""


class SkilledTask(Task):
    """One body with a free root, driven at 50 Hz: by targets about its default pose, or by torques where it has motors.

    Priors are for robots with position actuators alone.
    """

    default_body = "go1"
    episode_steps = EPISODE_STEPS
    _steps: Array
    _fell: Array

    def scene(self, bodies: Mapping[str, Body]) -> Scene:
        """Level ground with the robot on it; see `Task.scene`."""
        robot = bodies["robot"]
        if robot.root != "free":
            raise UserError(f"{self.name} needs a body that can go anywhere; the root of {robot.name} is {robot.root}")
        return Scene(FlatArena(), bodies, TIMESTEP, DECIMATION, props=self.props())

    def props(self) -> Mapping[str, Body]:
        """What else is in the scene."""
        return {}

    def start(self, scene: Scene, world: World, generator: torch.Generator) -> None:
        """Takes the World; see `Task.start`."""
        self.world, self.generator, self.dt = world, generator, scene.control_dt
        self.arrays = arrays_of(world)
        self.robot = scene.entities["robot"].view(world)
        entity = self.robot.entity
        feet, links = entity.body.feet, entity.link_names
        self._touch = tuple(f"touch/{link}" for link in links)
        self._feet = self.arrays.indices([links.index(foot) for foot in feet])
        self._action = self.remember("action", len(entity.actuators))
        self._fell = self.remember("fell", kind=torch.bool)
        self._steps = self.remember("steps", kind=torch.int64)
        self._gravity = ProjectedGravity(self.robot)
        self._history = self.history_with("action")
        self.memory["history"] = self._history.memory

    def history_with(self, action: str) -> History:
        """The latest readings of what a robot measures, and of an action that is remembered under this name."""
        last = Remembered(Term("last_action", len(self.robot.entity.actuators), "1", MAX_ACTION), self.memory[action])
        felt = (JointDeviations(self.robot), JointVelocities(self.robot), Gyro(self.robot), self._gravity, last)
        return History(felt, HISTORY, self.arrays, self.world.num_worlds)

    def remember(self, name: str, *shape: int, kind: torch.dtype | None = None) -> Array:
        """Registers memory, (W, *shape) zeros, and gives the array it lives in; of the engine's precision by default.

        Args:
            name: of the memory.
            shape: of one world's.
            kind: another type of numbers.
        """
        world = self.world
        self.memory[name] = torch.zeros(world.num_worlds, *shape, dtype=kind or self.arrays.real, device=world.device)
        return self.arrays.of(self.memory[name])

    def senses(self) -> Mapping[str, Sequence[Sense]]:
        """``proprio``, ``privileged`` and ``style``; see the module."""
        known = (Velocimeter(self.robot), RootHeight(self.robot), FootContacts(self.robot))
        return {"proprio": tuple(self._history.senses), "privileged": known, "style": (Style(self.robot),)}

    def action_space(self) -> gymnasium.spaces.Box:
        """Position actuators: about the default pose, in units of the body's action scale. Motors: part of a torque."""
        low, high = self.robot.entity.action_range.T.astype(np.float32)
        return gymnasium.spaces.Box(low, high)

    def reset(self, mask: Tensor) -> None:
        """The default pose at the origin, looking anywhere, joints a little off."""
        joints = len(self.robot.entity.joints)
        chance = self.arrays.chance(self.generator, len(mask), 1 + joints)
        write, signed = self.arrays.writer(mask), 2.0 * chance - 1.0
        heading = from_yaw(self.arrays.tensor(math.pi * signed[:, 0]))
        position = self.robot.origin.repeat(len(mask), 1)
        self.robot.set_root_pose(torch.cat((position, heading), dim=-1), mask)
        joint_pos = self.arrays.of(self.robot.joint_pos)
        write(joint_pos, joint_pos + START_JOINTS * signed[:, 1:])
        for memory in (self._action, self._fell, self._steps):
            write(memory, 0)

    def begin(self, mask: Tensor) -> None:
        """Nothing has moved yet: all of the history is the present."""
        self._history.fill(mask)

    def act(self, actions: Tensor) -> None:
        """Targets of the joints about the default pose, or torques."""
        self._action[...] = self.arrays.of(actions).clip(-MAX_ACTION, MAX_ACTION)
        self.robot.act(self.memory["action"])
        self._steps += 1

    def note_step(self) -> None:
        """Takes the step just made into history and falls; called by each task's `rewards`."""
        self._history.shift()
        self._fell[...] = self.fallen()

    def touching(self) -> Array:
        """(W, links) bool: which links touched something during the last substep."""
        return self.arrays.of(self.robot.sensor(*self._touch)) > STANDING_FORCE

    def fallen(self) -> Array:
        """(W,) bool: the root link touches something, or leans more than 70°."""
        return self.touching()[:, 0] | (self.arrays.of(self._gravity.read())[:, 2] > -math.cos(MAX_TILT))

    def terminated(self) -> Tensor:
        """Those that fell."""
        return self.memory["fell"].clone()
