"""Scene: an arena and named bodies composed into one fresh MjSpec, compiled once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

import mujoco
import numpy as np

from embodied.physics.world import World
from embodied.scenes.entity import Entity
from embodied.scenes.ground import Ground
from morphologies import Body

START = "start"
"""Name of the keyframe that Worlds are reset to: bodies in their default poses, position actuators holding them."""
BODY_GROUP = 1
"""Geom group of bodies that act; arenas and props are of group 0, which is all that rays for senses see."""


class Arena(Protocol):
    """A ground to stand on."""

    @property
    def ahead(self) -> float:
        """Extent from the origin along x, m."""
        ...

    @property
    def behind(self) -> float:
        """Extent from the origin against x, m."""
        ...

    @property
    def half_width(self) -> float:
        """Extent to each side, m."""
        ...

    @property
    def varying(self) -> tuple[str, ...]:
        """Model fields that differ between worlds, such as which height field they stand on."""
        ...

    def spec(self) -> mujoco.MjSpec:
        """A fresh spec of the ground and what belongs to it."""
        ...

    def finish(self, model: mujoco.MjModel) -> None:
        """Writes what can only be written once all is compiled, such as heights in metres."""
        ...

    def ground(self, world: World) -> Ground:
        """How high the ground is, in a World made from a scene with this arena."""
        ...


class Scene:
    """An arena with bodies in it, under their names as prefixes: ``robot/torso/0``."""

    def __init__(
        self,
        arena: Arena,
        bodies: Mapping[str, Body],
        timestep: float = 0.005,
        decimation: int = 4,
        places: Mapping[str, tuple[float, float]] | None = None,
        props: Mapping[str, Body] | None = None,
        varying: Sequence[str] = (),
    ) -> None:
        """Composes and compiles.

        Args:
            arena: the ground.
            bodies: by the names of their entities.
            timestep: of the physics, s.
            decimation: physics steps per control step.
            places: x and y of a body's root link in the default pose, m; the origin where not given. A free body can
                be put elsewhere later, a planar or fixed one stands where it is compiled.
            props: things that do not act, by the names of their entities.
            varying: model fields that differ between worlds, besides those of the arena.

        Raises:
            ValueError: a place for a body that is not there, a name with a slash, or a model with non-finite numbers.
        """
        self.arena = arena
        self.decimation = decimation
        self.varying = tuple(dict.fromkeys((*arena.varying, *varying)))
        """Names of the model fields that differ between worlds."""
        places = dict(places or {})
        actors = bodies.keys()
        bodies = {**bodies, **(props or {})}
        if stray := places.keys() - bodies.keys():
            raise ValueError(f"places are given for {', '.join(sorted(stray))}, which the scene does not hold")
        if slashed := [name for name in bodies if "/" in name]:
            raise ValueError(f"names of entities become prefixes and hold no slash: {', '.join(slashed)}")
        spec = arena.spec()
        spec.compiler.degree = False
        spec.option.timestep = timestep
        for name, body in bodies.items():
            x, y = places.get(name, (0.0, 0.0))
            frame = spec.worldbody.add_frame(pos=[x, y, body.spawn_height])
            own = body.spec()
            if name in actors:
                for geom in own.geoms:
                    geom.group = geom.group or BODY_GROUP
            spec.attach(own, prefix=f"{name}/", frame=frame)
        spec.add_key(name=START)
        self.model = spec.compile()
        _refuse_non_finite(self.model)
        if self.model.ntree < 2:
            # Islands are what touches and is solved apart from the rest. One body is one island at most: the search for
            # it takes a fifteenth of a step and changes not one bit of it (docs/physics-speed.md).
            self.model.opt.disableflags |= int(mujoco.mjtDisableBit.mjDSBL_ISLAND)
        arena.finish(self.model)
        self.entities = {name: Entity(name, self.model, body) for name, body in bodies.items()}
        start = self.model.key(START)
        for entity in self.entities.values():
            entity.write_pose(start.qpos, start.ctrl)

    @property
    def timestep(self) -> float:
        """Of the physics, s."""
        return float(self.model.opt.timestep)

    @property
    def control_dt(self) -> float:
        """Time between two control steps, s."""
        return self.timestep * self.decimation


def _refuse_non_finite(model: mujoco.MjModel) -> None:
    """MuJoCo compiles ``nan`` positions and infinite masses without an error; nothing good comes of them."""
    for name in ("body_pos", "body_mass", "body_inertia", "geom_size", "geom_pos", "jnt_range", "actuator_gear"):
        if not np.isfinite(getattr(model, name)).all():
            raise ValueError(f"the compiled model has non-finite values in {name}")
