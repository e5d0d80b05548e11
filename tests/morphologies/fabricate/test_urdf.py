"""URDF: three readers, ours, MuJoCo's and yourdfpy's, find in it the body that it was written from."""

import json
import re
from xml.etree import ElementTree

import mujoco
import numpy as np
import pytest

from embodied.testing import check_body
from morphologies import Body, read_robot
from morphologies.fabricate import FabricationError, fabricate
from morphologies.fabricate.frames import rpy_of
from morphologies.read.urdf_numbers import rotation_of
from tests.morphologies.fabricate.bodies import NAMES, SHIPPED, apart, body, made, read_back, written

TOLERANCE = 1e-4
"""rad. Measured: at most 2.4e-6 in the air and 1.5e-5 on the ground, in proportion to the mass of the carriers."""


@pytest.mark.parametrize("name", [*NAMES, "go1", "max"])
def test_read_back_it_moves_like_the_original(name, tmp_path):
    again = read_back(made(name), tmp_path, f"{name}.urdf")
    for ground in (True, False) if name in SHIPPED else (True,):
        differs, moves = apart(body(name), again, ground)
        assert moves > 0.1
        assert differs < TOLERANCE


@pytest.mark.parametrize("name", ["ant", "max"])
def test_read_back_it_is_a_body_like_the_original(name, tmp_path):
    original, again = body(name), read_back(made(name), tmp_path, f"{name}.urdf")
    check_body(again)
    assert again.root == original.root
    assert [foot.replace("/", "_") for foot in original.feet] == list(again.feet)
    assert again.spawn_height == pytest.approx(original.spawn_height)
    assert list(again.pose.values()) == list(original.pose.values())
    assert again.max_speed == dict(original.max_speed)
    one, two = original.spec().compile(), again.spec().compile()
    assert two.body_mass.sum() == pytest.approx(one.body_mass.sum(), rel=1e-8)
    for field in ("dof_damping", "dof_frictionloss", "dof_armature", "actuator_gear", "actuator_gainprm"):
        assert getattr(one, field) == pytest.approx(getattr(two, field)), field
    joints = [
        (model.jnt_range[1:], model.jnt_stiffness[1:], model.jnt_solimp[1:], model.qpos_spring[7:])
        for model in (one, two)
    ]
    for a, b in zip(*joints, strict=True):
        assert a == pytest.approx(b)


@pytest.mark.parametrize("name", ["ant", "hound", "random1", "mutated6", "go1"])
def test_mujocos_own_reader_finds_the_same_masses_and_moments(name, tmp_path):
    urdf = written(made(name), tmp_path) / f"{name}.urdf"
    peer, model = mujoco.MjModel.from_xml_path(str(urdf)), body(name).spec().compile()
    data, own = mujoco.MjData(peer), mujoco.MjData(model)
    joints = {joint.name: joint.mjcf_name for joint in made(name).parts.joints}
    assert [peer.joint(j).name for j in range(peer.njnt)] == list(joints)
    rng = np.random.default_rng(3)
    dofs = []
    for joint, source in joints.items():
        position = rng.uniform(-1, 1)
        data.qpos[peer.joint(joint).qposadr] = own.qpos[model.joint(source).qposadr] = position
        dofs.append(int(model.joint(source).dofadr[0]))
    own.qpos[2] = 0.0
    for m, d in ((peer, data), (model, own)):
        mujoco.mj_forward(m, d)
    inertia, whole = np.zeros((peer.nv, peer.nv)), np.zeros((model.nv, model.nv))
    mujoco.mj_fullM(peer, data, inertia)
    mujoco.mj_fullM(model, own, whole)
    rotors = np.diag(model.dof_armature[dofs])
    assert whole[np.ix_(dofs, dofs)] - rotors == pytest.approx(inertia, abs=1e-7)
    assert own.qfrc_bias[dofs] == pytest.approx(data.qfrc_bias, abs=1e-6), "gravity pulls alike"
    for name, limits in ((peer.joint(j).name, peer.jnt_range[j]) for j in range(peer.njnt)):
        assert limits == pytest.approx(model.joint(joints[name]).range)


@pytest.mark.parametrize("name", ["ant", "crab", "random6", "max"])
def test_yourdfpy_puts_every_mesh_where_mujoco_puts_the_link(name, tmp_path):
    yourdfpy = pytest.importorskip("yourdfpy", reason="a second reader of URDF, when it is installed")
    robot = yourdfpy.URDF.load(str(written(made(name), tmp_path) / f"{name}.urdf"))
    assert robot.validate()
    model = body(name).spec().compile()
    data = mujoco.MjData(model)
    parts = made(name).parts
    rng = np.random.default_rng(5)
    positions = {joint.name: float(rng.uniform(-0.5, 0.5)) for joint in parts.joints}
    for joint in parts.joints:
        data.qpos[model.joint(joint.mjcf_name).qposadr] = positions[joint.name]
    mujoco.mj_kinematics(model, data)
    robot.update_cfg(positions)
    assert len(robot.scene.geometry) == len([link for link in parts.links if link.mesh])
    for link in parts.links:
        number = model.body(link.mjcf_name).id
        place = robot.get_transform(link.name) @ np.append(link.centre_of_mass, 1.0)
        assert place[:3] == pytest.approx(data.xipos[number] - data.xpos[1], abs=1e-9)
        given = robot.link_map[link.name].inertial
        assert given.mass == model.body_mass[number]
        assert np.linalg.eigvalsh(given.inertia) == pytest.approx(np.sort(model.body_inertia[number]))
        if name != "max" and link.mesh:  # of one shape and even density: its middle is its centre of mass
            mesh = robot.scene.geometry[f"{link.name}.stl"]
            assert mesh.center_mass == pytest.approx(link.centre_of_mass, abs=1e-5)


@pytest.mark.parametrize("name", SHIPPED)
def test_it_is_plain_urdf(name):
    """Elements, attributes and kinds of shapes of the ROS specification; ``mujoco`` and ``transmission`` extend it."""
    robot = ElementTree.fromstring(made(name).files[f"{name}.urdf"])
    assert {element.tag for element in robot} == {"mujoco", "link", "joint", "transmission"}
    shapes = {shape.tag for geometry in robot.iter("geometry") for shape in geometry}
    assert shapes <= {"sphere", "cylinder", "box", "mesh"}
    names = [element.get("name") for element in (*robot.iter("link"), *robot.findall("joint"))]
    assert all(text and text.replace("_", "").isalnum() for text in names)
    for joint in robot.findall("joint"):
        limit = joint.find("limit")
        assert limit is not None
        assert set(limit.attrib) == {"lower", "upper", "effort", "velocity"}
        assert np.linalg.norm([float(v) for v in joint.find("axis").get("xyz").split()]) == pytest.approx(1)


ODD = """
<mujoco>
  <compiler angle="radian"/>
  <worldbody>
    <body name="base" quat="0.8 0.2 -0.4 0.4">
      <freejoint/>
      <geom name="plate" type="box" size="0.2 0.1 0.03" pos="0.01 0 0" density="900"/>
      <geom name="post" type="cylinder" size="0.03 0.05" pos="0.1 0 0.06" density="300"/>
      <body name="upper" pos="0.1 0.15 0" euler="0.3 0.5 -0.2">
        <joint name="swing" axis="1 0.5 0" pos="0 -0.02 0.01" ref="0.25" range="-0.6 0.9" damping="0.3"
          armature="0.02"/>
        <joint name="lift" axis="0 1 0" pos="0 -0.01 -0.02" ref="-0.1" stiffness="2" springref="0.2"
          frictionloss="0.1"/>
        <geom type="ellipsoid" size="0.04 0.08 0.05" pos="0 0.05 0" friction="0.4 0.01 0.01"/>
        <body name="rod" pos="0 0.15 0">
          <joint name="reach" type="slide" axis="0 1 0.2" range="-0.05 0.1" damping="5" ref="0.02"/>
          <geom type="capsule" fromto="0 0 0 0 0.2 0" size="0.02"/>
        </body>
      </body>
      <body name="wheel" pos="-0.1 -0.2 0">
        <joint name="roll" axis="0 1 0" damping="0.2"/>
        <geom type="cylinder" size="0.08 0.02" euler="1.5707963267948966 0 0"/>
        <body name="hub cap" pos="0 -0.05 0"><geom type="sphere" size="0.03"/></body>
      </body>
      <body name="flap" pos="-0.2 0.1 0">
        <joint name="follow" axis="0 0 1" ref="0.1"/>
        <geom type="box" size="0.05 0.02 0.01" pos="-0.05 0 0"/>
      </body>
    </body>
  </worldbody>
  <equality><joint joint1="follow" joint2="swing" polycoef="0.05 0.6 0 0 0"/></equality>
  <actuator>
    <motor joint="swing" gear="3" ctrllimited="true" ctrlrange="-1 1"/>
    <motor joint="lift" gear="2" ctrllimited="true" ctrlrange="-1 1"/>
    <motor joint="reach" gear="15" ctrllimited="true" ctrlrange="-1 1"/>
    <motor joint="roll" gear="1.5" ctrllimited="true" ctrlrange="-1 1"/>
  </actuator>
</mujoco>
"""
"""Turned at rest, references not 0, two hinges in two places, a slide, a mimic, a wheel, a link that is fixed."""
REFERENCES = {"swing": 0.25, "lift": -0.1, "reach": 0.02, "follow": 0.1}


@pytest.mark.parametrize("root", ["free", "fixed", "planar"])
@pytest.mark.parametrize("references", [False, True])
def test_an_odd_robot_moves_like_itself_however_it_is_held(root, references, tmp_path):
    pytest.importorskip("manifold3d", reason="needs the extra export")
    file = tmp_path / "odd.xml"
    file.write_text(ODD if references else re.sub(r' ref="[^"]*"', "", ODD))
    original = read_robot(file, root=root, trusted=True)
    again = read_back(fabricate(original), tmp_path / "out", "odd.urdf")
    assert again.root == root
    assert again.pose == pytest.approx(REFERENCES if references else {})
    differs, moves = apart(original, again, ground=False, seconds=0.5)
    assert moves > 0.5
    # References are where MuJoCo weighs limits and equalities; URDF's are all 0.
    assert differs < (1e-3 if references else TOLERANCE)


def test_what_urdf_has_no_joints_for_is_refused():
    spec = mujoco.MjSpec.from_string(
        '<mujoco><worldbody><body name="a"><freejoint/><geom size="0.1"/><body name="b" pos="0.2 0 0">'
        '<joint name="shoulder" type="ball"/><geom size="0.1"/></body></body></worldbody></mujoco>'
    )
    with pytest.raises(FabricationError, match="'shoulder' is neither hinge nor slide"):
        fabricate(Body("doll", spec.copy, "free", 1.0))
    two = mujoco.MjSpec.from_string(
        '<mujoco><worldbody><body name="a"><geom size="0.1"/></body><body name="b"><geom size="0.1"/></body>'
        "</worldbody></mujoco>"
    )
    with pytest.raises(FabricationError, match="not one tree"):
        fabricate(Body("pair", two.copy, "fixed", 1.0))


def test_names_that_are_one_to_others_become_several(tmp_path):
    spec = mujoco.MjSpec.from_string(
        '<mujoco><worldbody><body name="parts"><freejoint/><geom size="0.1"/>'
        '<body name="a/b" pos="0.2 0 0"><joint name="j 1"/><geom size="0.1"/>'
        '<body name="A_b" pos="0.2 0 0"><joint name="j_1"/><geom size="0.1"/>'
        '<body name="world2" pos="0.2 0 0"><joint name="päß"/><geom type="ellipsoid" size="0.1 0.2 0.1"/></body>'
        "</body></body></body></worldbody></mujoco>"
    )
    fabrication = fabricate(Body("parts", spec.copy, "free", 1.0, genome=body("ant").genome))
    assert [link.name for link in fabrication.parts.links] == ["parts", "a_b", "A_b_2", "world2"]
    assert [joint.name for joint in fabrication.parts.joints] == ["j_1", "j_1_2", "p"]
    assert json.loads(fabrication.files["parts.json"])["format"] == "embodied.body"
    assert "parts.genome.json" in fabrication.files
    assert read_back(fabrication, tmp_path, "parts.urdf").spec().compile().njnt == 4


def test_what_does_not_come_along_is_told(tmp_path):
    pytest.importorskip("dm_control", reason="needs the extra robots")
    notes = " ".join(made("quadruped").notes)
    for words in ("12 tendons", "lift_front_left", "lag behind", "no mimics", "without an actuator"):
        assert words in notes
    assert json.loads(made("quadruped").files["parts.json"])["notes"] == made("quadruped").notes
    assert "## What does not come along" in made("quadruped").files["parts.md"].decode()


def test_roll_pitch_and_yaw_turn_back_into_the_rotation_even_where_they_are_ambiguous():
    rng = np.random.default_rng(0)
    quarter = np.pi / 2
    angles = [*rng.uniform(-np.pi, np.pi, (200, 3)), *((a, s * quarter + e, b) for a in (0.3, -2.0) for b in (1.0, 3.0)
        for s in (-1, 1) for e in (0.0, 1e-16, 1e-12, 1e-9, -1e-7))]  # fmt: skip
    for roll, pitch, yaw in angles:
        rotation = rotation_of(roll, pitch, yaw)
        assert rotation_of(*rpy_of(rotation)) == pytest.approx(rotation, abs=1e-14)
