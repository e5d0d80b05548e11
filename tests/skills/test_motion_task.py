"""MotionTask: the style it shows and that of clips are one convention; where episodes begin, and when a robot fell."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
import torch

from embodied.envs import make
from embodied.motion.clip import MotionError
from embodied.motion.importing import import_file
from embodied.motion.library import MotionLibrary, MotionState
from embodied.motion.quaternions import from_yaw, multiply, rotate
from embodied.motion.skeleton import skeleton_of
from embodied.runs.errors import UserError
from embodied.skills.motion_task import MotionTask, any_orientation
from embodied.testing import check_task
from tests.motion.invented import walk
from tests.motion.real import real_clips


@pytest.fixture(scope="module")
def shipped() -> MotionLibrary:
    return MotionLibrary.load("go1")


def test_it_keeps_the_contract_of_tasks(shipped):
    check_task(lambda: MotionTask(shipped, reference_starts=0.5, dropped_starts=0.2), "go1")


@pytest.mark.parametrize("robot", ["go1", "max"])
def test_style_of_a_clip_is_what_the_robot_shows_when_it_does_the_same(robot):
    task = MotionTask(reference_starts=1.0)
    env = make(task, robot, 32)
    shown = env.reset(3)[0]["style"]
    state = task.library.sample(task.memory["clip"], task.memory["clip_time"])
    assert float((task.style_of(state) - shown).abs().max()) < 2e-5
    env.close()


def test_style_of_a_real_clip_too():
    path = real_clips("lifelike/*zig_walk*")[0]
    clips = [each.clip for each in import_file(path, target=skeleton_of("go1")) if each.clip is not None]
    task = MotionTask(MotionLibrary(clips), reference_starts=1.0)
    env = make(task, "go1", 8)
    shown = env.reset(0)[0]["style"]
    state = task.library.sample(task.memory["clip"], task.memory["clip_time"])
    assert float((task.style_of(state) - shown).abs().max()) < 2e-5
    env.close()


def test_style_knows_neither_place_nor_heading(shipped):
    task = MotionTask(shipped)
    env = make(task, "go1", 1)
    state = shipped.sample(torch.arange(len(shipped)), torch.full((len(shipped),), 0.7))
    turn = from_yaw(np.full(len(shipped), 1.1))
    quat = multiply(turn, state.root_quat.double().numpy())
    linear = rotate(turn, state.root_velocity[:, :3].double().numpy())
    moved = replace(
        state,
        root_pos=state.root_pos + torch.tensor((3.0, -2.0, 0.0)),
        root_quat=torch.from_numpy(-quat).float(),
        root_velocity=torch.cat((torch.from_numpy(linear).float(), state.root_velocity[:, 3:]), dim=1),
    )
    assert isinstance(moved, MotionState)
    torch.testing.assert_close(task.style_of(moved), task.style_of(state), atol=3e-6, rtol=0)
    env.close()


def test_starts_in_clips_are_their_states_above_the_origin(shipped):
    task = MotionTask(shipped, reference_starts=1.0)
    env = make(task, "go1", 16)
    env.reset(1)
    state = shipped.sample(task.memory["clip"], task.memory["clip_time"])
    robot = task.robot
    torch.testing.assert_close(robot.joint_pos.float(), state.joint_pos)
    torch.testing.assert_close(robot.joint_vel.float(), state.joint_vel)
    torch.testing.assert_close(robot.root_velocity.float(), state.root_velocity)
    torch.testing.assert_close(robot.root_quat.float(), state.root_quat, atol=1e-6, rtol=0)
    assert not bool(robot.root_pos[:, :2].any())
    torch.testing.assert_close(robot.root_pos[:, 2].float(), state.root_pos[:, 2])
    history = task.memory["history"]
    assert torch.equal(history[:, 0], history[:, -1])
    env.close()


def test_shares_of_starts_are_what_was_asked_for(shipped):
    task = MotionTask(shipped, reference_starts=0.6, dropped_starts=0.3)
    env = make(task, "go1", 600)
    env.reset(0)
    dropped = task.memory["grace"] > 0
    standing = ~dropped & (task.robot.joint_vel == 0).all(dim=1)
    assert abs(float(dropped.double().mean()) - 0.3) < 0.06
    assert abs(float(standing.double().mean()) - 0.1) < 0.04
    assert bool((task.robot.root_pos[dropped, 2] == 0.45).all())
    env.close()


def test_a_robot_on_its_back_has_fallen_but_for_one_that_was_dropped(shipped):
    task = MotionTask(shipped, reference_starts=0.0, dropped_starts=0.0)
    env = make(task, "go1", 2)
    env.reset(0)
    pose = task.robot.root_pose
    pose[:, 3:] = torch.tensor((0.0, 1.0, 0.0, 0.0))
    task.robot.set_root_pose(pose, torch.tensor([True, True]))
    task.memory["grace"][1] = 150
    ended = env.step(torch.zeros(2, 12))[2]
    assert ended.tolist() == [True, False]
    env.close()


def test_touching_the_ground_is_no_fall_where_clips_lie_down_and_is_where_none_does(shipped):
    def ended(names: tuple[str, ...]) -> bool:
        clips = [clip for clip in shipped.clips if clip.name in names]
        task = MotionTask(MotionLibrary(clips), reference_starts=0.0)
        env = make(task, "go1", 1)
        env.reset(0)
        lying = shipped.sample(torch.tensor([shipped.index("rest")]), torch.tensor([1.0]))
        task.robot.set_root_pose(torch.cat((lying.root_pos, lying.root_quat), dim=1), torch.tensor([True]))
        task.robot.joint_pos.copy_(lying.joint_pos)
        hold = (lying.joint_pos - torch.from_numpy(task.robot.entity.pose).float()) / 0.25
        over = [bool(env.step(hold)[2]) for _ in range(20)]
        env.close()
        return any(over)

    assert ended(("walk",))
    assert not ended(("walk", "rest"))


def test_clips_for_another_robot_or_with_other_joints_are_refused():
    clip = walk()
    with pytest.raises(MotionError, match="for go1, not for max"):
        make(MotionTask(MotionLibrary([clip])), "max")
    other = replace(clip, joint_names=tuple(reversed(clip.joint_names)))
    with pytest.raises(MotionError, match="joints"):
        make(MotionTask(MotionLibrary([other])), "go1")


def test_shares_that_are_none_are_refused():
    for shares in ((0.8, 0.3), (-0.1, 0.0), (math.nan, 0.0)):
        with pytest.raises(UserError, match="shares of starts"):
            MotionTask(reference_starts=shares[0], dropped_starts=shares[1])


def test_dropped_orientations_are_spread_over_all():
    drawn = any_orientation(torch.rand(20_000, 3, generator=torch.Generator().manual_seed(0)))
    torch.testing.assert_close(drawn.norm(dim=1), torch.ones(20_000))
    # Of orientations spread evenly, every product of two numbers of the quaternion averages to a quarter or to nothing.
    torch.testing.assert_close(drawn.T @ drawn / 20_000, torch.eye(4) / 4, atol=0.01, rtol=0)
