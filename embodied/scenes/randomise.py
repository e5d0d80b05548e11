"""Randomisation of the physics: friction, masses, gains and action delay drawn anew for each world.

A policy that copes with all of them has a chance on a robot, of which none is known exactly.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import mujoco
import numpy as np
import torch
from torch import Tensor

from embodied.physics.world import World
from embodied.scenes.entity import Entity
from morphologies import Body

VARYING = (
    "geom_friction",
    "body_mass",
    "body_inertia",
    "body_ipos",
    "actuator_gainprm",
    "actuator_biasprm",
    "actuator_delay",
)
"""Model fields that `Randomiser` writes; a scene declares them as varying."""


@dataclass(frozen=True)
class Ranges:
    """How far each quantity is drawn, uniformly."""

    friction: tuple[float, float] = (0.4, 1.25)
    """Sliding friction coefficient of everything on everything."""
    mass: float = 0.15
    """Of the root link, ± this part of it; its inertia goes along."""
    centre_of_mass: float = 0.03
    """Of the root link, ± along each of its axes, m."""
    gains: float = 0.10
    """Of each actuator, ± this part: stiffness and damping of position control apart, the torque of motors."""
    action_delay: float = 0.02
    """Largest time from a control's being given to its taking effect, s; drawn from 0."""


def randomisable(body: Body, ranges: Ranges, timestep: float) -> Body:
    """The body with what the engine must know when it compiles: delayed controls, and a root link that can change.

    Args:
        body: stays as it is.
        ranges: how long controls are kept.
        timestep: of the physics, s.
    """

    def spec() -> mujoco.MjSpec:
        made = body.spec()
        # A root link whose centre of mass lies at its origin would be compiled for that.
        made.worldbody.first_body().simple = 0
        for actuator in made.actuators:
            actuator.delay = ranges.action_delay
            actuator.nsample = int(np.ceil(ranges.action_delay / timestep - 1e-9)) + 1
        return made

    return replace(body, spec=spec)


class Randomiser:
    """Draws the physics of worlds, of one entity made by `randomisable`.

    Draws are around what the model says, never around an earlier draw.
    """

    def __init__(self, entity: Entity, world: World, ranges: Ranges = Ranges()) -> None:
        """Takes a World that varies the fields in `VARYING`."""
        self.ranges = ranges
        self._world = world
        self._root = entity.bodies[0]
        self._links = np.array(entity.bodies)
        self._actuators = np.array(entity.actuators, dtype=np.int64)
        self._columns = 6 + 2 * len(self._actuators)
        self._parameters = {name: world.parameters[name].numpy() for name in VARYING}

    def draw(self, mask: Tensor, generator: torch.Generator) -> None:
        """Draws anew where the mask (W,) holds; the generator moves on alike whatever the mask."""
        worlds = mask.numpy().nonzero()[0]
        chance = torch.rand(len(mask), self._columns, dtype=torch.float64, generator=generator).numpy()[worlds]
        signed = 2.0 * chance - 1.0
        model, ranges, parameters = self._world.model, self.ranges, self._parameters
        low, high = ranges.friction
        parameters["geom_friction"][worlds, :, 0] = low + (high - low) * chance[:, :1]
        heavier = 1.0 + ranges.mass * signed[:, 1]
        parameters["body_mass"][worlds, self._root] = model.body_mass[self._root] * heavier
        parameters["body_inertia"][worlds, self._root] = model.body_inertia[self._root] * heavier[:, None]
        shift = ranges.centre_of_mass * signed[:, 2:5]
        parameters["body_ipos"][worlds, self._root] = model.body_ipos[self._root] + shift
        at, actuators = np.ix_(worlds, self._actuators), self._actuators
        parameters["actuator_delay"][at] = ranges.action_delay * chance[:, 5:6]
        stiffer, dampened = np.split(1.0 + ranges.gains * signed[:, 6:], 2, axis=1)
        parameters["actuator_gainprm"][(*at, 0)] = model.actuator_gainprm[actuators, 0] * stiffer
        parameters["actuator_biasprm"][(*at, 1)] = model.actuator_biasprm[actuators, 1] * stiffer
        parameters["actuator_biasprm"][(*at, 2)] = model.actuator_biasprm[actuators, 2] * dampened
        self._world.refresh_constants(mask)

    def mass(self) -> np.ndarray:
        """(W,) Of the whole entity, kg, a copy."""
        return self._parameters["body_mass"][:, self._links].sum(axis=1)
