"""Fabricate: a body as the files that others simulate, look at, print and order parts from."""

from __future__ import annotations

import json
from dataclasses import dataclass

from morphologies.body import Body
from morphologies.fabricate.anatomy import Anatomy, take_apart
from morphologies.fabricate.glb import glb_bytes
from morphologies.fabricate.mjcf import MJCF_FOLDER, mjcf_text
from morphologies.fabricate.page import page
from morphologies.fabricate.parts import Parts, as_dict, parts_of
from morphologies.fabricate.shapes import KINDS, MESHES, geom_mesh
from morphologies.fabricate.sidecar import mjcf_sidecar, urdf_sidecar
from morphologies.fabricate.solids import Solid, make_solid, solid_geoms
from morphologies.fabricate.urdf import MESH_FOLDER, urdf_text
from morphologies.serialise import to_json

PARTS, PAGE = "parts.json", "parts.md"
FORMAT, VERSION = "embodied.body", 1


@dataclass(frozen=True)
class Fabrication:
    """A body as files."""

    name: str
    files: dict[str, bytes]
    """Contents by path within the folder, `PARTS` the last of them."""
    parts: Parts
    notes: list[str]
    """Sentences on what the URDF leaves out, and on meshes that are not a link's own shape."""


def fabricate(body: Body) -> Fabrication:
    """Writes a body out, in memory: MJCF, URDF, a YAML beside each, an STL per link, a GLB, and the parts list.

    Raises:
        FabricationError: a body that URDF has no joints for, or whose shapes make no closed solids.
    """
    anatomy = take_apart(body)
    name, notes = anatomy.name, list(anatomy.notes)
    solids: dict[str, Solid] = {}
    for link in anatomy.real_links:
        solid = make_solid(anatomy, link)
        if solid is not None:
            solids[link.name] = solid
            notes += solid.notes
    meshes = {link: f"{MESH_FOLDER}/{link}.stl" for link in solids}
    files = {path: solids[link].stl for link, path in meshes.items()}
    collisions = _collisions(anatomy, files)
    mjcf, inexact = mjcf_text(anatomy)
    sidecar, unsaid = urdf_sidecar(anatomy)
    notes += unsaid
    files[f"{name}.urdf"] = urdf_text(anatomy, collisions).encode()
    files[f"{name}.yaml"] = sidecar.encode()
    files[f"{MJCF_FOLDER}/{name}.xml"] = mjcf.encode()
    files[f"{MJCF_FOLDER}/{name}.yaml"] = mjcf_sidecar(anatomy).encode()
    files |= {f"{MJCF_FOLDER}/{asset}": content for asset, content in anatomy.spec.assets.items()}
    files[f"{name}.glb"] = glb_bytes(anatomy)
    if body.genome is not None:
        files[genome_file(name)] = (to_json(body.genome, indent=2) + "\n").encode()
    parts = parts_of(anatomy, solids, meshes)
    notes += inexact
    files[PAGE] = page(parts, notes, genome_file(name) if body.genome is not None else None).encode()
    listed = {"format": FORMAT, "version": VERSION, **as_dict(parts), "notes": notes}
    listed["files"] = sorted([*files, PARTS])
    files[PARTS] = (json.dumps(listed, indent=1) + "\n").encode()
    return Fabrication(name, files, parts, notes)


def genome_file(name: str) -> str:
    """Of a body's name; one called parts leaves that file to the list."""
    return f"{name}.json" if f"{name}.json" != PARTS else f"{name}.genome.json"


def _collisions(anatomy: Anatomy, files: dict[str, bytes]) -> dict[int, str]:
    """Adds an STL for each solid geom that is no primitive of URDF's, and gives their names by geom."""
    found = {}
    for link in anatomy.real_links:
        for geom in solid_geoms(anatomy.model, link):
            if int(anatomy.model.geom_type[geom]) in (*MESHES, KINDS.mjGEOM_ELLIPSOID):
                mesh = geom_mesh(anatomy.model, geom)
                assert mesh is not None
                stl = mesh.export(file_type="stl")
                assert isinstance(stl, bytes)
                name = f"{link.name}_collision{geom}.stl"
                while f"{MESH_FOLDER}/{name}" in files:  # a link of that name
                    name = f"_{name}"
                found[geom] = name
                files[f"{MESH_FOLDER}/{name}"] = stl
    return found
