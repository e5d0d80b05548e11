"""Patrol against distances and rewards computed by hand."""

import numpy as np
import pytest
import torch

from embodied.tasks import find_task
from embodied.testing import check_task
from tests.tasks.placed import Placed, idle, learners, throw_out


@pytest.mark.parametrize("body", [None, "crab"])
def test_patrol_keeps_the_contract(body):
    check_task(lambda: find_task("patrol"), body)


def test_the_reward_is_a_hundred_a_metre_and_ten_at_a_goal_which_then_changes_sides():
    game = Placed("patrol")
    game.put(x=0.0, y=0.0)
    game.begin()  # 5 m from the goal at x = 5
    assert game.metric("patrol") == pytest.approx(0.5)  # 0 + 1 - 5 / 10
    path = [
        # x, y, reward, goal afterwards, metric afterwards
        (1.0, 0.0, 100.0, 5.0, 0.6),
        (1.0, 3.0, -100.0, 5.0, 0.5),  # 4 m, 3 m aside: 5 m again
        (4.4, 0.0, 440.0, 5.0, 0.94),
        (4.6, 0.0, 20.0 + 10.0, -5.0, 1.04),  # 0.4 m from the goal; the next one is 9.6 m away
        (4.5, 0.0, 10.0, -5.0, 1.05),  # progress to the other goal; at the old one nothing is paid any more
        (-4.9, 0.3, 100 * (9.5 - 0.1**0.5) + 10.0, 5.0, 2.0 + 1.0 - (9.9**2 + 0.3**2) ** 0.5 / 10),
        (-4.9, 0.3, 0.0, 5.0, 2.0 + 1.0 - (9.9**2 + 0.3**2) ** 0.5 / 10),
    ]
    for x, y, reward, goal, metric in path:
        game.put(x=x, y=y)
        assert game.reward("goal") == pytest.approx(reward, abs=1e-9), (x, y)
        np.testing.assert_allclose(game.view("goal").root_pos[0], [goal, 0.0, 0.0])
        assert game.metric("patrol") == pytest.approx(metric, abs=1e-12)
        assert not game.ended()


def test_the_height_of_the_head_does_not_count():
    game = Placed("patrol")
    game.put(x=4.0, y=0.0, z=0.6)
    game.begin()
    game.put(x=4.7, z=5.0)
    assert game.reward("goal") == pytest.approx(70.0 + 10.0)


def test_half_a_metre_is_not_yet_within_half_a_metre():
    game = Placed("patrol")
    game.put(x=4.0, y=0.0)
    game.begin()
    game.put(x=4.5)
    assert game.reward("goal") == pytest.approx(50.0)
    game.put(x=4.5 + 1e-6)
    assert game.reward("goal") == pytest.approx(10.0, abs=1e-3)


def test_the_control_cost_is_that_of_the_action():
    game = Placed("patrol", num_worlds=2)
    terms = game.terms_of(torch.tensor([[0.5] * 12, [2.0] * 12]))
    assert terms.keys() == {"goal", "control_cost"}
    np.testing.assert_allclose(terms["control_cost"], [-1e-3 * 12 * 0.25, -1e-3 * 12 * 4.0], rtol=1e-6)


def test_worlds_toggle_apart():
    game = Placed("patrol", num_worlds=3)
    game.put(x=4.0, y=0.0)
    game.begin()
    game.put(x=4.9, world=1)
    np.testing.assert_allclose(game.task.rewards()["goal"], [0.0, 90.0 + 10.0, 0.0], atol=1e-9)
    np.testing.assert_allclose(game.view("goal").root_pos[:, 0], [5.0, -5.0, 5.0])
    assert game.task.memory["toggles"].tolist() == [0.0, 1.0, 0.0]


def test_the_observation_shows_the_next_goal_in_the_step_that_reached_the_last():
    game = Placed("patrol")
    game.put(x=4.8, y=0.0)
    now = game.env.advance(torch.zeros(1, 12))
    head = game.view().root_pos[0].numpy()
    axes = game.view().root_axes[0].numpy()
    assert float(now.terms[0]) > 9.0
    np.testing.assert_allclose(now.observation["goal"][0], (np.array([-5.0, 0.0, 0.0]) - head) @ axes, atol=1e-5)


@pytest.mark.parametrize(("place", "ends"), [(29.0, True), (28.99, False), (-29.0, True), (-28.99, False)])
@pytest.mark.parametrize("axis", ["x", "y"])
def test_an_episode_ends_a_metre_before_each_edge_of_sixty_by_sixty_metres(axis, place, ends):
    game = Placed("patrol")
    game.put(**{axis: place})
    assert game.ended() == ends


def test_a_head_at_half_its_standing_height_has_fallen():
    game = Placed("patrol", num_worlds=2)
    fall = 0.5 * game.standing_height()
    game.put(z=fall, world=0)
    game.put(z=fall + 1e-6, world=1)
    assert game.task.terminated().tolist() == [True, False]


def test_a_new_episode_begins_with_the_goal_ahead_and_no_toggles():
    env = learners("patrol")
    env.reset(seed=0)
    throw_out(env, 1, x=4.9)
    env.step(idle(env))
    assert env.env.task.memory["toggles"].tolist() == [0.0, 1.0]
    throw_out(env, 1, x=-20.0, y=29.5)
    observation, _, terminated, _, info = env.step(idle(env))
    assert terminated.tolist() == [False, True]
    assert info["episode"]["world"].tolist() == [1]
    # One goal reached, the next at x = -5: 1 + 1 - d / 10.
    distance = (15.0**2 + 29.5**2) ** 0.5
    assert float(info["episode"]["metrics"]["patrol"]) == pytest.approx(2.0 - distance / 10, abs=0.02)
    assert env.env.task.memory["toggles"].tolist() == [0.0, 0.0]
    np.testing.assert_allclose(observation["goal"][1, :2], [5.0, 0.0], atol=0.12)  # turned and moved by the noise
    assert float(env.env.task.memory["distance"][1]) == pytest.approx(5.0, abs=0.01)
    reward = env.step(idle(env))[1]
    assert abs(float(reward[1])) < 5.0  # counted from the new start: no jump of metres
