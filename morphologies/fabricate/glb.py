"""GLB: the whole body in its default pose and colours, to look at in any viewer of glTF.

glTF's y points up and its z forward, where MuJoCo's z and x do.
"""

from __future__ import annotations

import mujoco
import numpy as np
import trimesh
from trimesh.visual.material import PBRMaterial
from trimesh.visual.texture import TextureVisuals

from morphologies.fabricate.anatomy import Anatomy
from morphologies.fabricate.frames import homogeneous
from morphologies.fabricate.shapes import KINDS, ROUND, geom_mesh
from morphologies.fabricate.solids import colour_of, seen_geoms
from morphologies.read.stance import posed
from morphologies.read.urdf_numbers import Pose

UPRIGHT = np.array([[0.0, 1, 0, 0], [0, 0, 1, 0], [1, 0, 0, 0], [0, 0, 0, 1]])
"""MuJoCo's axes in glTF's: forward becomes z, left x, up y."""
ROUGHNESS = 0.7


def glb_bytes(anatomy: Anatomy) -> bytes:
    """The file: one node per link, named as in the URDF, under each a node per shape."""
    model = anatomy.model
    data = posed(model, dict(anatomy.body.pose))
    # With a slash in them, which no link's name has.
    base, upright = f"{anatomy.name}/body", f"{anatomy.name}/upright"
    scene = trimesh.Scene(base_frame=base)
    scene.graph.update(frame_to=upright, frame_from=base, matrix=UPRIGHT)
    for link in anatomy.real_links:
        assert link.number is not None
        frame = Pose(data.xpos[link.number], data.xmat[link.number].reshape(3, 3))
        scene.graph.update(frame_to=link.name, frame_from=upright, matrix=homogeneous(frame))
        for geom in seen_geoms(model, link):
            mesh = geom_mesh(model, geom)
            if mesh is None:
                continue
            local = Pose(model.geom_pos[geom], _rotation(model.geom_quat[geom]))
            scene.add_geometry(
                _coloured(mesh, int(model.geom_type[geom]), model.geom_size[geom], colour_of(model, geom)),
                node_name=f"{link.name}/shape{geom}",
                geom_name=f"{link.name}/shape{geom}",
                parent_node_name=link.name,
                transform=homogeneous(local),
            )
    content = scene.export(file_type="glb", include_normals=True)
    assert isinstance(content, bytes)
    return content


def _coloured(mesh: trimesh.Trimesh, kind: int, size: np.ndarray, colour: np.ndarray) -> trimesh.Trimesh:
    if kind in ROUND:
        made = trimesh.Trimesh(
            mesh.vertices, mesh.faces, vertex_normals=outward(mesh.vertices, kind, size), process=False
        )
    else:
        # Corners of its own for every triangle: edges stay edges.
        corners = mesh.vertices[mesh.faces].reshape(-1, 3)
        faces = np.arange(len(corners)).reshape(-1, 3)
        made = trimesh.Trimesh(corners, faces, vertex_normals=np.repeat(mesh.face_normals, 3, axis=0), process=False)
    material = PBRMaterial(baseColorFactor=linear(colour), metallicFactor=0.0, roughnessFactor=ROUGHNESS)
    made.visual = TextureVisuals(material=material)
    return made


def outward(vertices: np.ndarray, kind: int, size: np.ndarray) -> np.ndarray:
    """(n, 3) Unit normals of a ball, ellipsoid or capsule at points on it."""
    if kind == KINDS.mjGEOM_ELLIPSOID:
        normals = vertices / size**2
    elif kind == KINDS.mjGEOM_CAPSULE:
        normals = vertices - np.array([0.0, 0.0, 1.0]) * np.clip(vertices[:, 2:], -size[1], size[1])
    else:
        normals = np.array(vertices)
    return normals / np.linalg.norm(normals, axis=1, keepdims=True)


def linear(colour: np.ndarray) -> np.ndarray:
    """(4,) uint8 A colour of screens, 0 to 1, as glTF counts light: sRGB's curve taken off."""
    screen = np.clip(colour[:3], 0.0, 1.0)
    light = np.where(screen <= 0.04045, screen / 12.92, ((screen + 0.055) / 1.055) ** 2.4)
    return np.round(255 * np.append(light, colour[3])).astype(np.uint8)


def _rotation(quat: np.ndarray) -> np.ndarray:
    matrix = np.zeros(9)
    mujoco.mju_quat2Mat(matrix, quat)
    return matrix.reshape(3, 3)
