"""The tasks that skills are commanded in: what they show and reward, by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from embodied.envs import make
from embodied.runs.errors import UserError
from embodied.senses.style import heading_of
from embodied.tasks.heading import Heading
from embodied.tasks.location import Location
from embodied.tasks.reach import Reach, nose_of
from embodied.tasks.strike import Strike
from embodied.testing import check_task

ALL = torch.ones(1, dtype=torch.bool)


def opened(task, robot: str = "go1"):
    env = make(task, robot, 1)
    env.reset(0)
    task.robot.set_root_pose(torch.tensor([[0.0, 0.0, 0.3, 1.0, 0.0, 0.0, 0.0]]), ALL)
    env.env.world.forward()
    return env


def values(task) -> dict[str, float]:
    return {name: float(term[0]) for name, term in task.terms().items()}


def test_reach_with_a_foot_keeps_the_contract_of_tasks():
    check_task(lambda: Reach("foot"), "go1")


def test_heading_is_worth_most_at_the_speed_and_nothing_for_going_back():
    task = Heading()
    env = opened(task)
    task.memory["asked"][0] = torch.tensor([[1.0, 0.0, 0.0], [1.0, 0.0, 0.0]])
    task.memory["speed"][0] = 1.0
    velocity = task.robot.root_velocity
    velocity[0, :3] = torch.tensor([1.0, 0.0, 0.0])
    assert values(task) == pytest.approx({"speed": 0.7, "facing": 0.3})
    velocity[0, 0] = 0.5
    assert values(task)["speed"] == pytest.approx(0.7 * math.exp(-2 * 0.25))
    velocity[0, 0] = -1.0
    assert values(task)["speed"] == 0.0
    task.memory["asked"][0, 1] = torch.tensor([-1.0, 0.0, 0.0])
    assert values(task)["facing"] == 0.0
    env.close()


def test_drifting_sideways_costs_the_same_whatever_the_direction():
    task = Heading()
    env = opened(task)
    task.memory["speed"][0] = 1.0
    found = []
    for angle in (0.0, 0.25 * math.pi, 2.0):
        along, across = np.array((math.cos(angle), math.sin(angle))), np.array((-math.sin(angle), math.cos(angle)))
        task.memory["asked"][0, 0, :2] = torch.from_numpy(along)
        task.robot.root_velocity[0, :2] = torch.from_numpy(along + 0.8 * across)
        found.append(values(task)["speed"])
    assert found == pytest.approx([0.7 * math.exp(-2 * 0.1 * 0.64)] * 3)
    env.close()


def test_goals_are_shown_along_the_robots_heading():
    task = Location()
    env = opened(task)
    task.goal.put(torch.tensor([[0.0, 2.0, 0.0]]), ALL)
    half = math.pi / 4
    task.robot.set_root_pose(torch.tensor([[0.0, 1.0, 0.3, math.cos(half), 0.0, 0.0, math.sin(half)]]), ALL)
    env.env.world.forward()
    seen = env.env.spec.read()["goal"]
    torch.testing.assert_close(seen, torch.tensor([[1.0, 0.0, 0.0]]), atol=1e-6, rtol=0)
    env.close()


def test_location_is_worth_coming_and_being_there():
    task = Location()
    env = opened(task)
    task.goal.put(torch.tensor([[2.0, 0.0, 0.0]]), ALL)
    env.env.world.forward()
    task.robot.root_velocity[0, :2] = torch.tensor([0.5, 0.7])
    expected = {"place": 0.5 * math.exp(-2.0), "approach": 0.4 * math.exp(-4 * 0.25), "facing": 0.1}
    assert values(task) == pytest.approx(expected)
    task.robot.root_velocity[0, 0] = -0.1
    assert values(task)["approach"] == 0.0
    task.goal.put(torch.tensor([[-0.7, 0.0, 0.0]]), ALL)
    env.env.world.forward()
    assert values(task) == pytest.approx({"place": 0.5 * math.exp(-0.245), "approach": 0.4, "facing": 0.1})
    env.close()


def test_the_nose_is_the_foremost_point_of_the_trunk():
    task = Reach()
    env = opened(task)
    nose = nose_of(task.robot.entity)
    assert nose == pytest.approx([0.277, 0.0, 0.012], abs=1e-6)  # go1.xml: the head's middle at 0.235, its radius 0.042
    task.goal.put(torch.from_numpy(nose)[None] + torch.tensor([[0.1, 0.0, 0.3]]), ALL)
    env.env.world.forward()
    assert values(task) == pytest.approx({"near": 0.5 * math.exp(-0.04), "close": 0.5 * math.exp(-0.6)})
    env.close()


def test_points_for_a_foot_are_measured_from_that_foot():
    task = Reach("foot")
    env = opened(task)
    foot = task.robot.link_pos[:, task.robot.entity.link_names.index("FR_foot")].clone()
    task.goal.put(foot, ALL)
    env.env.world.forward()
    assert values(task) == pytest.approx({"near": 0.5, "close": 0.5})
    env.close()
    with pytest.raises(UserError, match="'tail'"):
        Reach("tail")  # type: ignore[arg-type]


def test_a_post_is_struck_when_it_lies_and_half_struck_when_it_leans():
    task = Strike()
    env = opened(task)
    task.robot.root_velocity[0, :2] = 0.0
    upright = values(task)
    assert upright == pytest.approx({"lean": 0.0, "approach": 0.0}, abs=1e-9)
    for lean, expected in ((1.0, 0.6 * (1.0 - math.cos(1.0))), (1.5, 1.0)):
        pose = task.post.root_pose
        pose[0, 3:] = torch.tensor([math.cos(0.5 * lean), math.sin(0.5 * lean), 0.0, 0.0])
        task.post.set_root_pose(pose, ALL)
        env.env.world.forward()
        assert values(task)["lean"] == pytest.approx(expected)
    assert float(task.metrics()["struck"]) == 1.0
    env.close()


def test_a_post_that_is_run_over_falls():
    task = Strike()
    env = opened(task)
    task.post.put(torch.tensor([[0.5, 0.0, 0.25]]), ALL)
    task.robot.root_velocity[0, 0] = 3.0
    for _ in range(60):
        env.env.advance(torch.zeros(1, 12))
    assert float(task.metrics()["struck"]) == 1.0
    env.close()


def test_goals_change_after_between_three_and_seven_seconds_and_are_shown_at_once():
    task = Heading()
    env = make(task, "go1", 16)
    observation = env.reset(1)[0]
    due = task.memory["renew_at"].clone()
    assert bool(((due >= 167) & (due <= 333)).all())
    task.memory["renew_at"][:] = torch.arange(16) + 1
    before = task.memory["speed"].clone()
    observation = env.env.advance(torch.zeros(16, 12)).observation
    changed = (task.memory["speed"] != before)[:, 0]
    assert changed.tolist() == [True] + 15 * [False]
    torch.testing.assert_close(observation["goal"][:, 6:], task.memory["speed"].float())
    env.close()


def test_the_three_groups_that_priors_and_judges_read_are_those_of_every_task():
    shapes = []
    for task in (Heading(), Location(), Reach(), Strike()):
        env = make(task, "go1", 1)
        shapes.append({name: env.observation_space[name].shape for name in ("proprio", "privileged", "style")})
        assert [term.history for term in env.observation_spec.groups["proprio"]] == [3] * 5
        env.close()
    assert all(each == {"proprio": (126,), "privileged": (8,), "style": (49,)} for each in shapes)


def test_who_looks_straight_up_has_a_heading_all_the_same():
    up = np.array([[0.0, 0.0, -1.0], [0.0, 1.0, 0.0], [1.0, 0.0, 0.0]])
    assert heading_of(up) == (1.0, 0.0)
