"""Escape against radii computed by hand."""

import numpy as np
import pytest
import torch

from embodied.tasks import find_task
from embodied.testing import check_task
from tests.tasks.placed import Placed, idle, learners, throw_out


@pytest.mark.parametrize("body", [None, "crab"])
def test_escape_keeps_the_contract(body):
    check_task(lambda: find_task("escape"), body, steps=30)


@pytest.fixture(scope="module")
def game():
    return Placed("escape", num_worlds=8, seed=2)


def test_the_reward_is_the_metres_gained_outwards_and_a_hundred_for_the_escape(game):
    game.put(x=0.0, y=0.0, z=5.0)
    game.begin()
    path = [
        # x, y, reward, radius, whether that ends it
        (3.0, 4.0, 5.0, 5.0, False),
        (-3.0, -4.0, 0.0, 5.0, False),  # around, not outwards
        (0.0, 1.0, -4.0, 1.0, False),
        (-6.0, 8.0, 9.0, 10.0, False),
        (0.0, -41.99, 31.99, 41.99, False),
        (0.0, -42.0, 0.01 + 100.0, 42.0, True),
    ]
    for x, y, reward, radius, ends in path:
        game.put(x=x, y=y)
        assert game.reward("outward") == pytest.approx(reward, abs=1e-9), (x, y)
        assert game.metric("radius") == pytest.approx(radius)
        assert game.ended() == ends


def test_the_control_cost_is_that_of_the_action(game):
    terms = game.terms_of(torch.full((8, 12), -2.0))
    assert terms.keys() == {"outward", "control_cost"}
    np.testing.assert_allclose(terms["control_cost"], -1e-3 * 12 * 4.0, rtol=1e-6)


def test_a_fall_is_measured_from_the_bump_under_the_head(game):
    ground = game.task.ground.height(torch.tensor([[[20.0, 11.0]]], dtype=torch.float64).expand(8, 1, 2))[:, 0]
    assert float(ground.max()) > 0.2
    fall = 0.5 * game.standing_height()
    for world in range(8):
        game.put(x=20.0, y=11.0, z=float(ground[world]) + fall + (1e-6 if world % 2 else -1e-6), world=world)
    game.begin()
    assert game.task.terminated().tolist() == [world % 2 == 0 for world in range(8)]


def test_the_height_map_shows_the_bumps(game):
    game.put(x=20.0, y=11.0, z=3.0)
    seen = game.env.spec.read()["height_map"]
    assert game.env.spec.space["height_map"].shape == (1410,)
    assert float(np.ptp(seen[0].numpy())) > 0.1
    assert len({tuple(row.tolist()) for row in seen}) > 2  # worlds stand in different bowls


def test_escaping_ends_the_episode_and_the_next_begins_in_the_centre():
    env = learners("escape")
    env.reset(seed=0)
    throw_out(env, 1, x=29.0, y=31.0, z=3.0)  # 42.45 m
    _, reward, terminated, truncated, info = env.step(idle(env))
    assert terminated.tolist() == [False, True]
    assert not truncated.any()
    assert float(reward[1]) == pytest.approx(142.45, abs=0.1)
    assert float(info["episode"]["metrics"]["radius"]) == pytest.approx(42.45, abs=0.1)
    assert float(env.env.task.memory["radius"][1]) < 0.01
    _, reward, terminated, _, _ = env.step(idle(env))
    assert abs(float(reward[1])) < 0.1
    assert not terminated.any()
