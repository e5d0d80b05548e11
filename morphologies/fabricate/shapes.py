"""Shapes: the geoms of a compiled model as closed triangle meshes, in the frame of the geom, metres."""

from __future__ import annotations

import math

import mujoco
import numpy as np
import trimesh

CHORD = 5e-5
"""m: how far the flat facets of a round shape may lie inside it, half of what a good printer resolves."""
FEWEST, MOST = 64, 160
"""Facets around. With 64 a shape has 0.2 to 0.4 % less volume than the round one."""

KINDS = mujoco.mjtGeom
ROUND = (KINDS.mjGEOM_SPHERE, KINDS.mjGEOM_CAPSULE, KINDS.mjGEOM_ELLIPSOID)
"""Shapes without edges."""
MESHES = (KINDS.mjGEOM_MESH, KINDS.mjGEOM_SDF)


def geom_mesh(model: mujoco.MjModel, geom: int) -> trimesh.Trimesh | None:
    """The surface of a geom, every vertex once, wound outward; None for planes and height fields, which no link has.

    Triangles of a mesh are those of the file: closed or not.
    """
    kind, size = int(model.geom_type[geom]), model.geom_size[geom]
    if kind == KINDS.mjGEOM_SPHERE:
        return ball(np.full(3, size[0]))
    if kind == KINDS.mjGEOM_ELLIPSOID:
        return ball(size)
    if kind == KINDS.mjGEOM_CAPSULE:
        return capsule(size[0], size[1])
    if kind == KINDS.mjGEOM_CYLINDER:
        return cylinder(size[0], size[1])
    if kind == KINDS.mjGEOM_BOX:
        return box(size)
    if kind in MESHES:
        number = int(model.geom_dataid[geom])
        start, faces = int(model.mesh_vertadr[number]), int(model.mesh_faceadr[number])
        return trimesh.Trimesh(
            model.mesh_vert[start : start + int(model.mesh_vertnum[number])],
            model.mesh_face[faces : faces + int(model.mesh_facenum[number])],
        )
    return None


def facets(radius: float) -> int:
    """How many flat sides stand for a circle, a multiple of 4."""
    needed = math.pi / math.acos(1 - min(CHORD / radius, 0.5))
    return int(min(max(math.ceil(needed / 4) * 4, FEWEST), MOST))


def ball(radii: np.ndarray) -> trimesh.Trimesh:
    """An ellipsoid of these half axes, (3,) m."""
    count = facets(float(max(radii)))
    angles = np.linspace(-np.pi / 2, np.pi / 2, count // 2 + 1)
    unit = revolved(np.cos(angles), np.sin(angles), count)
    return trimesh.Trimesh(unit.vertices * radii, unit.faces, process=False)


def capsule(radius: float, half_length: float) -> trimesh.Trimesh:
    """A cylinder along z of this half length between two half balls."""
    count = facets(radius)
    lower, upper = np.linspace(-np.pi / 2, 0, count // 4 + 1), np.linspace(0, np.pi / 2, count // 4 + 1)
    return revolved(
        radius * np.cos(np.concatenate([lower, upper])),
        np.concatenate([radius * np.sin(lower) - half_length, radius * np.sin(upper) + half_length]),
        count,
    )


def cylinder(radius: float, half_length: float) -> trimesh.Trimesh:
    """A cylinder along z with flat ends."""
    return revolved(
        np.array([0.0, radius, radius, 0.0]),
        np.array([-half_length, -half_length, half_length, half_length]),
        facets(radius),
    )


def box(half: np.ndarray) -> trimesh.Trimesh:
    """A box of these half edges, (3,) m."""
    return trimesh.creation.box(extents=2 * np.asarray(half))


def revolved(radii: np.ndarray, heights: np.ndarray, count: int) -> trimesh.Trimesh:
    """A profile turned about z: ``radii`` over ``heights``, (n,) m, upwards, the first and last point on the axis.

    Ends are one vertex each, so that the surface closes without a seam.
    """
    turn = np.arange(count) * (2 * np.pi / count)
    circle = np.stack([np.cos(turn), np.sin(turn)], axis=1)
    rings = [np.column_stack([r * circle, np.full(count, z)]) for r, z in zip(radii[1:-1], heights[1:-1], strict=True)]
    vertices = np.concatenate([[[0.0, 0.0, heights[0]]], *rings, [[0.0, 0.0, heights[-1]]]])
    here = np.arange(count)
    then = (here + 1) % count
    last = len(vertices) - 1
    faces = [np.column_stack([np.zeros(count, int), 1 + then, 1 + here])]
    for ring in range(len(rings) - 1):
        low, high = 1 + ring * count, 1 + (ring + 1) * count
        faces.append(np.column_stack([low + here, low + then, high + then]))
        faces.append(np.column_stack([low + here, high + then, high + here]))
    top = 1 + (len(rings) - 1) * count
    faces.append(np.column_stack([top + here, top + then, np.full(count, last)]))
    return trimesh.Trimesh(vertices, np.concatenate(faces), process=False)
