"""URDF: masses, ranges and places against what one computes by hand."""

import math

import mujoco
import numpy as np
import pytest

from embodied.scenes import Scene
from embodied.scenes.arenas.flat import FlatArena
from embodied.testing import check_body
from morphologies.read import Reading, RobotError
from morphologies.read import read as read_in_child
from morphologies.read.urdf_numbers import rotation_of

trimesh = pytest.importorskip("trimesh", reason="trimesh is not installed")

WALKER = """<?xml version="1.0"?>
<robot name="walker">
  <material name="blue"><color rgba="0 0 0.8 1"/></material>
  <link name="base_link"/>
  <joint name="mount" type="fixed">
    <parent link="base_link"/><child link="trunk"/><origin xyz="0 0 0.1"/>
  </joint>
  <link name="trunk">
    <inertial>
      <origin xyz="0.02 0 0"/><mass value="4"/>
      <inertia ixx="0.02" iyy="0.05" izz="0.06" ixy="0" ixz="0" iyz="0"/>
    </inertial>
    <visual><geometry><box size="0.4 0.2 0.1"/></geometry><material name="blue"/></visual>
    <collision><geometry><box size="0.4 0.2 0.1"/></geometry></collision>
  </link>
  <joint name="box_mount" type="fixed">
    <parent link="trunk"/><child link="battery"/><origin xyz="-0.1 0 0.05" rpy="0 0 1.5707963267948966"/>
  </joint>
  <link name="battery">
    <inertial><mass value="1"/><inertia ixx="0.001" iyy="0.002" izz="0.0025" ixy="0" ixz="0" iyz="0"/></inertial>
  </link>
  <joint name="hip" type="revolute">
    <parent link="trunk"/><child link="leg"/><origin xyz="0 0.1 -0.05"/><axis xyz="0 1 0"/>
    <limit lower="-0.5" upper="1.25" effort="20" velocity="8"/><dynamics damping="0.2" friction="0.3"/>
  </joint>
  <link name="leg">
    <collision><origin xyz="0 0 -0.15"/><geometry><box size="0.04 0.04 0.3"/></geometry></collision>
  </link>
  <joint name="ankle" type="fixed"><parent link="leg"/><child link="foot"/><origin xyz="0 0 -0.3"/></joint>
  <link name="foot">
    <inertial><mass value="0.1"/><inertia ixx="1e-5" iyy="1e-5" izz="1e-5" ixy="0" ixz="0" iyz="0"/></inertial>
    <collision><geometry><sphere radius="0.03"/></geometry></collision>
  </link>
  <joint name="wheel" type="continuous">
    <parent link="trunk"/><child link="disc"/><origin xyz="0 -0.15 -0.05"/><axis xyz="0 1 0"/>
  </joint>
  <link name="disc">
    <inertial><mass value="0.5"/><inertia ixx="0.01" iyy="0.02" izz="0.01" ixy="0" ixz="0" iyz="0"/></inertial>
    <collision>
      <origin rpy="1.5707963267948966 0 0"/><geometry><cylinder radius="0.3" length="0.02"/></geometry>
    </collision>
  </link>
  <joint name="tail" type="prismatic">
    <parent link="trunk"/><child link="rod"/><origin xyz="-0.2 0 0"/><axis xyz="-1 0 0"/>
    <limit lower="0" upper="0.2" effort="50" velocity="1"/><mimic joint="hip" multiplier="0.1" offset="0.02"/>
  </joint>
  <link name="rod">
    <inertial><mass value="0.2"/><inertia ixx="1e-4" iyy="1e-4" izz="1e-4" ixy="0" ixz="0" iyz="0"/></inertial>
  </link>
</robot>
"""


def read(path) -> Reading:
    return read_in_child(path, trusted=True)


@pytest.fixture
def walker(tmp_path):
    path = tmp_path / "walker.urdf"
    path.write_text(WALKER)
    return path


def test_masses_centres_and_inertias_are_those_of_the_merged_links(walker):
    model = read(walker).spec.copy().compile()
    names = [model.body(b).name for b in range(model.nbody)]
    assert names == ["world", "base_link", "leg", "foot", "disc", "rod"]
    # Trunk 4 kg at (0.02, 0, 0.1) and battery 1 kg at (-0.1, 0, 0.15), turned by 90 degrees about z.
    assert model.body_mass[1] == pytest.approx(5)
    assert model.body_ipos[1] == pytest.approx([(4 * 0.02 - 0.1) / 5, 0, (4 * 0.1 + 0.15) / 5])
    reduced = 4 * 1 / 5  # of two masses about their common centre
    x, z = 0.12, 0.05
    expected = np.diag([0.02 + 0.002, 0.05 + 0.001, 0.06 + 0.0025]) + reduced * np.array(
        [[z * z, 0, x * z], [0, x * x + z * z, 0], [x * z, 0, x * x]]
    )
    rotation = np.zeros(9)
    mujoco.mju_quat2Mat(rotation, model.body_iquat[1])
    axes = rotation.reshape(3, 3)
    assert np.allclose(axes @ np.diag(model.body_inertia[1]) @ axes.T, expected, atol=1e-12)
    # The leg has no inertial: 0.04 x 0.04 x 0.3 m of water.
    assert model.body("leg").mass[0] == pytest.approx(0.48)
    assert model.body_mass.sum() == pytest.approx(5 + 0.48 + 0.1 + 0.5 + 0.2)


def test_joints_keep_ranges_efforts_and_friction_and_mimics_follow(walker):
    reading = read(walker)
    model = reading.spec.copy().compile()
    assert model.joint("hip").range == pytest.approx([-0.5, 1.25])
    assert not model.jnt_limited[model.joint("wheel").id]
    assert model.joint("tail").range == pytest.approx([0, 0.2])
    assert model.dof_damping[model.joint("hip").dofadr[0]] == pytest.approx(0.2)
    assert model.dof_frictionloss[model.joint("hip").dofadr[0]] == pytest.approx(0.3)
    assert [model.actuator(a).name for a in range(model.nu)] == ["hip", "wheel"], "a mimic is not driven"
    assert model.actuator("hip").forcerange == pytest.approx([-20, 20])
    data = mujoco.MjData(model)
    data.ctrl[0] = 1.0
    model.opt.gravity = 0
    for _ in range(2000):
        mujoco.mj_step(model, data)
    hip, tail = (float(data.joint(n).qpos[0]) for n in ("hip", "tail"))
    assert hip > 0.5
    assert tail == pytest.approx(0.02 + 0.1 * hip, abs=5e-3)


def test_it_stands_on_its_lowest_point_and_a_foot_stays_a_link(walker):
    reading = read(walker)
    # 0.1 up to the trunk, 0.05 down to the hip, the leg, the ball of the foot; the wheel ends 0.03 higher.
    assert reading.body().standing_height == pytest.approx(-0.1 + 0.05 + 0.3 + 0.03)
    assert "foot" in reading.feet
    assert reading.root == "free"
    check_body(reading.body())
    Scene(FlatArena(), {"robot": reading.body()})


def test_a_link_called_world_holds_the_robot(tmp_path):
    path = tmp_path / "arm.urdf"
    path.write_text(
        '<robot name="arm"><link name="world"/><joint name="bolt" type="fixed"><parent link="world"/>'
        '<child link="base"/><origin xyz="0 0 0.5"/></joint>'
        '<link name="base"><collision><geometry><box size="0.1 0.1 0.1"/></geometry>'
        '</collision></link><joint name="lift" type="revolute"><parent link="base"/><child link="arm"/>'
        '<axis xyz="0 1 0"/><limit lower="-1" upper="1" effort="9" velocity="1"/></joint><link name="arm"><collision>'
        '<origin xyz="0.3 0 0"/><geometry><box size="0.4 0.05 0.05"/></geometry></collision></link></robot>'
    )
    reading = read(path)
    assert (reading.root, reading.base, reading.spawn_height) == ("fixed", "base", 0.5)
    check_body(reading.body())


def test_meshes_of_a_ros_package_are_found_and_weigh_what_they_should(tmp_path):
    package = tmp_path / "my_robot"
    (package / "meshes").mkdir(parents=True)
    (package / "urdf").mkdir()
    (package / "package.xml").write_text("<package/>")
    trimesh.creation.box(extents=(200, 100, 50)).export(package / "meshes" / "trunk.stl")  # in millimetres
    trimesh.creation.icosphere(subdivisions=3, radius=0.1).export(package / "meshes" / "ball.dae")
    (package / "urdf" / "r.urdf").write_text(
        '<robot name="r"><link name="trunk"><collision><geometry>'
        '<mesh filename="package://my_robot/meshes/trunk.stl" scale="0.001 0.001 0.001"/></geometry></collision></link>'
        '<joint name="neck" type="revolute"><parent link="trunk"/><child link="head"/><origin xyz="0.3 0 0"/>'
        '<axis xyz="0 0 1"/><limit lower="-1" upper="1" effort="1" velocity="1"/></joint><link name="head"><visual>'
        '<geometry><mesh filename="../meshes/ball.dae"/></geometry></visual></link></robot>'
    )
    reading = read_in_child(package / "urdf" / "r.urdf")
    model = reading.spec.copy().compile()
    assert model.body("trunk").mass[0] == pytest.approx(0.2 * 0.1 * 0.05 * 1000, rel=1e-4)
    assert model.body("head").mass[0] == pytest.approx(4 / 3 * math.pi * 0.1**3 * 1000, rel=0.02)
    (package / "package.xml").unlink()
    with pytest.raises(RobotError, match="--asset-root"):
        read(package / "urdf" / "r.urdf")
    assert read_in_child(package / "urdf" / "r.urdf", asset_root=tmp_path, trusted=True).body().description.mass > 1


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ('value="4"', 'value="nan"', "value of the inertial of link 'trunk' is nan"),
        ('value="4"', 'value="inf"', "is inf"),
        ('value="4"', 'value="-4"', "link 'trunk' has the mass -4"),
        ('value="4"', 'value="heavy"', "must be a number, not 'heavy'"),
        ('xyz="0.02 0 0"', 'xyz="0.02 0"', "must be 3 numbers"),
        ('<parent link="leg"/>', '<parent link="arm"/>', "has the parent 'arm', which is no link"),
        ('<child link="foot"/>', '<child link="leg"/>', "link 'leg' hangs on two joints"),
        ('<link name="foot">', '<link name="leg">', "two links called 'leg'"),
        ('type="continuous"', 'type="planar"', "of type 'planar', which is not read"),
        ('lower="-0.5" upper="1.25"', 'lower="1.25" upper="-0.5"', "wrong way round"),
        ('<axis xyz="0 1 0"/>', '<axis xyz="0 0 0"/>', "axis of length 0"),
        ('<mimic joint="hip"', '<mimic joint="hop"', "mimics 'hop'"),
        ('<sphere radius="0.03"/>', '<sphere radius="0"/>', "not above 0"),
        ('<sphere radius="0.03"/>', "<cone/>", "has no shape"),
        ('<sphere radius="0.03"/>', '<mesh filename="package://other/x.stl"/>', "is not there"),
        ('<sphere radius="0.03"/>', '<mesh filename="http://a/x.stl"/>', "scheme http://"),
        ('<parent link="base_link"/>', '<parent link="foot"/>', "joints run in a circle"),
        ('<robot name="walker">', '<robot xmlns:xacro="http://www.ros.org/wiki/xacro"><xacro:include/>', "xacro"),
    ],
)
def test_what_makes_no_robot_is_named(walker, old, new, words):
    assert old in WALKER
    walker.write_text(WALKER.replace(old, new, 1))
    with pytest.raises(RobotError, match=r"walker\.urdf: ") as error:
        read(walker)
    assert words in str(error.value)


def test_inertias_of_no_real_body_are_evened_out_and_told(walker):
    walker.write_text(WALKER.replace('ixx="0.01" iyy="0.02" izz="0.01"', 'ixx="0.01" iyy="0.05" izz="0.01"'))
    reading = read(walker)
    assert any("'disc' violates the triangle inequality" in problem for problem in reading.problems)
    assert reading.spec.copy().compile().body("disc").inertia == pytest.approx([0.07 / 3] * 3)


def test_links_without_mass_that_move_are_told(walker):
    walker.write_text(WALKER.replace('<mass value="0.2"/>', '<mass value="0"/>'))
    assert any("no mass" in problem and "rod" in problem for problem in read(walker).problems)


def test_roll_pitch_yaw_turn_about_fixed_axes():
    # A quarter turn about x takes y to z; then one about z takes that nowhere, and x to y.
    turned = rotation_of(math.pi / 2, 0, math.pi / 2)
    assert np.allclose(turned @ [0, 1, 0], [0, 0, 1])
    assert np.allclose(turned @ [1, 0, 0], [0, 1, 0])


def test_collada_says_its_own_unit(tmp_path):
    trimesh.creation.box(extents=(10, 10, 10)).export(tmp_path / "box.dae")
    text = (tmp_path / "box.dae").read_text()
    assert "<up_axis>" in text
    # Ten inches a side.
    (tmp_path / "box.dae").write_text(text.replace("<up_axis>", '<unit name="inch" meter="0.0254"/><up_axis>'))
    path = tmp_path / "box.urdf"
    path.write_text(
        '<robot name="box"><link name="box"><collision><geometry><mesh filename="box.dae"/></geometry></collision>'
        "</link></robot>"
    )
    assert read(path).spec.copy().compile().body("box").mass[0] == pytest.approx(1000 * 0.254**3, rel=1e-4)
