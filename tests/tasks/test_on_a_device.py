"""What seldom happens, made to happen: a task does the same then on a device as on the CPU."""

import math

import pytest
import torch

from embodied.scenes.frames import from_yaw
from embodied.tasks import find_task
from embodied.tasks.velocity import Velocity
from embodied.testing.alongside import Alongside

EVERYWHERE = torch.ones(3, dtype=torch.bool)


def alongside(task, body=None):
    both = Alongside((lambda: find_task(task)) if isinstance(task, str) else task, body)
    both.reset(EVERYWHERE)
    return both


def view(both, name="robot"):
    return both.env.scene.entities[name].view(both.env.world)


def put(both, name, places):
    """Puts an entity of each world at (3, 3) places."""
    places = torch.as_tensor(places, dtype=torch.float64)
    view(both, name).put(places, EVERYWHERE)
    both.env.world.forward()


def still(both):
    both.step(torch.zeros(3, *both.env.action_space.shape))


@pytest.mark.parametrize("task", ["patrol", "point_nav"])
def test_a_goal_is_reached_in_some_worlds(task):
    both = alongside(task)
    at = view(both).root_pos.clone()
    goal = view(both, "goal").root_pos
    for away in ([0.0, 0.3, 5.0], [0.1, 3.0, 0.2], [4.0, 4.0, 4.0]):
        place = goal.clone()
        place[:, 0] += torch.tensor(away)
        place[:, 2] = at[:, 2]
        put(both, "robot", place)
        still(both)
    counted = both.task.memory["toggles" if task == "patrol" else "steps_at_goal"]
    assert counted.tolist() == [2.0, 1.0, 1.0]


@pytest.mark.parametrize("task", ["manipulation", "manipulate_ball", "push_box_incline"])
def test_an_object_is_reached_and_delivered(task, monkeypatch):
    monkeypatch.setattr("embodied.tasks.manipulation.FIELDS", 2)
    both = alongside(task)
    height = view(both).root_pos[:, 2].clone()
    for gap in ([0.3, 8.0, 0.4], [6.0, 0.4, 0.4]):
        place = view(both, "object").root_pos.clone()
        place[:, 0] -= torch.tensor(gap)
        place[:, 2] += height
        put(both, "robot", place)
        still(both)
    assert both.task.memory["arrived"].all()
    place = view(both, "goal").root_pos.clone()
    place[1, 1] += 3.0
    put(both, "object", place)
    still(both)
    assert both.task.memory["delivered"].tolist() == [True, False, True]


@pytest.mark.parametrize("task", ["flat", "exploration", "incline", "escape"])
def test_robots_leave_fall_and_go_on(task, monkeypatch):
    monkeypatch.setattr("embodied.tasks.escape.FIELDS", 2)
    both = alongside(task)
    low, far = view(both).root_pos.clone(), view(both).root_pos.clone()
    low[0, 2] = 0.01
    put(both, "robot", low)
    still(both)
    far[:, 0] += torch.tensor([0.0, 2.0, 1000.0])
    far[:, 1] += torch.tensor([3.0, -30.0, 0.0])
    far[:, 2] += 3.0
    put(both, "robot", far)
    still(both)
    assert both.task.terminated()[2]
    assert not both.task.terminated()[0]


def test_velocity_pushes_commands_and_landings():
    both = alongside("velocity")
    memory = both.task.memory
    for first, turns in ((396, 8), (496, 8)):  # pushes at the 400th step, a new command at the 500th
        memory["steps"][:] = torch.tensor([first, first + 2, 5])
        memory["push_at"][:] = 0
        commands = memory["command"].clone()
        for turn in range(turns):
            both.step(0.8 * math.sin(2.0 * turn) * torch.ones(3, *both.env.action_space.shape))
        changed = (memory["command"] != commands).any(dim=1)
        assert changed.tolist() == [first == 496, first == 496, False]
    assert memory["air_time"].max() > 0
    assert memory["was_down"].any()
    assert not both.task.terminated().all()


def test_velocity_sends_worlds_to_the_levels_they_earned():
    both = alongside(lambda: Velocity(terrain=("rough", "stairs_up")))
    task = both.task
    task.memory["level"][:] = torch.tensor([2, 5, 1])
    task.memory["steps"][:] = torch.tensor([1000, 1000, 300])
    task.figures.asked[:] = [10.0, 10.0, 3.0]
    task.figures.followed[:] = [9.5, 9.5, 0.1]
    task.figures.reached[:] = [4.0, 4.0, 0.5]
    assert task.memory["played"].all()
    both.reset(EVERYWHERE)
    levels = task.memory["level"].tolist()
    assert levels[0] == 3
    assert levels[2] == 0
    assert 0 <= levels[1] <= 5
    still(both)
    both.reset(torch.tensor([True, False, True]))
    unsure = alongside(lambda: Velocity(terrain="stairs_up", curriculum=False, randomise=False))
    still(unsure)


def test_a_leaning_robot_falls_on_a_device_too():
    both = alongside(lambda: Velocity(randomise=False))
    turn = from_yaw(torch.zeros(3).double())
    turn[1] = torch.tensor([math.cos(0.7), math.sin(0.7), 0.0, 0.0])
    place = torch.tensor([[0.0, 0.0, 2.0]] * 3).double()
    view(both).set_root_pose(torch.cat((place, turn), dim=1), EVERYWHERE)
    both.env.world.forward()
    still(both)
    assert both.task.terminated().tolist() == [False, True, False]
