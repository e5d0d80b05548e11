"""What the browser draws of a body stands where MuJoCo says that it does."""

import math

import mujoco
import numpy as np
import pytest

from embodied.report.viewer.performance import Performance, Role
from embodied.report.viewer.shapes import Figure, shapes_of
from embodied.report.viewer.solids import solid
from morphologies import find_body

VOLUMES = {"sphere": 4 / 3 * math.pi, "cylinder": 2 * math.pi, "box": 8.0}

EVERYTHING = """<mujoco><worldbody>
  <body name="a" pos="1 2 3" euler="10 20 30">
    <joint type="ball"/>
    <geom type="capsule" fromto="0 0 0 .3 .4 .5" size=".05" rgba="1 0 0 1"/>
    <geom type="box" size=".1 .2 .3" pos=".5 0 0" euler="40 50 60"/>
    <body name="b" pos="0 0 .5">
      <joint type="hinge" axis="0 1 0"/>
      <geom type="ellipsoid" size=".1 .2 .3" quat=".5 .5 .5 -.5"/>
      <geom type="cylinder" size=".1 .2" pos="0 .1 0"/>
      <geom type="sphere" size=".1" group="4"/>
    </body>
  </body>
  <body name="stranger"><geom size="1"/></body>
</worldbody></mujoco>"""


@pytest.mark.parametrize("kind", sorted(VOLUMES))
def test_solids_are_closed_face_outwards_and_have_unit_size(kind):
    vertices, faces = solid(kind)
    a, b, c = (vertices[faces[:, i]].astype(float) for i in range(3))
    volume = (np.cross(a, b) * c).sum() / 6  # of the divergence theorem: negative where faces look inwards
    assert volume == pytest.approx(VOLUMES[kind], rel=0.03)
    assert np.abs(np.cross(b - a, c - a).sum(axis=0)).max() < 1e-4  # a closed surface's areas cancel
    assert (((a + b + c) * np.cross(b - a, c - a)).sum(axis=1) > 0).all()


def test_shapes_are_placed_where_the_engine_places_their_geoms():
    model = mujoco.MjModel.from_xml_string(EVERYTHING)
    data = mujoco.MjData(model)
    data.qpos[:] = [*np.array([0.1, 0.7, -0.2, 0.4]) / np.linalg.norm([0.1, 0.7, -0.2, 0.4]), 0.6]
    mujoco.mj_kinematics(model, data)
    links = [model.body("a").id, model.body("b").id]
    shapes = shapes_of(model, links)
    assert [shape.solid for shape in shapes] == ["cylinder", "sphere", "sphere", "box", "sphere", "cylinder"]
    assert shapes[0].colour.tolist() == [255, 0, 0]
    positions, quats = Figure(shapes).placed(data.xpos[links], data.xquat[links])
    for shape, geom in ((0, 0), (3, 1), (4, 2), (5, 3)):
        np.testing.assert_allclose(positions[shape], data.geom_xpos[geom], atol=1e-12)
        matrix = np.empty(9)
        mujoco.mju_quat2Mat(matrix, quats[shape])
        np.testing.assert_allclose(matrix, data.geom_xmat[geom], atol=1e-12)
    ends = data.geom_xpos[0] + np.outer([-1, 1], model.geom_size[0, 1] * data.geom_xmat[0].reshape(3, 3)[:, 2])
    np.testing.assert_allclose(positions[1:3], ends, atol=1e-12)


def test_a_geom_that_cannot_be_drawn_is_named_and_not_left_out():
    spec = mujoco.MjSpec()
    spec.add_mesh(name="m", uservert=[0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1])
    spec.worldbody.add_body(name="a").add_geom(type=mujoco.mjtGeom.mjGEOM_MESH, meshname="m")
    with pytest.raises(ValueError, match="mjGEOM_MESH"):
        shapes_of(spec.compile(), [1])


def test_a_performance_without_a_policy_stands_still_and_says_so(tmp_path):
    body = find_body("tripod")
    idle = Performance(Role("idle", "flat", body, tmp_path), "trained")
    assert "no trained policy" in idle.note
    wild = Performance(Role("wild", "flat", body, tmp_path), "random")
    assert not wild.note
    for _ in range(25):
        idle.step()
        wild.step()
    assert idle.seconds == pytest.approx(0.5)
    assert np.abs(wild.links[0] - idle.links[0]).max() > 0.01
    wild.restart()
    assert wild.seconds == 0
    idle.restart()
    np.testing.assert_allclose(wild.links[0], idle.links[0])
    assert len(idle.shapes) == 1 + 3 * body.description.limbs
    idle.close()
    wild.close()
