"""Solids of unit size as triangles; scaled, turned and moved they make up every body."""

from __future__ import annotations

from functools import cache
from itertools import pairwise
from typing import Literal

import numpy as np

Solid = Literal["sphere", "cylinder", "box"]
Mesh = tuple[np.ndarray, np.ndarray]
"""Vertices (v, 3) float32, and the triangles between them (f, 3) uint32, anticlockwise seen from outside."""

SEGMENTS = 28
"""Around an axis."""


@cache
def solid(kind: Solid) -> Mesh:
    """A sphere of radius 1, a cylinder of radius 1 from z = -1 to 1, or a box of half sizes 1."""
    return {"sphere": _sphere, "cylinder": _cylinder, "box": _box}[kind]()


def _sphere() -> Mesh:
    angles = np.linspace(0.0, np.pi, SEGMENTS // 2 + 1)[1:-1]
    return _turned([(0.0, -1.0), *((np.sin(a), -np.cos(a)) for a in angles), (0.0, 1.0)])


def _cylinder() -> Mesh:
    # Rims stand twice, so that the edge between side and lid stays sharp.
    parts = [_turned([(0.0, -1.0), (1.0, -1.0)]), _turned([(1.0, -1.0), (1.0, 1.0)]), _turned([(1.0, 1.0), (0.0, 1.0)])]
    return _joined(parts)


def _box() -> Mesh:
    corners = np.array([[-1, -1, 1], [1, -1, 1], [1, 1, 1], [-1, 1, 1]], np.float32)
    faces = np.array([[0, 1, 2], [0, 2, 3]], np.uint32)
    sides = []
    for axis in range(3):
        turned = np.roll(corners, axis + 1, axis=1)  # a cyclic change of axes keeps the sense of rotation
        sides += [(turned, faces), (-turned, faces[:, ::-1])]
    return _joined(sides)


def _turned(profile: list[tuple[float, float]]) -> Mesh:
    """The surface that a line of (radius, height), from below, sweeps around the z axis."""
    around = np.linspace(0.0, 2 * np.pi, SEGMENTS, endpoint=False)
    rings = [np.stack([r * np.cos(around), r * np.sin(around), np.full(SEGMENTS, z)], axis=1) for r, z in profile]
    here = np.arange(SEGMENTS)
    there = (here + 1) % SEGMENTS
    faces = []
    for low, high in pairwise(range(len(rings))):
        a, b, c, d = (ring * SEGMENTS + i for ring, i in ((low, here), (low, there), (high, there), (high, here)))
        if profile[low][0] > 0:
            faces.append(np.stack([a, b, c], axis=1))
        if profile[high][0] > 0:
            faces.append(np.stack([a, c, d], axis=1))
    return np.concatenate(rings).astype(np.float32), np.concatenate(faces).astype(np.uint32)


def _joined(meshes: list[Mesh]) -> Mesh:
    starts = np.cumsum([0, *(len(vertices) for vertices, _ in meshes)])
    faces = [faces + start for (_, faces), start in zip(meshes, starts[:-1], strict=True)]
    return np.concatenate([vertices for vertices, _ in meshes]), np.concatenate(faces).astype(np.uint32)
