"""Retargeting and inverse kinematics: against MuJoCo's own kinematics, closed forms and figures measured by others."""

from __future__ import annotations

import mujoco
import numpy as np
import pytest

from embodied.motion.clip import MotionClip, MotionError
from embodied.motion.files import read_motion
from embodied.motion.legs import LEGS, joints_by_leg, legs_of
from embodied.motion.reach import chains, reach
from embodied.motion.repair import repair
from embodied.motion.retarget import retarget
from embodied.motion.skeleton import known_skeleton, skeleton_of
from embodied.scenes.arenas.flat import FlatArena
from embodied.scenes.scene import Scene
from morphologies import RobotError
from morphologies.robots import robot_folder
from tests.motion.invented import circle
from tests.motion.real import real_clips

ROBOTS = ("go1", "max", "laikago")


def stepping(robot: str, loop: bool = False) -> MotionClip:
    """A robot that walks along a circle, its legs swinging by turns."""
    skeleton = skeleton_of(robot)
    time = np.arange(80) / 40.0
    pos, quat = circle(time)
    swing = np.sin(2 * np.pi * (time[:, None] + np.repeat((0.0, 0.5, 0.5, 0.0), 3)))
    joints = skeleton.pose + swing * np.tile((0.1, 0.3, 0.25), 4)
    return MotionClip.from_poses(
        "stepping",
        robot,
        40.0,
        pos,
        quat,
        skeleton.joint_names,
        joints,
        foot_names=skeleton.foot_names,
        contacts=np.repeat(swing[:, [0]] > 0, 4, axis=1) ^ (np.array([0, 1, 1, 0]) > 0),
        loop=loop,
    )


@pytest.mark.parametrize("robot", ROBOTS)
def test_a_skeleton_puts_feet_where_mujoco_does_and_knows_its_limits(robot):
    skeleton = skeleton_of(robot)
    clip = stepping(robot)
    feet = skeleton.feet(clip.root_pos, clip.root_quat, clip.joint_pos)
    bottoms = skeleton.foot_bottoms(clip.root_pos, clip.root_quat, clip.joint_pos)
    model = skeleton.body.spec().compile()
    data = mujoco.MjData(model)
    for frame in (0, 37, 79):
        data.qpos[:7] = (*clip.root_pos[frame], *clip.root_quat[frame])
        for name, angle in zip(clip.joint_names, clip.joint_pos[frame], strict=True):
            data.joint(name).qpos = angle
        mujoco.mj_forward(model, data)
        for number, foot in enumerate(skeleton.foot_names):
            assert np.allclose(feet[frame, number], data.body(foot).xpos, atol=1e-12)
            ball = model.geom_size[model.body(foot).geomadr[0], 0]
            assert np.isclose(bottoms[frame, number], data.body(foot).xpos[2] - ball)
    assert np.isfinite(skeleton.max_speed).all()
    assert (skeleton.lower < skeleton.pose).all()
    assert (skeleton.pose < skeleton.upper).all()


def test_the_largest_speeds_are_those_of_the_data_sheets():
    assert skeleton_of("go1").max_speed.tolist() == [30.1, 30.1, 20.06] * 4
    assert skeleton_of("max").max_speed.tolist() == [20.0, 20.0, 33.0] * 4


@pytest.mark.parametrize("robot", ["go1", "max"])
def test_a_skeletons_joints_are_in_the_order_of_an_entitys(robot):
    skeleton = skeleton_of(robot)
    entity = Scene(FlatArena(), {"robot": skeleton.body}).entities["robot"]
    assert list(skeleton.joint_names) == entity.joint_names


def test_a_robot_files_yaml_says_how_fast_its_joints_are(tmp_path):
    path = tmp_path / "mine.xml"
    path.write_text((robot_folder() / "go1.xml").read_text())
    path.with_suffix(".yaml").write_text('max_speed: {"*": 7, "*_calf_joint": 5}')
    skeleton = skeleton_of(path)
    assert skeleton.name == "mine"
    assert skeleton.max_speed.tolist() == [7.0, 7.0, 5.0] * 4
    for wrong, why in (('{"wing": 3}', "max_speed names wing, which matches no joint"), ('{"*": -1}', "above 0")):
        other = tmp_path / f"{len(wrong)}.xml"
        other.write_text(path.read_text())
        other.with_suffix(".yaml").write_text(f"max_speed: {wrong}")
        with pytest.raises(RobotError, match=why):
            skeleton_of(other)


def test_unknown_robots_and_those_without_a_free_root_are_told():
    assert known_skeleton("centaur") is None
    pytest.importorskip("dm_control", reason="needs the extra robots")
    with pytest.raises(MotionError, match="free root"):
        skeleton_of("walker")


@pytest.mark.parametrize("robot", ROBOTS)
def test_legs_are_found_by_where_they_are(robot):
    skeleton = skeleton_of(robot)
    for name, leg in legs_of(skeleton).items():
        assert all(skeleton.joint_names[joint].startswith(name) for joint in leg.joints)
        assert skeleton.foot_names[leg.foot].startswith(name)
        assert np.allclose(np.abs(leg.axes), np.eye(3)[[0, 1, 1]], atol=1e-9)
    assert joints_by_leg(skeleton) == list(range(12))
    assert chains(skeleton) == [[0, 1, 2], [3, 4, 5], [6, 7, 8], [9, 10, 11]]


@pytest.mark.parametrize("robot", ROBOTS)
def test_inverse_kinematics_undoes_forward_kinematics(robot):
    skeleton = skeleton_of(robot)
    clip = stepping(robot)
    goals = skeleton.feet(clip.root_pos, clip.root_quat, clip.joint_pos)
    start = np.tile(skeleton.pose, (80, 1))
    joints, errors = reach(skeleton, clip.root_pos, clip.root_quat, start, goals, np.ones((80, 4), bool))
    assert errors.max() < 1e-4
    assert np.abs(joints - clip.joint_pos).max() < 2e-3
    none, _ = reach(skeleton, clip.root_pos, clip.root_quat, start, goals, np.zeros((80, 4), bool))
    assert np.array_equal(none, start)


def test_inverse_kinematics_moves_only_the_leg_that_is_wanted_and_stays_in_range():
    skeleton = skeleton_of("go1")
    clip = stepping("go1")
    goals = skeleton.feet(clip.root_pos, clip.root_quat, clip.joint_pos) + np.array((0.0, 0.0, -1.0))
    wanted = np.zeros((80, 4), bool)
    wanted[:, 2] = True
    joints, errors = reach(skeleton, clip.root_pos, clip.root_quat, clip.joint_pos, goals, wanted)
    others = [*range(6), 9, 10, 11]
    assert np.array_equal(joints[:, others], clip.joint_pos[:, others])
    assert (joints[:, 6:9] <= skeleton.upper[6:9]).all()
    assert (joints[:, 6:9] >= skeleton.lower[6:9]).all()
    assert errors[:, 2].min() > 0.7  # it hangs down as far as it can


def test_by_joints_angles_are_copied_with_the_signs_of_the_axes():
    clip = stepping("max")
    made = retarget(clip, skeleton_of("max"), skeleton_of("go1"), "joints").clip
    assert np.allclose(made.joint_pos, clip.joint_pos * np.tile((1, -1, -1), 4))
    assert (made.robot, made.joint_names) == ("go1", skeleton_of("go1").joint_names)
    assert np.array_equal(made.contacts, clip.contacts)
    assert np.array_equal(made.root_quat, clip.root_quat)
    back = retarget(made, skeleton_of("go1"), skeleton_of("max"), "joints").clip
    assert np.allclose(back.joint_pos, clip.joint_pos)
    assert np.allclose(back.root_pos, clip.root_pos, atol=2e-3)


@pytest.mark.parametrize("source", ROBOTS)
@pytest.mark.parametrize("target", ROBOTS)
def test_by_feet_every_foot_is_as_high_as_its_scaled_original(source, target):
    here, there = skeleton_of(source), skeleton_of(target)
    clip = stepping(source, loop=True)
    made = retarget(clip, here, there, "feet")
    assert made.foot_error < 1e-3
    scale = legs_of(there)["FR"].length / legs_of(here)["FR"].length
    before = here.foot_bottoms(clip.root_pos, clip.root_quat, clip.joint_pos)
    after = there.foot_bottoms(made.clip.root_pos, made.clip.root_quat, made.clip.joint_pos)
    assert np.abs(after - scale * before).max() < 2e-3
    assert made.clip.cycle == pytest.approx((scale * clip.cycle.x, scale * clip.cycle.y, clip.cycle.heading))
    if source == target:
        assert np.abs(made.clip.joint_pos - clip.joint_pos).max() < 5e-3


def test_by_feet_the_way_there_and_back_leads_home():
    clip = stepping("max")
    go1 = retarget(clip, skeleton_of("max"), skeleton_of("go1")).clip
    back = retarget(go1, skeleton_of("go1"), skeleton_of("max")).clip
    assert np.abs(back.joint_pos - clip.joint_pos).max() < 1e-2
    assert np.abs(back.root_pos - clip.root_pos).max() < 1e-9
    assert [note.split(" by feet")[0] for note in back.notes] == [
        "Retargeted from max to go1",
        "Retargeted from go1 to max",
    ]


def test_a_clip_of_another_robot_is_not_retargeted():
    with pytest.raises(MotionError, match="'stepping' is for max, not for go1"):
        retarget(stepping("max"), skeleton_of("go1"), skeleton_of("max"))


def test_what_is_no_quadruped_is_refused():
    from dataclasses import replace

    go1 = skeleton_of("go1")
    tripod = replace(go1, foot_names=go1.foot_names[:3], soles=go1.soles[:3])
    with pytest.raises(MotionError, match="no quadruped with a leg at each corner"):
        legs_of(tripod)


def test_a_real_walk_keeps_its_feet_on_the_floor_on_another_robot():
    (clip,) = read_motion(real_clips("lifelike/*back_001*")[0])
    source, target = skeleton_of("max"), skeleton_of("go1")
    walked = repair(clip, source).clip
    assert walked is not None
    feet = retarget(walked, source, target)
    assert feet.foot_error < 1e-3
    verdict = repair(feet.clip, target)
    assert verdict.clip is not None
    low = target.foot_bottoms(feet.clip.root_pos, feet.clip.root_quat, feet.clip.joint_pos).min(axis=1)
    assert np.abs(np.median(low)) < 0.005
    # Joints alone leave the Go1 about 2 cm too high, as its legs are shorter.
    copied = retarget(walked, source, target, "joints").clip
    assert -0.03 < float((copied.root_pos - walked.root_pos)[0, 2]) < -0.015
    assert LEGS == ("FR", "FL", "RR", "RL")
