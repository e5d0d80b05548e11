"""Manipulate ball: where things lie, the stages, when an episode ends. The formula is held in test_pushing."""

import math

import numpy as np
import pytest
import torch

from embodied.tasks import find_task
from embodied.testing import check_task
from tests.tasks.placed import Placed, idle, learners, throw_out


@pytest.mark.parametrize("body", [None, "crab"])
def test_manipulate_ball_keeps_the_contract(body):
    check_task(lambda: find_task("manipulate_ball"), body)


def test_the_ball_weighs_what_its_radius_and_density_say():
    game = Placed("manipulate_ball")
    assert float(game.world.model.body("object/ball").mass[0]) == pytest.approx(600 * 4 / 3 * math.pi * 0.2**3)


def test_the_ball_lies_fifteen_to_twenty_four_metres_ahead_and_the_goal_two_before_the_edge():
    game = Placed("manipulate_ball", body="tripod", num_worlds=256, seed=2)
    ball, goal = (game.view(name).root_pos.numpy() for name in ("object", "goal"))
    assert ((ball[:, 0] >= 15) & (ball[:, 0] <= 24)).all()
    assert ball[:, 0].mean() == pytest.approx(19.5, abs=0.65)
    # 15 + 15 m is beyond the floor's end at 27 m for every draw.
    np.testing.assert_allclose(goal[:, 0], 25.0)
    for things in (ball, goal):
        assert (np.abs(things[:, 1]) <= 10).all()
        assert np.ptp(things[:, 1]) > 18
        np.testing.assert_allclose(things[:, 2], 0.2)


def test_the_distance_is_to_the_ball_s_surface_however_it_has_rolled():
    game = Placed("manipulate_ball")
    game.put(x=5.0, y=0.0, z=3.0, quat=[1, 0, 0, 0])
    for quat in ([1, 0, 0, 0], [0.5, 0.5, 0.5, 0.5], [0.8, 0.6, 0, 0]):
        game.put("object", 5.0, 0.0, 4.2, quat=quat)  # 1.2 m over the head, farther from the limbs
        assert float(game.task.to_object()) == pytest.approx(1.0)


def test_the_stages():
    game = Placed("manipulate_ball")
    game.put(x=5.0, y=0.0, z=3.0, quat=[1, 0, 0, 0])
    game.put("object", 5.0, 0.0, 7.2)  # 4 m from its surface to the head
    game.put("goal", 5.0, 0.0, 17.2)
    game.begin()

    def stage(height):
        game.put("object", z=height)
        game.task.rewards()
        return game.metric("stage")

    assert game.metric("stage") == 0.0
    assert stage(6.2) == pytest.approx(0.25)
    assert stage(9.2) == 0.0  # farther than at first
    assert stage(4.2) == pytest.approx(0.75)
    # Arrived: the goal was 10 m from the ball at first, and is 13.6 m from it now.
    assert stage(3.6) == 2.0
    assert stage(9.7) == pytest.approx(2.25)
    assert stage(12.2) == pytest.approx(2.5)
    assert stage(16.6) == pytest.approx(2.94)
    assert stage(16.8) == 4.0
    assert stage(7.2) == 4.0  # it has been there


@pytest.mark.parametrize(
    ("place", "ends"),
    [({"y": 14.0}, True), ({"y": 13.99}, False), ({"y": -14.0}, True), ({"x": 26.0}, True), ({"x": 25.99}, False)],
)
def test_an_episode_ends_a_metre_before_the_sides_and_the_far_end(place, ends):
    game = Placed("manipulate_ball")
    game.put(**place)
    assert game.ended() == ends


def test_a_ball_that_is_pushed_rolls_on():
    game = Placed("manipulate_ball")
    game.put("object", 15.0, 0.0, 0.2)
    game.view("object").root_velocity[0, 0] = 2.0
    for _ in range(50):
        game.env.advance(torch.zeros(1, 12))
    assert float(game.view("object").root_pos[0, 0]) > 15.0 + 1.0
    radius, turning = 0.2, game.view("object").root_velocity[0]
    spin = (game.view("object").root_axes[0] @ turning[3:])[1]
    assert float(spin) == pytest.approx(float(turning[0]) / radius, rel=0.05)  # rolls without slipping


def test_a_new_episode_has_its_own_ball_and_goal():
    env = learners("manipulate_ball")
    env.reset(seed=0)
    task = env.env.task
    old = task.thing.root_pos.clone(), task.goal.root_pos.clone()
    task.memory["arrived"][:] = True
    task.memory["delivered"][:] = True
    throw_out(env, 1, y=14.5)
    _, _, terminated, _, info = env.step(idle(env))
    assert terminated.tolist() == [False, True]
    assert info["episode"]["metrics"]["stage"].tolist() == [4.0]
    assert torch.equal(task.goal.root_pos[0], old[1][0])
    assert float(task.goal.root_pos[1, 1]) != float(old[1][1, 1])
    assert (task.thing.root_pos[1, :2] != old[0][1, :2]).all()
    assert task.memory["arrived"].tolist() == [True, False]
    assert task.memory["delivered"].tolist() == [True, False]
