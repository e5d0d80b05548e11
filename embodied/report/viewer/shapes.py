"""Which solids a body is drawn with, and where they are when its links are somewhere."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import mujoco
import numpy as np

from embodied.report.viewer.solids import Solid

HIDDEN_GROUP = 3
"""Geoms of this group and above are not drawn, as in MuJoCo's own viewer."""
_TYPES = mujoco.mjtGeom
_GROUND = (int(_TYPES.mjGEOM_PLANE), int(_TYPES.mjGEOM_HFIELD))


@dataclass(frozen=True)
class Shape:
    """A solid that is fixed to a link."""

    solid: Solid
    link: int
    """Which of the links."""
    position: np.ndarray
    """(3,) In the link's frame, m."""
    quat: np.ndarray
    """(4,) In the link's frame, (w, x, y, z)."""
    scale: np.ndarray
    """(3,) Along the solid's own axes, m."""
    colour: np.ndarray
    """(3,) 0 to 255."""


def shapes_of(model: mujoco.MjModel, links: Sequence[int], own: Mapping[str, np.ndarray] | None = None) -> list[Shape]:
    """The shapes of the links with these body ids; a capsule is a cylinder and a sphere at either end.

    Planes and height fields are left out: they are the ground.

    Args:
        model: of the engine.
        links: ids of bodies; 0 stands for what is fixed to the world.
        own: fields of the model that are others in the world that is shown, by name.

    Raises:
        ValueError: a geom of a kind that is not drawn here, such as a mesh.
    """
    rows = {body: row for row, body in enumerate(links)}
    found = []
    for geom in range(model.ngeom):
        link = rows.get(int(model.geom_bodyid[geom]))
        if link is not None and model.geom_group[geom] < HIDDEN_GROUP and int(model.geom_type[geom]) not in _GROUND:
            found += _geom_shapes(model, geom, link, own or {})
    return found


def _geom_shapes(model: mujoco.MjModel, geom: int, link: int, own: Mapping[str, np.ndarray]) -> list[Shape]:
    def of(name: str) -> np.ndarray:
        return own.get(name, getattr(model, name))[geom].copy()

    material = int(model.geom_matid[geom])
    rgba = model.mat_rgba[material] if material >= 0 else model.geom_rgba[geom]
    colour = np.rint(255 * rgba[:3]).astype(np.uint8)
    centre, quat, (a, b, c) = of("geom_pos"), of("geom_quat"), of("geom_size")

    def shape(kind: Solid, scale: tuple[float, float, float], along: float = 0.0) -> Shape:
        position = centre + rotated(quat[None], np.array([[0.0, 0.0, along]]))[0]
        return Shape(kind, link, position, quat, np.array(scale), colour)

    match int(model.geom_type[geom]):
        case _TYPES.mjGEOM_SPHERE:
            return [shape("sphere", (a, a, a))]
        case _TYPES.mjGEOM_CAPSULE:
            return [shape("cylinder", (a, a, b)), *(shape("sphere", (a, a, a), end) for end in (-b, b))]
        case _TYPES.mjGEOM_ELLIPSOID:
            return [shape("sphere", (a, b, c))]
        case _TYPES.mjGEOM_CYLINDER:
            return [shape("cylinder", (a, a, b))]
        case _TYPES.mjGEOM_BOX:
            return [shape("box", (a, b, c))]
        case kind:
            raise ValueError(f"geoms of kind {_TYPES(kind).name} cannot be drawn in the browser yet")


class Figure:
    """The shapes of one solid, placed all at once."""

    def __init__(self, shapes: Sequence[Shape]) -> None:
        """At least one shape."""
        self._links = np.array([shape.link for shape in shapes])
        self._positions = np.stack([shape.position for shape in shapes])
        self._quats = np.stack([shape.quat for shape in shapes])
        self.scales = np.stack([shape.scale for shape in shapes]).astype(np.float32)
        """(n, 3)"""
        self.colours = np.stack([shape.colour for shape in shapes])
        """(n, 3) uint8"""

    def placed(self, link_positions: np.ndarray, link_quats: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Positions (n, 3) and orientations (n, 4) in the world, from those of the links."""
        quats = link_quats[self._links]
        return link_positions[self._links] + rotated(quats, self._positions), product(quats, self._quats)


def rotated(quats: np.ndarray, vectors: np.ndarray) -> np.ndarray:
    """(n, 3) Vectors turned by unit quaternions (n, 4)."""
    w, axis = quats[:, :1], quats[:, 1:]
    twice = 2.0 * np.cross(axis, vectors)
    return vectors + w * twice + np.cross(axis, twice)


def product(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """(n, 4) Quaternions of turning by the second, then by the first."""
    w, u, x, v = first[:, :1], first[:, 1:], second[:, :1], second[:, 1:]
    scalar = w * x - (u * v).sum(axis=1, keepdims=True)
    return np.concatenate([scalar, w * v + x * u + np.cross(u, v)], axis=1)
