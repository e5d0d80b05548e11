"""Props: things in a scene that do not act: boxes and balls that can be pushed, and marks that show a place."""

from __future__ import annotations

import mujoco

from morphologies import Body

COLOUR = (0.80, 0.33, 0.26, 1.0)
FRICTION = (0.7, 0.1, 0.1)
"""Sliding, torsional, rolling; DERL's default for all geoms."""
BALL_FRICTION = (0.7, 0.005, 0.005)
"""Of a ball, so that it rolls: what dm_control's balls customarily have."""
MARK_COLOUR = (0.16, 0.55, 0.42, 0.55)
MARK_GROUP = 2
"""Geom group of marks: drawn, but not seen by rays for senses, which see group 0."""
POLE_HEIGHT = 1.5
"""m."""


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


def pillar(half_side: float, height: float, mass: float, name: str = "pillar") -> Body:
    """A square post that stands on its foot and can be knocked over.

    Args:
        half_side: m.
        height: m.
        mass: kg.
        name: of the body.
    """

    def spec() -> mujoco.MjSpec:
        made = mujoco.MjSpec()
        body = made.worldbody.add_body(name=name)
        body.add_freejoint(name="root")
        size = [half_side, half_side, 0.5 * height]
        body.add_geom(name=name, type=mujoco.mjtGeom.mjGEOM_BOX, size=size, mass=mass, friction=FRICTION, rgba=COLOUR)
        return made

    return Body(name, spec, "free", 0.5 * height, clearance=0.0)


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
            friction=BALL_FRICTION,
            condim=6,
            priority=1,
            solref=solref,
            rgba=COLOUR,
        )
        return made

    return Body(name, spec, "free", radius, clearance=0.0)


def marker(radius: float, name: str = "marker") -> Body:
    """A small ball that shows a point in the air. Nothing touches it; tasks put it where they like.

    Args:
        radius: m.
        name: of the body.
    """

    def spec() -> mujoco.MjSpec:
        made = mujoco.MjSpec()
        body = made.worldbody.add_body(name=name, mocap=True)
        body.add_geom(
            name=name,
            type=mujoco.mjtGeom.mjGEOM_SPHERE,
            size=[radius, 0, 0],
            contype=0,
            conaffinity=0,
            group=MARK_GROUP,
            rgba=MARK_COLOUR,
        )
        return made

    return Body(name, spec, "fixed", 0.0, clearance=0.0)


def mark(radius: float, name: str = "mark") -> Body:
    """A disc with a pole on it that shows a place. Nothing touches it; tasks put it where they like.

    Args:
        radius: of the disc, m: how near is near enough.
        name: of the body.
    """

    def spec() -> mujoco.MjSpec:
        made = mujoco.MjSpec()
        body = made.worldbody.add_body(name=name, mocap=True)
        shapes = {
            "disc": (mujoco.mjtGeom.mjGEOM_CYLINDER, [radius, 0.01, 0], 0.0),
            "pole": (mujoco.mjtGeom.mjGEOM_CYLINDER, [0.02, POLE_HEIGHT / 2, 0], POLE_HEIGHT / 2),
            "knob": (mujoco.mjtGeom.mjGEOM_SPHERE, [0.08, 0, 0], POLE_HEIGHT),
        }
        for part, (kind, size, height) in shapes.items():
            body.add_geom(
                name=part,
                type=kind,
                size=size,
                pos=[0, 0, height],
                contype=0,
                conaffinity=0,
                group=MARK_GROUP,
                rgba=MARK_COLOUR,
            )
        return made

    return Body(name, spec, "fixed", 0.0, clearance=0.0)
