"""Point navigation against distances and rewards computed by hand."""

import numpy as np
import pytest
import torch
from scipy import stats

from embodied.tasks import find_task
from embodied.testing import check_task
from tests.tasks.placed import Placed, idle, learners, throw_out


@pytest.mark.parametrize("body", [None, "crab"])
def test_point_nav_keeps_the_contract(body):
    check_task(lambda: find_task("point_nav"), body)


def test_the_reward_is_a_hundred_a_metre_and_ten_per_step_at_the_goal():
    game = Placed("point_nav")
    game.put("goal", 3.0, 4.0, 0.0)
    game.put(x=0.0, y=0.0)
    game.begin()  # 5 m away
    assert game.metric("point_nav") == 0.0
    path = [
        (3.0, 0.0, 100.0, 0.2),  # 4 m left
        (3.0, 3.0, 300.0, 0.8),  # 1 m
        (3.0, 3.7, 70.0 + 10.0, 1 - 0.3 / 5 + 0.001),  # 0.3 m: at the goal
        (3.0, 3.7, 10.0, 1 - 0.3 / 5 + 0.002),  # and again
        (3.3, 4.4, -20.0 + 0.0, 1 - 0.5 / 5 + 0.002),  # 0.5 m: not within
        (3.0, 4.0, 50.0 + 10.0, 1 + 0.003),
        (-6.0, 4.0, -900.0, 1 - 9.0 / 5 + 0.003),
    ]
    for x, y, reward, metric in path:
        game.put(x=x, y=y)
        assert game.reward("goal") == pytest.approx(reward, abs=1e-9), (x, y)
        assert game.metric("point_nav") == pytest.approx(metric, abs=1e-12)
        np.testing.assert_allclose(game.view("goal").root_pos[0], [3.0, 4.0, 0.0])


def test_a_goal_at_the_start_does_not_break_the_metric():
    game = Placed("point_nav")
    game.put("goal", 0.0, 0.0, 0.0)
    game.put(x=0.0, y=0.0)
    game.begin()
    game.put(x=1.0)
    game.task.rewards()
    assert game.metric("point_nav") == pytest.approx(1 - 1.0 / 0.5)


def test_goals_are_uniform_within_the_margins_and_differ_between_worlds():
    game = Placed("point_nav", body="tripod", num_worlds=256, seed=5)
    drawn = []
    for _ in range(8):
        game.task.reset(game.everywhere)
        drawn.append(game.view("goal").root_pos.clone())
    goals = torch.cat(drawn).numpy()
    assert len(np.unique(goals[:, 0])) == 2048
    assert (goals[:, 2] == 0).all()
    for axis, limit in ((0, 44.0), (1, 40.0)):
        assert np.abs(goals[:, axis]).max() <= limit
        assert np.abs(goals[:, axis]).max() > 0.99 * limit
        assert stats.kstest(goals[:, axis], stats.uniform(-limit, 2 * limit).cdf).pvalue > 0.001
    assert abs(np.corrcoef(goals[:, 0], goals[:, 1])[0, 1]) < 0.08


def test_goals_follow_from_the_seed():
    def first(seed):
        env = learners("point_nav", num_worlds=4)
        env.reset(seed=seed)
        return env.env.task.goal.root_pos.clone()

    assert torch.equal(first(1), first(1))
    assert not torch.equal(first(1), first(2))


@pytest.mark.parametrize(("place", "ends"), [(49.0, True), (48.99, False), (-49.0, True), (-48.99, False)])
@pytest.mark.parametrize("axis", ["x", "y"])
def test_an_episode_ends_a_metre_before_each_edge_of_a_hundred_by_a_hundred_metres(axis, place, ends):
    game = Placed("point_nav")
    game.put(**{axis: place})
    assert game.ended() == ends


def test_a_new_episode_has_its_own_goal_and_memory():
    env = learners("point_nav")
    env.reset(seed=0)
    task = env.env.task
    old = task.goal.root_pos.clone()
    goal = old[1].tolist()
    throw_out(env, 1, x=goal[0], y=goal[1])
    env.step(idle(env))
    assert task.memory["steps_at_goal"].tolist() == [0.0, 1.0]
    throw_out(env, 1, x=49.5)
    observation, _, terminated, _, _ = env.step(idle(env))
    assert terminated.tolist() == [False, True]
    new = task.goal.root_pos.clone()
    assert torch.equal(new[0], old[0])
    assert (new[1] != old[1])[:2].all()
    assert task.memory["steps_at_goal"].tolist() == [0.0, 0.0]
    env.world.forward()
    head = task.robot.root_pos
    distances = np.linalg.norm((new - head)[:, :2].numpy(), axis=1)
    np.testing.assert_allclose(task.memory["distance"], distances, rtol=1e-12)
    assert float(task.memory["first_distance"][1]) == pytest.approx(distances[1])
    for world in range(2):
        seen = (new - head)[world].numpy() @ task.robot.root_axes[world].numpy()
        np.testing.assert_allclose(observation["goal"][world], seen, atol=1e-4)
