"""Props: things in a scene that move but do not act, each a Body with a free root and no joints of its own."""

from __future__ import annotations

import mujoco

from morphologies import Body

COLOUR = (0.80, 0.33, 0.26, 1.0)
FRICTION = (0.7, 0.1, 0.1)
"""Sliding, torsional, rolling; DERL's default for all geoms."""
FACES = ((1, 0, 0), (-1, 0, 0), (0, 1, 0), (0, -1, 0), (0, 0, 1), (0, 0, -1))


def box(half_side: float, mass: float, name: str = "box") -> Body:
    """A cube that can be pushed.

    Args:
        half_side: m.
        mass: kg.
        name: of the body.
    """

    def spec() -> mujoco.MjSpec:
        made = mujoco.MjSpec()
        body = made.worldbody.add_body(name=name)
        body.add_freejoint(name="root")
        kind = mujoco.mjtGeom.mjGEOM_BOX
        body.add_geom(name=name, type=kind, size=[half_side] * 3, mass=mass, friction=FRICTION, rgba=COLOUR)
        return made

    return Body(name, spec, "free", half_side, clearance=0.0)


def ball(radius: float, density: float, solref: tuple[float, float], name: str = "ball") -> Body:
    """A ball that can be pushed and rolls.

    Args:
        radius: m.
        density: kg/m³.
        solref: of its contacts, in MuJoCo's direct format: (-stiffness, -damping).
        name: of the body.
    """

    def spec() -> mujoco.MjSpec:
        made = mujoco.MjSpec()
        body = made.worldbody.add_body(name=name)
        body.add_freejoint(name="root")
        body.add_geom(
            name=name,
            type=mujoco.mjtGeom.mjGEOM_SPHERE,
            size=[radius, 0, 0],
            density=density,
            friction=FRICTION,
            condim=6,
            priority=1,
            solref=solref,
            rgba=COLOUR,
        )
        return made

    return Body(name, spec, "free", radius, clearance=0.0)
