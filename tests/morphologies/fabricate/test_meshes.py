"""Meshes: closed, in the right place, as heavy as simulated; and the GLB as large and as colourful as the body."""

import io
from functools import lru_cache

import mujoco
import numpy as np
import pytest

from morphologies import body_from_genome, describe, find_body
from morphologies.develop import HEAD_COLOUR
from morphologies.fabricate import FabricationError, fabricate, shapes, solids
from morphologies.fabricate.glb import UPRIGHT
from tests.morphologies.fabricate.bodies import NAMES, body, made

trimesh = pytest.importorskip("trimesh", reason="trimesh is not installed")


@lru_cache
def loaded(content):
    return trimesh.load_mesh(io.BytesIO(content), file_type="stl")


@pytest.mark.parametrize("name", [*NAMES, "go1", "max"])
def test_every_mesh_is_closed(name):
    pytest.importorskip("manifold3d", reason="needs the extra export")
    fabrication = made(name)
    files = {path for path in fabrication.files if path.endswith(".stl")}
    assert {link.mesh for link in fabrication.parts.links} - {None} <= files
    for path in files:
        mesh = loaded(fabrication.files[path])
        assert mesh.is_watertight
        assert mesh.is_winding_consistent
        assert mesh.volume > 0


@pytest.mark.parametrize("name", NAMES)
def test_a_mesh_of_the_genomes_density_weighs_what_the_link_weighs(name):
    fabrication, model = made(name), body(name).spec().compile()
    genome = body(name).genome
    for link in fabrication.parts.links:
        density = genome.head_density if link.parent is None else genome.limb_density
        mesh = loaded(fabrication.files[link.mesh])
        mesh.density = density
        number = model.body(link.mjcf_name).id
        assert mesh.mass == pytest.approx(model.body_mass[number], rel=0.005)
        assert link.density == pytest.approx(density, rel=0.005)
        moments = np.linalg.eigvalsh(mesh.moment_inertia)
        assert moments == pytest.approx(np.sort(model.body_inertia[number]), rel=0.01)
        assert mesh.center_mass == pytest.approx(link.centre_of_mass, abs=1e-5)


def test_the_shapes_of_a_link_become_one_solid_without_walls_inside():
    pytest.importorskip("manifold3d", reason="needs the extra export")
    one, two = shapes.box(np.array([1.0, 1.0, 1.0])), shapes.box(np.array([1.0, 1.0, 1.0]))
    two.apply_translation([0.5, 0.25, 0.0])
    united, pieces = solids.unite([one, two], "boxes")
    assert pieces == 1
    assert united.volume == pytest.approx(2 * 8 - 1.5 * 1.75 * 2)
    apart = two.copy()
    apart.apply_translation([5.0, 0.0, 0.0])
    assert solids.unite([one, apart], "boxes")[1] == 2


@pytest.mark.parametrize(
    ("shape", "volume"),
    [
        (shapes.ball(np.full(3, 0.1)), 4 / 3 * np.pi * 1e-3),
        (shapes.ball(np.array([0.1, 0.2, 0.05])), 4 / 3 * np.pi * 1e-3),
        (shapes.capsule(0.05, 0.2), np.pi * 0.05**2 * 0.4 + 4 / 3 * np.pi * 0.05**3),
        (shapes.cylinder(0.05, 0.2), np.pi * 0.05**2 * 0.4),
    ],
)
def test_round_shapes_lie_just_inside_the_true_ones(shape, volume):
    assert shape.is_volume
    assert 0.995 * volume < shape.volume < volume


@pytest.mark.parametrize("name", ["ant", "kangaroo", "mutated3"])
def test_the_glb_is_the_body_upright(name):
    scene = trimesh.load_scene(io.BytesIO(made(name).files[f"{name}.glb"]), file_type="glb")
    corners = np.column_stack([scene.bounds, np.ones(2)]) @ np.linalg.inv(UPRIGHT).T
    edges = np.abs(corners[1, :3] - corners[0, :3])
    found = describe(body(name).spec().compile(), body(name).pose)
    assert edges == pytest.approx([found.length, found.width, found.height], abs=5e-4)
    # glTF's forward is z and its up is y.
    assert np.abs(scene.bounds[1] - scene.bounds[0]) == pytest.approx(edges[[1, 2, 0]])


def test_the_glb_stands_in_the_default_pose():
    pytest.importorskip("manifold3d", reason="needs the extra export")
    scene = trimesh.load_scene(io.BytesIO(made("max").files["max.glb"]), file_type="glb")
    model = body("max").spec().compile()
    data = mujoco.MjData(model)
    for joint, value in body("max").pose.items():
        data.qpos[model.joint(joint).qposadr] = value
    mujoco.mj_kinematics(model, data)
    for link in made("max").parts.links:
        place = np.linalg.inv(UPRIGHT) @ scene.graph[link.name][0]
        assert place[:3, 3] == pytest.approx(data.body(link.mjcf_name).xpos, abs=1e-6)
        assert place[:3, :3].ravel() == pytest.approx(data.body(link.mjcf_name).xmat, abs=1e-6)


def test_the_glb_has_the_colours_of_the_body():
    scene = trimesh.load_scene(io.BytesIO(made("ant").files["ant.glb"]), file_type="glb")
    light = np.array(scene.geometry["torso_0/shape0"].visual.material.baseColorFactor[:3]) / 255
    screen = np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055)
    assert screen == pytest.approx(HEAD_COLOUR[:3], abs=0.01)


def test_several_shapes_without_manifold3d_name_the_extra(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "manifold3d", None)
    with pytest.raises(FabricationError, match=r"embodied\[export\]"):
        fabricate(find_body("max"))
    assert fabricate(body_from_genome(body("ant").genome)).files


def test_an_open_mesh_is_told_and_printed_as_its_hull():
    pytest.importorskip("manifold3d", reason="needs the extra export")
    spec = mujoco.MjSpec.from_string("<mujoco><worldbody/></mujoco>")
    roof = trimesh.creation.box(extents=[0.2, 0.2, 0.2])
    roof.update_faces(np.arange(len(roof.faces)) > 1)  # one side is missing
    vertices, faces = np.asarray(roof.vertices).ravel(), np.asarray(roof.faces).ravel()
    shell = mujoco.mjtMeshInertia.mjMESH_INERTIA_SHELL
    spec.add_mesh(name="roof", uservert=vertices, userface=faces, inertia=shell)
    base = spec.worldbody.add_body(name="base")
    base.add_freejoint(name="root")
    base.add_geom(type=mujoco.mjtGeom.mjGEOM_MESH, meshname="roof")
    given = type(body("ant"))(name="house", spec=spec.copy, root="free", spawn_height=1.0)
    fabrication = fabricate(given)
    assert "convex hull" in fabrication.notes[0]
    assert loaded(fabrication.files["meshes/base.stl"]).volume == pytest.approx(0.008, rel=1e-5)
