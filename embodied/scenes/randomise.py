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
from embodied.scenes.arrays import Array, arrays_of
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
        self._arrays = arrays_of(world)
        self._root = entity.bodies[0]
        self._links, self._actuators = _span(entity.bodies), _span(entity.actuators)
        self._parameters = {name: self._arrays.of(world.parameters[name]) for name in VARYING}
        model, count = world.model, len(entity.actuators)
        self._columns = 6 + 2 * count
        self._stiffer, self._dampened = slice(6, 6 + count), slice(6 + count, None)
        drawn_around = {
            "body_mass": model.body_mass[self._root],
            "body_inertia": model.body_inertia[self._root],
            "body_ipos": model.body_ipos[self._root],
            "gain": model.actuator_gainprm[self._actuators, 0],
            "stiffness": model.actuator_biasprm[self._actuators, 1],
            "damping": model.actuator_biasprm[self._actuators, 2],
        }
        self._around = {
            name: self._arrays.of(torch.tensor(value, dtype=self._arrays.real, device=world.device))
            for name, value in drawn_around.items()
        }

    def draw(self, mask: Tensor, generator: torch.Generator) -> None:
        """Draws anew where the mask (W,) holds; the generator moves on alike whatever the mask."""
        chance = self._arrays.chance(generator, len(mask), self._columns)
        signed = 2.0 * chance - 1.0
        ranges, parameters, around, write = self.ranges, self._parameters, self._around, self._arrays.writer(mask)
        low, high = ranges.friction
        write(parameters["geom_friction"][:, :, 0], low + (high - low) * chance[:, :1])
        heavier = 1.0 + ranges.mass * signed[:, 1]
        write(parameters["body_mass"][:, self._root], around["body_mass"] * heavier)
        write(parameters["body_inertia"][:, self._root], around["body_inertia"] * heavier[:, None])
        write(parameters["body_ipos"][:, self._root], around["body_ipos"] + ranges.centre_of_mass * signed[:, 2:5])
        write(parameters["actuator_delay"][:, self._actuators], ranges.action_delay * chance[:, 5:6])
        stiffer, dampened = (1.0 + ranges.gains * signed[:, part] for part in (self._stiffer, self._dampened))
        write(parameters["actuator_gainprm"][:, self._actuators, 0], around["gain"] * stiffer)
        write(parameters["actuator_biasprm"][:, self._actuators, 1], around["stiffness"] * stiffer)
        write(parameters["actuator_biasprm"][:, self._actuators, 2], around["damping"] * dampened)
        self._world.refresh_constants(mask)

    def mass(self) -> Array:
        """(W,) Of the whole entity, kg, a copy."""
        return self._parameters["body_mass"][:, self._links].sum(1)


def _span(ids: list[int]) -> slice:
    """Where an entity's parts lie; those of one spec that was attached lie side by side."""
    first = ids[0] if ids else 0
    if ids != list(range(first, first + len(ids))):
        raise ValueError(f"the parts of an entity lie scattered in the model: {ids}")
    return slice(first, first + len(ids))
