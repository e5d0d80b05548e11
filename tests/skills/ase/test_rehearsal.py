"""Rehearsals: the clip stands where the robot is, and both policies see the same moment in their own terms."""

import math

import numpy as np
import pytest
import torch

from embodied.envs import make
from embodied.learning.evaluate import mean_actor
from embodied.networks import ActorCritic, PolicyConfig, PolicyShape
from embodied.scenes.frames import from_yaw
from embodied.skills.ase import rehearsal
from embodied.skills.ase.cells import Cells
from embodied.skills.ase.cloning import CloningConfig, clone
from embodied.skills.ase.rehearsal import TEACHER, RehearsalTask
from embodied.skills.tracking import TrackingConfig, TrackingTask
from tests.skills.ase.small import library, trainer

WORLDS = 6


@pytest.fixture
def env():
    made = make(
        RehearsalTask(library(), TrackingConfig(), reference_starts=1.0, switched=0.0), "go1", WORLDS, seed=3, threads=1
    )
    made.reset(3)
    yield made
    made.close()


def test_the_clip_stands_at_the_moment_that_the_robot_is_in(env):
    task = env.env.task
    row = task.table.rows(task._clip, task._tick)
    off = np.abs(row[:, task.table.joint_pos] - task.robot.joint_pos.numpy())
    half_a_step = 0.5 * task.dt * np.abs(task.robot.joint_vel.numpy()).max()
    assert off.max() <= half_a_step + 0.02, "strides are alike, but moments of a stride are not"
    height = row[:, 2] - task.robot.root_pos[:, 2].numpy()
    assert np.abs(height).max() < 0.01


def put_at(task, ticks):
    """Robots are as their clips are at these ticks."""
    row = task.table.rows(task._clip, ticks)
    task.robot.set_root_pose(torch.from_numpy(row[:, :7].copy()), torch.ones(WORLDS, dtype=torch.bool))
    task.robot.joint_pos.copy_(torch.from_numpy(row[:, task.table.joint_pos].copy()))
    task.robot.joint_vel.copy_(torch.from_numpy(row[:, task.table.joint_vel].copy()))
    task.robot.root_velocity.copy_(torch.from_numpy(row[:, task.table.root_velocity].copy()))
    task.world.forward()


def test_the_clip_goes_on_with_a_robot_that_does_what_it_shows(env):
    task = env.env.task
    begun = task._tick.copy()
    for step in range(1, 30):
        put_at(task, begun + step * task.table.stride)
        task._stand(np.arange(WORLDS))
        count = np.array([len(task._ticks[clip]) for clip in task._clip])
        gone = (task._tick - begun) // task.table.stride % count
        late = np.minimum(begun // task.table.stride + step, count - 1) - begun // task.table.stride
        expected = np.where(task._looped[task._clip], step % count, late)
        assert (np.minimum(abs(gone - expected), count - abs(gone - expected)) <= 1).all(), step


def test_the_clip_does_not_leap_to_a_posture_that_it_passes_through_elsewhere(env):
    """Half a cycle of a trot on, the robot's mirror image is due; a leap would be free where nothing is due."""
    task = env.env.task
    before = task._tick.copy()
    counts = np.array([len(task._ticks[clip]) for clip in task._clip])
    put_at(task, before + counts // 2 * task.table.stride)
    task._stand(np.arange(WORLDS))
    steps = abs(task._tick - before) // task.table.stride
    assert (np.minimum(steps, counts - steps) <= 8).all()


def test_episodes_begin_in_the_clip_that_is_asked_for_or_in_any():
    task = RehearsalTask(library(), TrackingConfig(), reference_starts=1.0, switched=1.0)
    env = make(task, "go1", 64, seed=3, threads=1)
    env.reset(3)
    asked = task.memory["clip"]
    assert torch.equal(asked, torch.arange(64) % len(task.library))
    row = task.table.rows(task._clip, task._tick)
    off = np.abs(row[:, task.table.joint_pos] - task.robot.joint_pos.numpy()).max(axis=1)
    assert 0.2 < (off > 0.2).mean() < 0.9, "about half begin in another clip than theirs"
    env.close()


def test_what_is_shown_does_not_depend_on_where_the_robot_is_or_looks(env):
    task = env.env.task
    before = task.memory["goal"].clone()
    robot = task.robot
    turned = from_yaw(torch.full((WORLDS,), 2.1, dtype=robot.root_quat.dtype))
    w, x, y, z = robot.root_quat.unbind(-1)
    c, s = turned[:, 0], turned[:, 3]
    quat = torch.stack((c * w - s * z, c * x - s * y, c * y + s * x, c * z + s * w), dim=-1)
    place = robot.root_pos + torch.tensor([3.0, -2.0, 0.0])
    robot.set_root_pose(torch.cat((place, quat), dim=-1), torch.ones(WORLDS, dtype=torch.bool))
    env.env.world.forward()
    task._stand(np.arange(WORLDS), anywhere=True)
    torch.testing.assert_close(task.memory["goal"], before, atol=1e-4, rtol=0)


def test_the_teacher_sees_in_a_clip_what_it_saw_when_it_was_trained(env):
    """Up to the moment's rounding: what tracking shows of a robot in the clip's own state."""
    task = env.env.task
    tracked = make(TrackingTask(task.library), "go1", WORLDS, threads=1)
    tracked.reset(0)
    own = tracked.env.task
    everywhere = torch.ones(WORLDS, dtype=torch.bool)
    own._clip[...], own._tick[...] = task._clip, task._tick
    row = own.table.rows(own._clip, own._tick)
    own.robot.set_root_pose(torch.from_numpy(row[:, :7].copy()), everywhere)
    own.robot.joint_pos.copy_(torch.from_numpy(row[:, own.table.joint_pos].copy()))
    own._shift[...] = 0.0
    own._steps[...] = 0
    tracked.env.world.forward()
    own._look_ahead(None)
    # Here the robot is in the moment that was drawn, there in the nearest at the pace of control: half a step apart.
    assert (task.memory["goal"] - own.memory["goal"]).abs().max() < 0.25
    assert (task.memory["goal"] - own.memory["goal"]).abs().mean() < 0.02
    tracked.close()


def test_both_ways_to_name_an_action_are_the_same_targets(env):
    task = env.env.task
    taught = torch.linspace(-1.0, 1.0, WORLDS * 12, dtype=torch.float64).reshape(WORLDS, 12)
    action = task.in_units_of_the_prior(taught)
    rows = task.table.rows(task._clip, task._tick + task.table.stride)
    wanted = rows[:, task.table.joint_pos] + task.config.action_scale * taught.numpy()
    env.step(action.float())
    np.testing.assert_allclose(task.robot.controls.numpy(), wanted, atol=1e-5)
    np.testing.assert_allclose(task.memory["taught"].numpy(), taught.numpy(), atol=1e-5)
    assert env.observation_space[TEACHER].shape == env.observation_space["proprio"].shape


def test_a_decoder_learns_what_a_teacher_says_and_the_trainings_optimiser_still_moves_it(monkeypatch):
    monkeypatch.setattr(rehearsal, "OFF_PACE", 0.0)  # what it says then depends on nothing that the decoder cannot know
    training = trainer()
    groups = make(RehearsalTask(library(), TrackingConfig(), switched=0.0), "go1", 8, seed=1, threads=1)
    config = PolicyConfig(hidden=(8,), actor_groups=("proprio", "goal"), critic_groups=("proprio", "goal"))
    shape = PolicyShape.for_spaces(groups.observation_space, groups.action_space, config)
    teacher = mean_actor(ActorCritic(shape, torch.Generator().manual_seed(0)))
    cells = Cells(training.sightings.repertoire.between_clips(), 3, torch.Generator().manual_seed(0))
    cloning = CloningConfig(steps=6_000, minibatch=256, updates=12, learning_rate=3e-3, kept=4_000)
    figures = list(clone(groups, training.policy, teacher, cells, cloning, 0.1, torch.Generator().manual_seed(0)))
    assert figures[-1]["steps"] == 6_000
    assert figures[-1]["error"] < 0.6 * figures[0]["error"]
    assert [row["led"] for row in (figures[0], figures[-1])] == [1.0, pytest.approx(0.0, abs=0.3)]
    taught = {name: value.clone() for name, value in training.policy.decoder.state_dict().items()}
    training.iterate()
    training.iterate()
    assert not torch.equal(training.policy.decoder.state_dict()["mean.weight"], taught["mean.weight"])
    assert math.isfinite(figures[-1]["error"])
    groups.close()


def test_a_resting_actor_stays_what_it_was():
    training = trainer()
    training.resting = 3
    before = training.policy.decoder.mean.weight.clone()
    metrics = [training.iterate() for _ in range(3)]
    assert torch.equal(training.policy.decoder.mean.weight, before)
    assert "value_loss" in metrics[-1]
    assert "policy_loss" not in metrics[-1]
    training.iterate()
    assert not torch.equal(training.policy.decoder.mean.weight, before)
