"""Repair: what was spoiled on purpose comes back, what cannot is refused, what is sound stays untouched."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pytest

from embodied.motion.clip import MotionClip, MotionError
from embodied.motion.files import read_motion
from embodied.motion.glitches import Hopeless, bridged, slowed, unwrapped, wrong_stretches
from embodied.motion.quaternions import sign_flips
from embodied.motion.reach import reach
from embodied.motion.repair import Verdict, repair, shortcomings
from embodied.motion.skeleton import skeleton_of
from tests.motion.real import real_clips

GO1 = skeleton_of("go1")
RATE, FRAMES = 100.0, 300


def trot(change=None, **fields) -> MotionClip:
    """A Go1 that trots on the spot, feet lifted by inverse kinematics, spoiled by ``change(pos, quat, joints)``."""
    time = np.arange(FRAMES) / RATE
    pos = np.tile((0.0, 0.0, 0.28), (FRAMES, 1))
    pos[:, 0] = 0.3 * time
    quat = np.tile((1.0, 0.0, 0.0, 0.0), (FRAMES, 1))
    start = np.tile(GO1.pose, (FRAMES, 1))
    feet = GO1.feet(pos, quat, start)
    feet[..., 2] = 0.02 + 0.06 * np.maximum(0.0, np.sin(2 * np.pi * (2 * time[:, None] + (0.0, 0.5, 0.5, 0.0))))
    joints, _ = reach(GO1, pos, quat, start, feet, np.ones((FRAMES, 4), bool))
    if change is not None:
        pos, quat, joints = (each.copy() for each in (pos, quat, joints))
        change(pos, quat, joints)
    return MotionClip.from_poses("trot", "go1", RATE, pos, quat, GO1.joint_names, joints, **fields)


@pytest.fixture(scope="module")
def sound() -> MotionClip:
    return trot()


def fixed(clip: MotionClip) -> tuple[Verdict, MotionClip]:
    verdict = repair(clip, GO1)
    assert verdict.clip is not None, verdict.findings
    assert shortcomings(verdict.clip, GO1) == []
    return verdict, verdict.clip


def test_a_sound_clip_is_accepted_as_it_is_with_its_contacts(sound):
    verdict, clip = fixed(sound)
    assert verdict.kind == "accepted"
    assert verdict.findings == ()
    assert np.array_equal(clip.joint_pos, sound.joint_pos)
    assert clip.foot_names == GO1.foot_names
    # Each foot is down for half of the time, by turns.
    assert np.allclose(clip.contacts.mean(axis=0), 0.55, atol=0.1)
    again = repair(clip, GO1)
    assert again.kind == "accepted"
    assert again.clip is not None
    assert again.clip.same_as(clip)


def test_jumps_by_whole_turns_are_taken_out_exactly(sound):
    def wrap(pos, quat, joints):
        joints[100:180, 4] += 2 * np.pi
        joints[250:, 7] -= 4 * np.pi

    verdict, clip = fixed(trot(wrap))
    assert verdict.kind == "repaired"
    assert verdict.findings == ("Taken out of its joints: 3 jumps by whole turns.",)
    assert np.abs(clip.joint_pos - sound.joint_pos).max() < 1e-12


def test_flipped_quaternions_are_made_continuous_and_told(sound):
    def flip(pos, quat, joints):
        quat[50:60] *= -1.0
        quat[200:] *= -1.0

    verdict, clip = fixed(trot(flip))
    assert verdict.findings == ("The sign of the root's quaternion, which flipped 3 times, was made continuous.",)
    assert not sign_flips(clip.root_quat).any()
    assert np.abs(clip.root_velocity - sound.root_velocity).max() < 1e-12


def test_a_leg_on_a_wrong_branch_for_a_moment_is_bridged_close_to_the_truth(sound):
    def other_branch(pos, quat, joints):
        joints[120:140, 3:6] = (2.2, -3.5, 2.5)

    verdict, clip = fixed(trot(other_branch))
    assert "with a leg on a wrong branch" in verdict.findings[0]
    assert np.abs(clip.joint_pos - sound.joint_pos).max() < 0.25
    others = [c for c in range(12) if c not in (3, 4, 5)]
    assert np.array_equal(clip.joint_pos[:, others], sound.joint_pos[:, others])


def test_a_wrong_branch_at_an_end_is_cut_off(sound):
    def other_branch(pos, quat, joints):
        joints[280:, 3:6] = (2.2, -3.5, 2.5)

    verdict, clip = fixed(trot(other_branch))
    assert "at its ends, with joints on a wrong branch, were cut off" in verdict.findings[0]
    assert clip.num_frames == 278
    assert np.array_equal(clip.joint_pos, sound.joint_pos[:278])


def test_a_spike_is_slowed_and_its_neighbours_stay(sound):
    def spike(pos, quat, joints):
        joints[70, 1] += 0.5

    verdict, clip = fixed(trot(spike))
    assert "too fast" in verdict.findings[0]
    assert np.abs(clip.joint_pos - sound.joint_pos).max() < 0.02
    assert np.array_equal(clip.joint_pos[:68], sound.joint_pos[:68])


def test_a_root_that_jumps_is_put_back_inside_and_cut_off_at_the_ends(sound):
    def jump(pos, quat, joints):
        pos[150:, 1] += 0.07
        pos[:2, 0] -= 0.05

    verdict, clip = fixed(trot(jump))
    assert verdict.findings == (
        "A jump of the root by 7 cm at 1.49 s was taken out.",
        "0.02 s at its ends, with a root that jumps, were cut off.",
    )
    assert np.allclose(clip.root_pos, sound.root_pos[2:], atol=1e-9)


def test_a_floor_that_is_elsewhere_is_moved_to_0(sound):
    verdict, clip = fixed(replace(sound, root_pos=sound.root_pos - (0, 0, 0.3)))
    assert verdict.findings == ("Its floor, 30.0 cm under 0, was moved to 0.",)
    assert np.allclose(clip.root_pos, sound.root_pos, atol=1e-4)


def test_a_foot_under_the_floor_is_lifted_without_moving_the_rest(sound):
    def sink(pos, quat, joints):
        feet = GO1.feet(pos, quat, joints)
        feet[:, 1, 2] -= 0.04 * np.sin(np.pi * np.clip((np.arange(FRAMES) - 100) / 60, 0, 1))
        joints[:], _ = reach(GO1, pos, quat, joints, feet, np.ones((FRAMES, 4), bool))

    spoiled = trot(sink)
    assert GO1.foot_bottoms(spoiled.root_pos, spoiled.root_quat, spoiled.joint_pos).min() < -0.03
    verdict, clip = fixed(spoiled)
    assert "cm under the floor were lifted to it" in verdict.findings[0]
    assert GO1.foot_bottoms(clip.root_pos, clip.root_quat, clip.joint_pos).min() > -0.0062
    assert np.array_equal(clip.root_pos, spoiled.root_pos)
    assert np.array_equal(
        clip.joint_pos[:, [0, 1, 2, 6, 7, 8, 9, 10, 11]], spoiled.joint_pos[:, [0, 1, 2, *range(6, 12)]]
    )


def spoil_ranges(pos, quat, joints):
    joints[:, 2] = np.clip(joints[:, 2] + 1.2 * np.sin(np.pi * np.arange(FRAMES) / 30), -3.0, -0.5)


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (lambda p, q, j: p.__setitem__((slice(150, None), 0), 9.0), r"The root is put 8\.55 m away at 1\.49 s"),
        (lambda p, q, j: q.__setitem__(slice(150, None), (0, 1, 0, 0)), "The root moves at 314 rad/s"),
        (lambda p, q, j: j.__setitem__((slice(100, 200), slice(3, 6)), (2.2, -3.5, 2.5)), r"are wrong for 1\.04 s"),
        (
            lambda p, q, j: j.__setitem__((slice(None), 1), 0.9 + 0.4 * (-1.0) ** np.arange(FRAMES)),
            "joints move faster than they can|of its frames would have to be changed",
        ),
        (lambda p, q, j: j.__setitem__(slice(None), 9.0), "Next to nothing of it is without joints on a wrong branch"),
        (spoil_ranges, "of its frames would have to be changed"),
    ],
)
def test_what_cannot_be_repaired_is_refused_with_the_reason(change, why):
    verdict = repair(trot(change), GO1)
    assert verdict.kind == "refused"
    assert verdict.clip is None
    assert re.search(why, verdict.findings[0]), verdict.findings


def test_a_clip_for_another_robot_or_with_other_joints_is_refused(sound):
    with pytest.raises(MotionError, match="'trot' is for go1, not for max"):
        repair(sound, skeleton_of("max"))
    names = ("left", *sound.joint_names[1:])
    with pytest.raises(MotionError, match=r"has 12 joints, but go1 knows no left: expected were FR_hip_joint"):
        repair(replace(sound, joint_names=names), GO1)


def test_of_an_unknown_robot_only_the_root_is_looked_at(sound):
    verdict = repair(replace(sound, robot="centaur"), None)
    assert verdict.kind == "accepted"
    assert verdict.findings == ("Nothing is known of centaur: ranges, speeds and feet were not looked at.",)
    leap = np.array(sound.root_pos)
    leap[100:] += 5.0
    assert repair(replace(sound, robot="centaur", root_pos=leap), None).kind == "refused"


def test_steps_are_slowed_by_the_shortest_ramp():
    step = np.where(np.arange(50) < 25, 0.0, 1.0)[:, None]
    made, changed = slowed(step, np.array([20.0]), 100.0)  # 0.2 a frame: five frames for a step of 1
    assert np.abs(np.diff(made[:, 0])).max() <= 0.2 + 1e-12
    assert changed == 4
    assert np.array_equal(made[:22], step[:22])
    assert np.array_equal(made[28:], step[28:])
    with pytest.raises(Hopeless, match="faster than they can"):
        slowed(step * 20, np.array([20.0]), 100.0)


def test_bridges_meet_their_ends_and_do_not_overshoot():
    ramp = np.linspace(0.0, 1.0, 40)[:, None]
    spoiled = ramp.copy()
    spoiled[10:20] = 77.0
    assert np.abs(bridged(spoiled, 10, 20, 100.0) - ramp).max() < 1e-12
    flat = np.where(np.arange(40) < 15, 0.0, 1.0)[:, None]
    made = bridged(flat, 10, 20, 100.0)
    assert made.min() >= 0.0
    assert made.max() <= 1.0
    with pytest.raises(Hopeless, match=r"are wrong for 0\.41 s from 0\.50 s on"):
        bridged(np.zeros((200, 1)), 50, 91, 100.0)


def test_wraps_leave_angles_in_the_turn_of_their_range_and_other_jumps_alone():
    low, high, speed = np.array([-4.0]), np.array([1.0]), np.array([20.0])
    angles = np.linspace(2.9, 3.6, 50)[:, None]
    wrapped = np.where(angles > np.pi, angles - 2 * np.pi, angles)
    made, jumps = unwrapped(wrapped, low, high, speed, 100.0)
    assert jumps == 1
    assert np.allclose(made, angles - 2 * np.pi)
    step = np.where(np.arange(50) < 25, 0.0, 1.5)[:, None]
    assert unwrapped(step, low, high, speed, 100.0)[1] == 0
    assert wrong_stretches(step, low, high + 9, speed, 100.0) == []


def test_every_real_clip_is_fit_or_refused_with_a_reason():
    """A part of each kind; docs/motion.md has the table of all."""
    paths = real_clips("lifelike/*back_001*") + real_clips("lifelike/*jump_003*") + real_clips("motion_imitation/*")
    for path in paths:
        (clip,) = read_motion(path)
        skeleton = skeleton_of(clip.robot)
        verdict = repair(clip, skeleton)
        assert verdict.findings, path
        if verdict.clip is None:
            continue
        made = verdict.clip
        assert not sign_flips(made.root_quat).any()
        assert (np.abs(made.joint_vel) <= 1.1 * skeleton.max_speed).all()
        assert (np.abs(np.diff(made.joint_pos, axis=0)) * made.frame_rate <= 1.1 * skeleton.max_speed).all()
        assert (made.joint_pos <= skeleton.upper + 1e-9).all()
        assert (made.joint_pos >= skeleton.lower - 1e-9).all()
        assert GO1.name != made.robot
        assert skeleton.foot_bottoms(made.root_pos, made.root_quat, made.joint_pos).min() > -0.021
