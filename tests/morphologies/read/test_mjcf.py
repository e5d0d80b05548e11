"""MJCF files become robots alone, equipped, with every guess named and every override obeyed."""

import math
from pathlib import Path

import mujoco
import numpy as np
import pytest

from embodied.scenes import Scene
from embodied.scenes.arenas.flat import FlatArena
from embodied.testing import check_body
from morphologies import Body, Root, find_body
from morphologies.read import Reading, RobotError
from morphologies.read import read as read_in_child
from tests.morphologies.read.files import write_stool


def read(path: Path, root: Root | None = None) -> Reading:
    """Reads a file that these tests wrote, without the child that test_hostile.py is about."""
    return read_in_child(path, root=root, trusted=True)


def read_robot(path: Path, root: Root | None = None) -> Body:
    return read(path, root).body()


MOTORS = '<actuator><motor joint="left_hinge" gear="2" ctrlrange="-4 4" ctrllimited="true"/></actuator>'


def test_only_the_robot_is_left_and_its_mass_is_the_files(tmp_path):
    reading = read(write_stool(tmp_path))
    model = reading.spec.copy().compile()
    assert [model.body(b).name for b in range(model.nbody)] == ["world", "seat", "left", "right"]
    assert model.nlight == 0
    assert model.nkey == 0
    assert "to_goal" not in [model.sensor(s).name for s in range(model.nsensor)]
    assert all(model.geom_bodyid[g] > 0 for g in range(model.ngeom))
    capsule = math.pi * 0.02**2 * 0.25 + 4 / 3 * math.pi * 0.02**3
    assert model.body_mass.sum() == pytest.approx(1000 * (0.4 * 0.2 * 0.04 + 2 * capsule))
    assert np.allclose(model.body_pos[1], 0)
    check_body(reading.body())


def test_two_floating_trees_the_one_with_joints_is_the_robot(tmp_path):
    reading = read(write_stool(tmp_path))
    assert (reading.base, reading.root) == ("seat", "free")
    assert any("'seat' is the robot" in guess for guess in reading.guesses)


def test_the_home_keyframe_is_the_pose_and_the_lowest_point_decides_the_height(tmp_path):
    body = read_robot(write_stool(tmp_path))
    assert body.pose == pytest.approx({"left_hinge": 0.25, "right_joint": -0.25})
    low = 0.3 * math.cos(0.25) + 0.02
    assert body.standing_height == pytest.approx(low)
    assert body.clearance == pytest.approx(0.02)
    assert set(body.feet) == {"left", "right"}


def test_without_actuators_every_joint_gets_a_position_actuator(tmp_path):
    model = read_robot(write_stool(tmp_path)).spec().compile()
    assert [model.actuator(a).name for a in range(model.nu)] == ["left_hinge", "right_joint"]
    assert (model.actuator_biasprm[:, 1] == -model.actuator_gainprm[:, 0]).all()
    assert (model.actuator_biasprm[:, 2] < 0).all()
    assert np.allclose(model.actuator_ctrlrange, np.deg2rad([-60, 60]))
    # The whole stool hangs on a leg as long as its reach: m g r, and the error at which that is given is 0.6 rad.
    effort = model.actuator_forcerange[:, 1]
    geom = model.geom("left")
    reach = abs(float(geom.pos[2])) + float(model.geom_rbound[geom.id])
    assert effort == pytest.approx(float(model.body_mass.sum()) * 9.81 * reach, rel=0.01)
    assert model.actuator_gainprm[:, 0] == pytest.approx(effort / 0.6, rel=0.01)


def test_the_full_torque_of_a_motor_is_an_action_of_one(tmp_path):
    model = read_robot(write_stool(tmp_path, MOTORS)).spec().compile()
    assert model.nu == 1
    assert model.actuator_gear[0, 0] == pytest.approx(8)
    assert np.allclose(model.actuator_ctrlrange, [[-1, 1]])


def test_planar_roots_get_the_usual_order_and_signs(tmp_path):
    path = tmp_path / "hopper.xml"
    path.write_text(
        '<mujoco><worldbody><body name="torso" pos="0 0 1"><joint name="z" type="slide" axis="0 0 1" ref="1"/>'
        '<joint name="x" type="slide" axis="-1 0 0"/><joint name="pitch" axis="0 -1 0"/><geom size="0.1"/>'
        '<body name="leg"><joint name="knee" axis="0 1 0"/><geom type="capsule" fromto="0 0 0 0 0 -0.5" size="0.02"/>'
        "</body></body></worldbody></mujoco>"
    )
    body = read_robot(path)
    assert body.root == "planar"
    assert body.standing_height == pytest.approx(0.52)
    scene = Scene(FlatArena(), {"robot": body})
    entity = scene.entities["robot"]
    model = scene.model
    assert [model.joint(j).name for j in entity.root_joints] == ["robot/x", "robot/z", "robot/pitch"]
    assert np.allclose(model.jnt_axis[entity.root_joints], [[1, 0, 0], [0, 0, 1], [0, 1, 0]])
    check_body(body)


def test_a_root_can_be_imposed(tmp_path):
    path = write_stool(tmp_path)
    for root in ("fixed", "planar", "free"):
        body = find_body(path, root) if root != "free" else read_robot(path, root="free")
        assert body.root == root
        check_body(body)


def test_ball_joints_become_three_hinges(tmp_path):
    path = tmp_path / "arm.xml"
    path.write_text(
        '<mujoco><worldbody><body name="base"><geom size="0.1"/><body name="arm" pos="0 0 0.1">'
        '<joint name="shoulder" type="ball" range="0 90"/>'
        '<geom type="capsule" fromto="0 0 0.1 0 0 0.4" size="0.02"/></body></body></worldbody></mujoco>'
    )
    reading = read(path)
    model = reading.spec.copy().compile()
    assert [model.joint(j).name for j in range(model.njnt)] == ["shoulder_x", "shoulder_y", "shoulder_z"]
    assert np.allclose(model.jnt_range, np.deg2rad([-90, 90]))
    assert reading.root == "fixed"
    assert any("ball joint 'shoulder'" in guess for guess in reading.guesses)


def test_links_that_touch_in_the_default_pose_do_not_push_each_other_apart(tmp_path):
    path = tmp_path / "robot.xml"
    limb = (
        '<body name="{0}" pos="0 {1} -0.1"><joint axis="1 0 0"/>'
        '<geom type="capsule" fromto="0 0 0 0 0 -0.2" size="0.05"/></body>'
    )
    path.write_text(
        '<mujoco><worldbody><body name="trunk"><freejoint/><geom size="0.1"/>'
        + limb.format("one", 0.04)
        + limb.format("two", -0.04)
        + "</body></worldbody></mujoco>"
    )
    reading = read(path)
    assert any("one and two" in guess for guess in reading.guesses)
    check_body(reading.body())
    path.with_suffix(".yaml").write_text("exclude_touching: false")
    model = read(path).spec.copy().compile()
    assert model.nexclude == 0


def test_touch_sensors_feel_a_foot_and_only_that(tmp_path):
    body = read_robot(write_stool(tmp_path))
    scene = Scene(FlatArena(), {"robot": body})
    model, data = scene.model, mujoco.MjData(scene.model)
    mujoco.mj_resetDataKeyframe(model, data, 0)
    for _ in range(60):
        mujoco.mj_step(model, data)
    force = {n: float(data.sensor(f"robot/touch/{n}").data[0]) for n in ("seat", "left", "right")}
    assert force["seat"] == 0
    assert force["left"] > 0
    end = data.sensor("robot/limb/end/left").data
    assert end == pytest.approx(
        data.xmat[1].reshape(3, 3).T @ (data.site("robot/limb/end/left").xpos - data.xpos[1]), abs=1e-6
    )


def test_the_file_beside_it_overrides_every_guess(tmp_path):
    path = write_stool(tmp_path, MOTORS)
    path.with_suffix(".yaml").write_text(
        """
base: seat
feet: [left]
pose: {"*_hinge": 0.1}
clearance: 0.05
action_scale: 0.5
control: position
gains:
  "*": {kp: 12, kv: 0.3, effort: 5}
  left_hinge: {effort: 7}
sensors: [left_*]
"""
    )
    reading = read(path)
    body, model = reading.body(), reading.spec.copy().compile()
    assert body.feet == ("left",)
    assert body.pose["left_hinge"] == 0.1
    assert body.clearance == 0.05
    assert body.action_scale == 0.5
    assert model.actuator_gainprm[:, 0].tolist() == [12, 12]
    assert (-model.actuator_biasprm[:, 2]).tolist() == pytest.approx([0.3, 0.3])
    assert model.actuator_forcerange[:, 1].tolist() == [7, 5]
    assert "left_angle" in [model.sensor(s).name for s in range(model.nsensor)]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("feat: [left]", "does not know the key 'feat'"),
        ("feet: left", "must be a list"),
        ("feet: [paw]", "paw, which matches no link; it has seat, left, right"),
        ("base: chair", "has no link 'chair'"),
        ("pose: {knee: 1}", "knee, which matches no joint"),
        ("pose: {left_hinge: 3}", "outside its range"),
        ("pose: {left_hinge: .nan}", "finite number"),
        ("gains: {left_hinge: {ki: 1}}", "kp, kv and effort, not ki"),
        ("gains: {left_hinge: {kp: -1}}", "must be above 0"),
        ("gains: {elbow: {kp: 1}}", "elbow, which matches no joint"),
        ("control: velocity", "torque or position"),
        ("root: [free]", "free or planar or fixed"),
        ("a: &a [1]\nb: *a", "aliases"),
        ("[", "is not YAML"),
        ("- 1", "names with values"),
        ("\x00", "is not YAML"),
    ],
)
def test_overrides_that_cannot_be_followed_are_refused_by_name(tmp_path, text, words):
    path = write_stool(tmp_path)
    path.with_suffix(".yaml").write_text(text)
    with pytest.raises(RobotError, match=r"stool\.(yaml|xml): ") as error:
        read(path)
    assert words in str(error.value)


def test_torque_control_replaces_what_there_is(tmp_path):
    path = write_stool(tmp_path)
    path.with_suffix(".yaml").write_text("control: torque\ngains: {'*': {effort: 3}}")
    model = read_robot(path).spec().compile()
    assert model.actuator_gear[:, 0].tolist() == [3, 3]
    assert np.allclose(model.actuator_ctrlrange, [[-1, 1]] * 2)
    assert not model.actuator_biasprm.any()


def test_includes_and_meshes_in_the_folder_are_read(tmp_path):
    trimesh = pytest.importorskip("trimesh", reason="trimesh is not installed")
    (tmp_path / "parts").mkdir()
    box = trimesh.creation.box(extents=(0.2, 0.1, 0.1))
    for suffix in ("stl", "obj", "ply", "glb", "dae"):
        box.export(tmp_path / "parts" / f"trunk.{suffix}")
        path = tmp_path / f"robot_{suffix}.xml"
        (tmp_path / "assets.xml").write_text(f'<mujoco><asset><mesh file="trunk.{suffix}"/></asset></mujoco>')
        path.write_text(
            '<mujoco><compiler meshdir="parts"/><include file="assets.xml"/><worldbody><body name="trunk"><freejoint/>'
            '<geom type="mesh" mesh="trunk" density="500"/></body></worldbody></mujoco>'
        )
        model = read_robot(path).spec().compile()
        assert model.body_mass[1] == pytest.approx(0.2 * 0.1 * 0.1 * 500, rel=1e-4)
