"""TrackingTask: what it shows, rewards and ends, against the clips themselves and hand computation."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest
import torch

from embodied.envs import make
from embodied.motion import quaternions
from embodied.motion.library import MotionLibrary
from embodied.runs.errors import UserError
from embodied.skills.reference import TICKS
from embodied.skills.tracking import FUTURES, TrackingConfig, TrackingTask
from embodied.skills.tracking_evaluation import evaluate_tracking
from embodied.testing import check_task
from morphologies import find_body


@pytest.fixture(scope="module")
def library() -> MotionLibrary:
    wanted = ("circle_left", "jump_up", "sit", "trot", "turn_right")
    return MotionLibrary([clip for clip in MotionLibrary.load("go1").clips if clip.name in wanted])


def test_it_keeps_the_contract_of_tasks(library):
    check_task(lambda: TrackingTask(library), "go1")


def test_the_table_is_the_library_on_a_grid_over_cycles_and_ends(library):
    task = TrackingTask(library)
    env = make(task, "go1", 1)
    generator = torch.Generator().manual_seed(0)
    clips = torch.randint(len(library), (200,), generator=generator)
    ticks = torch.randint(int(10.5 * TICKS), (200,), generator=generator)
    rows = torch.from_numpy(task.table.rows(clips.numpy(), ticks.numpy()))
    state = library.sample(clips, ticks.double() / TICKS)
    for name in ("root_pos", "root_quat", "root_velocity", "joint_pos", "joint_vel"):
        torch.testing.assert_close(rows[:, getattr(task.table, name)], getattr(state, name), atol=1e-5, rtol=0)
    feet = task.kinematics(state.joint_pos).flatten(1)
    torch.testing.assert_close(rows[:, task.table.feet], feet, atol=1e-5, rtol=0)
    env.close()


def test_a_robot_in_the_clips_state_has_no_errors(library):
    task = TrackingTask(library)
    env = make(task, "go1", 32)
    env.reset(0)
    errors = task._errors()
    for name in ("joint_pos", "joint_mean", "joint_vel", "feet", "root_pos", "linear", "angular"):
        assert np.abs(getattr(errors, name)).max() < 1e-5, name
    assert np.abs(errors.root_turn).max() < 2e-3  # from single precision, of which an arctangent of 0 shows the root
    env.close()


def test_errors_are_what_was_moved(library):
    task = TrackingTask(library)
    env = make(task, "go1", 4)
    env.reset(0)
    pose = task.robot.root_pose
    pose[:, 0] += 0.3
    pose[:, 1] -= 0.4
    turn = quaternions.from_rotation_vector(np.array((0.0, 0.0, 0.2)))
    pose[:, 3:] = torch.from_numpy(quaternions.multiply(turn, pose[:, 3:].numpy()))
    task.robot.set_root_pose(pose, torch.ones(4, dtype=torch.bool))
    task.robot.joint_pos[:, 3] += 0.5
    task.robot.root_velocity[:, 2] += 1.5
    env.env.world.forward()
    errors = task._errors()
    np.testing.assert_allclose(errors.root_pos, 0.25, atol=1e-5)
    np.testing.assert_allclose(errors.root_turn, 0.2, atol=1e-3)
    np.testing.assert_allclose(errors.joint_pos, 0.25, atol=1e-5)
    np.testing.assert_allclose(errors.joint_mean, 0.5 / 12, atol=1e-5)
    np.testing.assert_allclose(errors.linear, 2.25, atol=1e-4)
    assert (errors.feet > 4 * 0.2).all()
    env.close()


def test_the_goal_is_what_the_clip_does_next_as_seen_from_the_robot(library):
    task = TrackingTask(library)
    env = make(task, "go1", 16)
    goal = env.reset(5)[0]["goal"].double()
    places, turns, joints = goal[:, :12].view(16, 4, 3), goal[:, 12:24].view(16, 4, 3), goal[:, 24:].view(16, 4, 12)
    clips, now = task.memory["clip"], task.memory["clip_time"]
    here = library.sample(clips, now)
    for column, ticks in enumerate(FUTURES):
        then = library.sample(clips, now + ticks / TICKS)
        way = (then.root_pos - here.root_pos).double().numpy()
        seen = quaternions.rotate(quaternions.conjugate(here.root_quat.numpy()), way)
        np.testing.assert_allclose(places[:, column], seen, atol=1e-4)
        between = quaternions.multiply(quaternions.conjugate(here.root_quat.numpy()), then.root_quat.numpy())
        np.testing.assert_allclose(turns[:, column], quaternions.rotation_vector(between), atol=2e-3)
        expected = then.joint_pos.double() - torch.from_numpy(task.robot.entity.pose)
        np.testing.assert_allclose(joints[:, column], expected, atol=1e-5)
    env.close()


def test_the_goal_does_not_know_where_in_the_world_the_robot_is_or_looks(library):
    task = TrackingTask(library)
    env = make(task, "go1", 1)
    env.reset(0)
    before = task.memory["goal"].clone()
    assert float(task.memory["shift"].abs().max()) > 0 or task.memory["clip_time"].item() == 0
    task.robot.root_pos[:, :2] += torch.tensor((5.0, 1.0))
    task.memory["shift"] += torch.tensor((5.0, 1.0))
    task._look_ahead(None)
    torch.testing.assert_close(task.memory["goal"], before, atol=1e-5, rtol=0)
    env.close()


def test_an_action_of_nothing_aims_at_the_clips_joints_at_the_end_of_the_step(library):
    task = TrackingTask(library)
    env = make(task, "go1", 8)
    env.reset(0)
    then = library.sample(task.memory["clip"], task.memory["clip_time"] + 0.02)
    task.act(torch.full((8, 12), 2.0))
    expected = then.joint_pos.double() + 2.0 * task.config.action_scale
    torch.testing.assert_close(task.robot.controls, expected, atol=1e-5, rtol=0)
    env.close()
    about_pose = TrackingTask(library, TrackingConfig(about="pose"))
    env = make(about_pose, "go1", 2)
    about_pose.act(torch.zeros(2, 12))
    torch.testing.assert_close(about_pose.robot.controls[0], torch.from_numpy(about_pose.robot.entity.pose))
    env.close()


def test_a_clip_ends_its_episode_and_a_looped_one_does_not(library):
    task = TrackingTask(library, TrackingConfig(max_root_error=1e3, max_root_turn=4.0, max_joint_error=1e3), each=True)
    task.each = False
    env = make(task, "go1", 3)
    env.reset(0)
    jump, trot = library.index("jump_up"), library.index("trot")
    for world, (clip, tick) in enumerate(((jump, 0), (jump, 300), (trot, 0))):
        task.memory["clip"][world], task.memory["tick"][world] = clip, tick
    task.memory["steps"].zero_()
    jump_steps = int(library.clips[jump].duration / 0.02 + 1e-6)
    lengths: dict[int, int] = {}
    for step in range(jump_steps + 20):
        transition = env.env.advance(torch.zeros(3, 12))
        for world in transition.terminated.nonzero()[:, 0].tolist():
            lengths.setdefault(world, step + 1)
    assert lengths == {0: jump_steps, 1: jump_steps - 100}
    env.close()


def test_losing_the_clip_ends_an_episode(library):
    task = TrackingTask(library, TrackingConfig(max_root_error=0.3, max_joint_error=0.15))
    env = make(task, "go1", 3)
    env.reset(0)
    task.robot.root_pos[0, 0] += 0.35
    task.robot.joint_pos[1] += 0.4
    assert env.step(torch.zeros(3, 12))[2].tolist() == [True, True, False]
    env.close()


def test_scores_are_divided_by_the_steps_there_were_from_the_start(library):
    task = TrackingTask(library)
    env = make(task, "go1", 2)
    env.reset(0)
    jump = library.index("jump_up")
    steps = int(library.clips[jump].duration / 0.02 + 1e-6)
    task.memory["clip"][:], task.memory["steps"][:] = jump, 20
    task.memory["tick"][:] = torch.tensor([0, 3 * (steps - 20)])
    task.memory["sums"][:, 0] = 20.0  # full marks for 20 steps
    task.memory["ended"][:] = torch.tensor([False, True])
    score = task.metrics()["score"]
    assert score.tolist() == pytest.approx([20 / steps, 1.0])
    assert task.metrics()["tracked"].tolist() == [0.0, 1.0]
    env.close()


def test_clips_that_are_tracked_badly_are_drawn_more_often(library):
    task = TrackingTask(library)
    env = make(task, "go1", 4)
    task.memory["tallies"][0, :, 0] = 10.0
    task.memory["tallies"][0, :, 1] = 10.0 * torch.tensor([1.0, 1.0, 0.2, 1.0, 0.5], dtype=torch.float64)
    clips, times = task.draw_clips(4000)
    counts = torch.bincount(clips, minlength=5) / 4000
    weights = torch.tensor([0.02, 0.02, 0.8**3, 0.02, 0.5**3])
    torch.testing.assert_close(counts, weights / weights.sum(), atol=0.03, rtol=0)
    torch.testing.assert_close(times * TICKS, torch.round(times * TICKS), atol=1e-9, rtol=0)
    env.close()


def test_seeding_anew_forgets_what_was_tracked(library):
    task = TrackingTask(library)
    env = make(task, "go1", 8)
    first = env.reset(4)[0]["goal"]
    for _ in range(80):
        env.step(torch.zeros(8, 12))
    assert bool(task.memory["tallies"].any())
    assert torch.equal(env.reset(4)[0]["goal"], first)
    assert not bool(task.memory["tallies"].any())
    env.close()


def test_an_evaluation_tracks_every_clip_once_from_its_beginning(library):
    task = TrackingTask(library, each=True)
    found = evaluate_tracking(task, find_body("go1"), lambda seen: torch.zeros(len(seen["goal"]), 12))
    assert [each.clip for each in found.clips] == list(library.names)
    sit = found.clips[library.index("sit")]
    assert sit.to_its_end
    assert sit.good
    assert sit.seconds == pytest.approx(math.floor(sit.duration / 0.02) * 0.02)
    trot = found.clips[library.index("trot")]
    assert not trot.to_its_end  # without any feedback a Go1 falls behind
    assert trot.seconds < trot.duration
    assert found.share_good <= found.share_to_end < 1.0
    assert f"{round(5 * found.share_to_end)} of 5 clips" in str(found)
    with pytest.raises(ValueError, match="each=True"):
        evaluate_tracking(TrackingTask(library), find_body("go1"), lambda seen: torch.zeros(1, 12))


def test_more_motion_than_a_table_holds_is_refused(library):
    slow = dataclasses.replace(library.clips[library.index("sit")], frame_rate=0.1)
    clips = [dataclasses.replace(slow, name=f"{number}") for number in range(40)]
    with pytest.raises(UserError, match="tracking takes at most 36,000 s"):
        make(TrackingTask(MotionLibrary(clips)), "go1", num_worlds=1)
