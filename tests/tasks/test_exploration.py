"""Exploration against cells counted by hand."""

import numpy as np
import pytest
import torch

from embodied.tasks import find_task
from embodied.testing import check_task
from tests.tasks.placed import Placed, idle, learners, throw_out


@pytest.mark.parametrize("body", [None, "crab"])
def test_exploration_keeps_the_contract(body):
    check_task(lambda: find_task("exploration"), body)


def test_every_cell_pays_one_once():
    game = Placed("exploration")
    game.put(x=0.5, y=0.5)
    game.begin()
    assert game.metric("cells") == 1
    path = [
        (0.5, 0.5, 0, 1),  # the start's own cell
        (0.99, 0.01, 0, 1),  # still in it
        (1.01, 0.5, 1, 2),
        (0.7, 0.5, 0, 2),  # back
        (1.2, 1.9, 1, 3),
        (0.5, -0.01, 1, 4),  # below zero another one
        (0.5, -0.99, 0, 4),
        (-0.5, -0.5, 1, 5),
        (-48.5, 48.5, 1, 6),
        (-48.5, 47.5, 1, 7),
        (-47.5, 48.5, 1, 8),
        (0.5, 0.5, 0, 8),
    ]
    for x, y, reward, cells in path:
        game.put(x=x, y=y)
        assert game.reward("new_cells") == reward, (x, y)
        assert game.metric("cells") == cells


def test_a_walk_over_all_columns_visits_a_hundred_cells():
    game = Placed("exploration", body="tripod")
    game.put(x=-49.9, y=10.2)
    game.begin()
    total = 0.0
    for x in np.arange(-49.9, 50.0, 0.4):
        game.put(x=x)
        total += game.reward("new_cells")
    assert total == 99  # all but the first
    assert game.metric("cells") == 100


def test_worlds_remember_their_own_cells():
    game = Placed("exploration", num_worlds=2)
    game.put(x=0.5, y=0.5)
    game.begin()
    game.put(x=2.5, world=1)
    assert game.task.rewards()["new_cells"].tolist() == [0.0, 1.0]
    game.put(x=2.5)
    assert game.task.rewards()["new_cells"].tolist() == [1.0, 0.0]


def test_standing_still_at_the_start_pays_nothing():
    env = learners("exploration", num_worlds=32)
    env.reset(seed=3)
    for _ in range(20):
        _, _, _, _, info = env.step(idle(env))
        assert (info["terms"]["new_cells"] == 0).all()


def test_a_new_episode_forgets_the_cells_of_the_last():
    env = learners("exploration")
    env.reset(seed=0)
    throw_out(env, 0, x=7.5)
    throw_out(env, 1, x=7.5)
    env.step(idle(env))
    throw_out(env, 1, y=49.5)
    _, _, terminated, _, info = env.step(idle(env))
    assert terminated.tolist() == [False, True]
    assert info["episode"]["metrics"]["cells"].tolist() == [3.0]
    memory = env.env.task.memory
    assert memory["cells"].tolist() == [2.0, 1.0]
    assert memory["visited"].sum(dim=1).tolist() == [2, 1]
    throw_out(env, 1, x=7.5)
    _, _, _, _, info = env.step(idle(env))
    assert info["terms"]["new_cells"].tolist() == [0.0, 1.0]


@pytest.mark.parametrize(("place", "ends"), [(49.0, True), (48.99, False), (-49.0, True), (-48.99, False)])
@pytest.mark.parametrize("axis", ["x", "y"])
def test_an_episode_ends_a_metre_before_each_edge(axis, place, ends):
    game = Placed("exploration")
    game.put(**{axis: place})
    assert game.ended() == ends


def test_a_head_that_is_nowhere_is_counted_somewhere():
    game = Placed("exploration", num_worlds=3)
    game.put(x=1e12, world=0)
    game.put(x=float("nan"), world=1)
    cells = game.task.cell()
    assert ((cells >= 0) & (cells < 10_000)).all()
    assert torch.isfinite(game.task.rewards()["new_cells"]).all()
