"""Solids: each link as one closed surface, ready to print: all shapes that are seen of it, united."""

from __future__ import annotations

import io
from dataclasses import dataclass, field
from typing import Any

import mujoco
import numpy as np
import trimesh

from morphologies.fabricate.anatomy import Anatomy, Link
from morphologies.fabricate.errors import FabricationError
from morphologies.fabricate.frames import homogeneous
from morphologies.fabricate.shapes import MESHES, geom_mesh
from morphologies.read.trim import SHOWN_GROUPS


@dataclass(frozen=True)
class Solid:
    """A link to be printed."""

    link: str
    mesh: trimesh.Trimesh
    """In the link's frame, m, as the STL holds it."""
    stl: bytes
    """Binary STL."""
    pieces: int
    """Parts that do not touch; more than one is no single thing to print."""
    notes: list[str] = field(default_factory=list)
    """Sentences on what of it is not the link's own shape."""

    @property
    def volume(self) -> float:
        """m³."""
        return float(self.mesh.volume)

    @property
    def size(self) -> np.ndarray:
        """(3,) Edges of its box along the axes of the link, m."""
        return np.asarray(self.mesh.extents)


def seen_geoms(model: mujoco.MjModel, link: Link) -> list[int]:
    """What one sees of a link: its geoms of the groups that are drawn, or where there is none, what of it is solid."""
    shown = [g for g in link.geoms if model.geom_group[g] < SHOWN_GROUPS and colour_of(model, g)[3] > 0]
    return shown or solid_geoms(model, link)


def solid_geoms(model: mujoco.MjModel, link: Link) -> list[int]:
    """What of a link touches things."""
    return [g for g in link.geoms if model.geom_contype[g] or model.geom_conaffinity[g]]


def colour_of(model: mujoco.MjModel, geom: int) -> np.ndarray:
    """(4,) Red, green, blue and alpha, 0 to 1, of a geom or its material."""
    material = int(model.geom_matid[geom])
    plain = bool((model.geom_rgba[geom] == np.array([0.5, 0.5, 0.5, 1.0])).all())
    return np.asarray(model.mat_rgba[material] if material >= 0 and plain else model.geom_rgba[geom], dtype=float)


def make_solid(anatomy: Anatomy, link: Link) -> Solid | None:
    """The link as one closed surface; None where it has no shape.

    A round shape is a polyhedron whose corners lie on it. A mesh that is not closed is replaced by its convex hull.

    Raises:
        FabricationError: the shapes cannot be united, or what comes of it is not closed.
    """
    notes: list[str] = []
    parts = []
    for geom in seen_geoms(anatomy.model, link):
        mesh = geom_mesh(anatomy.model, geom)
        if mesh is None:
            notes.append(f"planes and height fields of link {link.name}")
            continue
        if int(anatomy.model.geom_type[geom]) in MESHES and not mesh.is_volume:
            mesh = hull(mesh, anatomy.name)
            notes.append(f"a mesh of link {link.name} that is not closed; the STL has its convex hull")
        parts.append(mesh.apply_transform(homogeneous(anatomy.geom_pose(link, geom))))
    if not parts:
        return None
    united, pieces = (parts[0], 1) if len(parts) == 1 else unite(parts, anatomy.name)
    if pieces > 1:
        notes.append(f"what would hold the {pieces} pieces of link {link.name} together: they do not touch")
    stl = united.export(file_type="stl")
    assert isinstance(stl, bytes)
    # What is looked at is what a slicer reads: single precision, corners found again by their places.
    mesh = trimesh.load_mesh(io.BytesIO(stl), file_type="stl")
    if not (mesh.is_watertight and mesh.is_winding_consistent and mesh.volume > 0):
        raise FabricationError(anatomy.name, f"the shapes of link {link.name!r} make no closed solid to print")
    return Solid(link.name, mesh, stl, pieces, notes)


def unite(parts: list[trimesh.Trimesh], body: str) -> tuple[trimesh.Trimesh, int]:
    """All closed shapes as one, and the number of pieces that do not touch.

    Raises:
        FabricationError: manifold3d is missing, or cannot make sense of them.
    """
    manifold3d = _manifold3d(body)
    solids = [
        manifold3d.Manifold(
            manifold3d.Mesh(
                vert_properties=np.asarray(part.vertices, np.float32), tri_verts=np.asarray(part.faces, np.uint32)
            )
        )
        for part in parts
    ]
    whole = manifold3d.Manifold.batch_boolean(solids, manifold3d.OpType.Add)
    if whole.status() != manifold3d.Error.NoError:
        raise FabricationError(body, f"shapes of a link cannot be united: {whole.status().name}")
    return _mesh_of(whole), len(whole.decompose())


def hull(mesh: trimesh.Trimesh, body: str) -> trimesh.Trimesh:
    """The convex hull.

    Raises:
        FabricationError: manifold3d is missing.
    """
    return _mesh_of(_manifold3d(body).Manifold.hull_points(np.asarray(mesh.vertices, np.float32)))


def _mesh_of(solid: Any) -> trimesh.Trimesh:
    found = solid.to_mesh()
    return trimesh.Trimesh(found.vert_properties[:, :3], found.tri_verts, process=False)


def _manifold3d(body: str) -> Any:
    try:
        import manifold3d
    except ImportError:
        raise FabricationError(
            body, "has links of several shapes; uniting them takes manifold3d: pip install 'embodied[export]'"
        ) from None
    return manifold3d
