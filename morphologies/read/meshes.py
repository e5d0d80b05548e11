"""Meshes in formats that MuJoCo cannot read, converted with trimesh: Collada, PLY, glTF and what else it knows."""

from __future__ import annotations

import io

READABLE = (".stl", ".obj", ".msh")
"""What MuJoCo reads by itself."""


def converted(content: bytes, suffix: str) -> bytes:
    """A mesh file as binary STL, all its parts in one, in metres where the format tells its unit.

    Raises:
        ValueError: an unknown format, or no triangles in it.
        Exception: whatever the format's reader raises on a damaged file.
    """
    import trimesh

    kind = suffix.removeprefix(".")
    if kind not in trimesh.available_formats():
        raise ValueError(f"{suffix or 'a file without suffix'} is no mesh format that can be read")
    scene = trimesh.load_scene(io.BytesIO(content), file_type=kind)
    if scene.units and scene.units not in ("m", "meter", "meters"):
        scene = scene.convert_units("meters")
    mesh = scene.to_mesh()
    if not len(mesh.faces):
        raise ValueError("it holds no triangles")
    exported = mesh.export(file_type="stl")
    assert isinstance(exported, bytes)
    return exported
