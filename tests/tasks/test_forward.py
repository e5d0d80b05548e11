"""What tasks of running forward are judged by besides their reward."""

import pytest

from tests.tasks.placed import Placed, idle, learners, throw_out


@pytest.mark.parametrize("task", ["flat", "variable"])
def test_the_distance_is_x_of_the_head(task):
    game = Placed(task, num_worlds=2)
    game.put(x=12.5, world=0)
    game.put(x=-1.5, world=1)
    assert game.metric("distance", 0) == 12.5
    assert game.metric("distance", 1) == -1.5


def test_the_distance_of_an_ended_episode_is_told_once():
    env = learners("flat", num_worlds=3)
    env.reset(seed=0)
    throw_out(env, 2, x=20.0, y=74.5)
    info = env.step(idle(env))[4]
    assert info["episode"]["world"].tolist() == [2]
    assert info["episode"]["metrics"]["distance"].tolist() == [pytest.approx(20.0, abs=0.1)]
    assert env.step(idle(env))[4]["episode"]["metrics"]["distance"].tolist() == []
