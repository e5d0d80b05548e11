"""Clips: velocities against closed forms, the seam of a loop, and what is refused."""

from __future__ import annotations

import dataclasses
import re
from typing import Any

import numpy as np
import pytest

from embodied.motion.clip import MotionClip, MotionError
from embodied.motion.quaternions import rotate
from embodied.motion.velocities import Cycle
from tests.motion.invented import GO1_JOINTS, RADIUS, TURN, circle, swinging, walk


@pytest.mark.parametrize(("loop", "at_ends"), [(True, 2e-5), (False, 3e-3)])
def test_velocities_of_a_circle_are_those_of_a_circle_up_to_its_ends(loop, at_ends):
    clip = walk(frames=200, frame_rate=100.0, loop=loop)
    heading = TURN * np.arange(200) / 100.0 + 0.3
    linear = RADIUS * TURN * np.stack((np.cos(heading), np.sin(heading), np.zeros(200)), axis=1)
    wrong = np.abs(clip.root_velocity[:, :3] - linear).max(axis=1)
    assert wrong[1:-1].max() < 2e-5
    assert wrong[[0, -1]].max() < at_ends
    # The turn is about the world's vertical; the root, rolled by a tenth, sees it tilted.
    expected = (0.0, TURN * np.sin(0.1), TURN * np.cos(0.1))
    assert np.abs(clip.root_velocity[:, 3:] - expected).max() < 1e-12


def test_joint_velocities_are_the_derivative_of_the_sine_across_the_seam():
    clip = walk(frames=200, frame_rate=100.0)
    phase = 2.0 * np.pi * (np.arange(200)[:, None] / 200 + np.arange(12) / 12.0)
    exact = 0.1 * np.pi * np.cos(phase)
    assert np.abs(clip.joint_vel - exact).max() < 2e-4


def test_the_error_of_angular_velocity_is_of_second_order_where_the_axis_changes():
    def error(rate: float) -> float:
        time = np.arange(int(rate) + 1) / rate
        # Turning about x by a(t), then about the turned z by b(t): the body sees b' z + R_z(-b) a' x.
        a, b = np.sin(2.0 * time), 0.7 * time**2
        about_x = np.stack((np.cos(a / 2), np.sin(a / 2), 0 * a, 0 * a), axis=1)
        about_z = np.stack((np.cos(b / 2), 0 * b, 0 * b, np.sin(b / 2)), axis=1)
        from embodied.motion.quaternions import multiply

        quat = multiply(about_x, about_z)
        clip = MotionClip.from_poses(
            "turning", "top", rate, np.zeros((len(time), 3)), quat, (), np.zeros((len(time), 0))
        )
        rate_a, rate_b = 2.0 * np.cos(2.0 * time), 1.4 * time
        exact = np.stack((rate_a * np.cos(b), -rate_a * np.sin(b), rate_b), axis=1)
        return float(np.abs(clip.root_velocity[:, 3:] - exact)[1:-1].max())

    coarse, fine = error(50.0), error(100.0)
    assert coarse < 5e-3
    assert 3.5 < coarse / fine < 4.5


def test_a_cycle_that_is_not_told_is_estimated_from_the_steps_beside_the_seam():
    told = walk(frames=100)
    time = np.arange(100) / 50.0
    pos, quat = circle(time)
    guessed = MotionClip.from_poses("walk", "go1", 50.0, pos, quat, GO1_JOINTS, swinging(time, 2.0), loop=True)
    assert np.allclose(guessed.cycle, told.cycle, atol=1e-6)


def test_a_file_of_few_digits_and_flipped_signs_is_made_of_unit_quaternions_without_flips():
    time = np.arange(20) / 50.0
    pos, quat = circle(time)
    rough = np.round(quat, 3)
    rough[7:12] *= -1.0
    clip = MotionClip.from_poses("rough", "go1", 50.0, pos, rough, GO1_JOINTS, swinging(time, 1.0))
    assert np.abs(np.linalg.norm(clip.root_quat, axis=1) - 1.0).max() < 1e-15
    assert (np.einsum("ti,ti->t", clip.root_quat[1:], clip.root_quat[:-1]) > 0.9).all()
    forward = rotate(clip.root_quat, np.array((1.0, 0.0, 0.0)))
    assert np.abs(forward - rotate(quat, np.array((1.0, 0.0, 0.0)))).max() < 2e-3


def test_a_clip_keeps_its_own_arrays_and_lets_nobody_change_them():
    clip = walk()
    mine = np.array(clip.joint_pos)
    again = dataclasses.replace(clip, joint_pos=mine)
    mine[:] = 0.0
    assert again.same_as(clip)
    with pytest.raises(ValueError, match="read-only"):
        again.joint_pos[0, 0] = 1.0
    with pytest.raises(dataclasses.FrozenInstanceError):
        again.name = "other"  # type: ignore[misc]


def test_two_frames_are_a_motion():
    clip = MotionClip.from_poses(
        "step", "ball", 10.0, [(0, 0, 1), (0.1, 0, 1)], [(1, 0, 0, 0)] * 2, (), np.zeros((2, 0))
    )
    assert np.allclose(clip.root_velocity, [(1, 0, 0, 0, 0, 0)] * 2)
    assert clip.duration == 0.1


def nan_at(array: np.ndarray, frame: int) -> np.ndarray:
    changed = np.array(array)
    changed[frame, -1] = np.nan
    return changed


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda c: {"root_pos": nan_at(c.root_pos, 17)}, "root_pos is not finite in frame 17"),
        (lambda c: {"joint_vel": nan_at(c.joint_vel, 3)}, "joint_vel is not finite in frame 3"),
        (lambda c: {"root_quat": c.root_quat * 1.1}, "root_quat has length 1.100000 in frame 0"),
        (lambda c: {"root_quat": c.root_quat * np.where(np.arange(100) < 40, 1, -1)[:, None]}, "after frame 39"),
        (lambda c: {"joint_pos": c.joint_pos[:, :5]}, r"joint_pos has shape (100, 5), where (100, 12) was expected"),
        (lambda c: {"contacts": c.contacts[:50]}, r"contacts has shape (50, 4), where (100, 4) was expected"),
        (lambda c: {"joint_pos": "wide"}, "joint_pos is no array of float64 numbers"),
        (lambda c: {"root_pos": c.root_pos[:1]}, "two frames or more, not 1"),
        (lambda c: {"frame_rate": 0.0}, "frame_rate must be a positive number"),
        (lambda c: {"frame_rate": np.nan}, "frame_rate must be a positive number"),
        (lambda c: {"frame_rate": "fast"}, "frame_rate and cycle are numbers"),
        (lambda c: {"frame_rate": 1e-9}, "0.1 to 10,000; not 1e-09"),
        (lambda c: {"frame_rate": 1e9}, "0.1 to 10,000; not 1e+09"),
        (lambda c: {"root_pos": 1e300 * c.root_pos}, "root_pos is beyond all bounds in frame 0"),
        (lambda c: {"joint_pos": c.joint_pos.astype(str)}, "joint_pos is no array of float64 numbers"),
        (lambda c: {"joint_pos": c.joint_pos.astype(complex)}, "joint_pos is no array of float64 numbers"),
        (lambda c: {"cycle": Cycle(1e300, 0, 0)}, "cycle is not finite, or beyond all bounds"),
        (lambda c: {"robot": 3.5}, "robot must be text, not 3.5"),
        (lambda c: {"robot": "go1\x1b[31m"}, "robot must be a name that can be printed"),
        (lambda c: {"licence": 3}, "licence must be text, not 3"),
        (lambda c: {"loop": "yes"}, "loop is true or false, not 'yes'"),
        (lambda c: {"cycle": Cycle(np.inf, 0, 0)}, "cycle is not finite"),
        (lambda c: {"loop": False}, "only a looped clip has a cycle"),
        (lambda c: {"joint_names": (*c.joint_names[:-1], c.joint_names[0])}, "'FR_hip_joint' is named twice"),
    ],
)
def test_what_does_not_fit_is_refused_by_clip_field_and_frame(change, sentence):
    clip = walk()
    changes: dict[str, Any] = change(clip)
    with pytest.raises(MotionError, match=re.escape(sentence)) as caught:
        dataclasses.replace(clip, **changes)
    assert "'walk'" in str(caught.value)


def test_a_quaternion_that_is_no_rotation_is_refused_before_anything_is_computed_from_it():
    time = np.arange(10) / 50.0
    pos, quat = circle(time)
    quat[4] = 0.0
    with pytest.raises(MotionError, match="root_quat is no rotation in frame 4"):
        MotionClip.from_poses("zero", "go1", 50.0, pos, quat, GO1_JOINTS, swinging(time, 1.0))
