"""What is asked of a robot: observations of goals are built from commands in the world's frame and raw readings."""

import json
import math
import shutil

import numpy as np
import pytest
import torch

from embodied.envs import make
from embodied.export.check import judge
from embodied.export.errors import BundleError
from embodied.export.given import undone
from embodied.export.goals import TRANSFORMS
from embodied.export.run_policy import BundledPolicy
from tests.export.conftest import high_level_bundle
from tests.export.test_run_policy import BARE, MUJOCO, alone

NUMBERS = {"heading": 7, "location": 3, "reach": 3}
"""Of the goals."""


@pytest.fixture(scope="session")
def bundles(tmp_path_factory, heading_bundle):
    made = {"heading": heading_bundle}

    def bundle(task):
        if task not in made:
            made[task] = high_level_bundle(task, NUMBERS[task], tmp_path_factory.mktemp(task) / "bundle")
        return made[task]

    return bundle


def asked_by(task):
    """What the task asks for, from its own memory, (W, n) by the readings' names."""
    if task.name == "heading":
        asked = task.memory["asked"]
        return {"goal_direction": asked[:, 0], "goal_facing": asked[:, 1], "goal_speed": task.memory["speed"]}
    place = task.goal.root_pos
    return {"goal_point": place} if task.name == "reach" else {"goal_place": place[:, :2]}


def raw(env):
    """(W, n) What instruments, a state estimator and whoever commands know, by name."""
    robot = env.env.scene.entities["robot"].view(env.world)
    read = {"joint_pos": robot.joint_pos, "joint_vel": robot.joint_vel, "gyro": robot.sensor("gyro")}
    read |= {"orientation": robot.root_quat, "position": robot.root_pos, **asked_by(env.env.task)}
    return {name: values.numpy().astype(np.float64).copy() for name, values in read.items()}


@pytest.mark.parametrize("task", NUMBERS)
def test_goals_come_from_commands_and_raw_readings_as_the_tasks_compute_them(task, bundles, monkeypatch):
    policies = [BundledPolicy(bundles(task)) for _ in range(3)]
    monkeypatch.setattr(f"embodied.tasks.{task}.{task.capitalize()}.goal_steps", (7, 11))
    env = make(task, num_worlds=3, threads=1)
    generator = torch.Generator().manual_seed(0)
    observation, _ = env.reset(seed=5)
    worst, goals, leaned = 0.0, [], 0.0
    for _ in range(60):
        reading = raw(env)
        for world, policy in enumerate(policies):
            seen = policy.observe({name: values[world] for name, values in reading.items()})
            worst = max(worst, float(np.abs(seen["goal"] - observation["goal"][world].numpy()).max()))
        goals.append(observation["goal"].numpy())
        leaned = max(leaned, float(np.abs(reading["orientation"][:, 1:3]).max()))
        observation, *_ = env.step(0.6 * torch.randn(3, 12, generator=generator))
    env.close()
    assert worst <= 1e-6
    assert np.abs(np.diff(goals, axis=0)).max() > 0.3, "the goal changed on the way"
    assert leaned > 0.05, "the robot did not stand level"


@pytest.mark.parametrize("task", ["location", "reach"])
def test_a_bundle_tells_its_command_and_what_has_to_be_estimated(task, bundles):
    folder = bundles(task)
    assert judge(folder).observation <= 1e-6
    manifest = json.loads((folder / "manifest.json").read_text())
    readings = {each["name"]: each for each in manifest["readings"]}
    name, size = {"location": ("goal_place", 2), "reach": ("goal_point", 3)}[task]
    told = readings[name]
    assert (told["size"], told["unit"], told["frame"], told["source"]) == (size, "m", "world", "given")
    assert readings["position"]["source"] == "estimated"
    assert "heading counts" in readings["orientation"]["about"]
    text = (folder / "README.md").read_text()
    assert f"`{name}`" in text
    with np.load(folder / "closed_loop.npz") as file:
        places = file[f"given/{name}"]
    changes = (np.abs(np.diff(places, axis=1)) > 0.0).any(-1).sum(axis=1)
    assert 1 <= changes.max() <= 6, "a place stays where it is until another is asked for"


def test_a_prior_reads_no_heading(prior_bundle):
    manifest = json.loads((prior_bundle / "manifest.json").read_text())
    (told,) = (each["about"] for each in manifest["readings"] if each["name"] == "orientation")
    assert told.endswith("only its tilt is read")


def known(yaw, tilt=0.0):
    """At (1, 2, 0.3), turned to the left and then nose down by so many degrees."""
    (a, b), (c, d) = ((math.cos(x), math.sin(x)) for x in (math.radians(yaw) / 2, math.radians(tilt) / 2))
    return {"position": [1.0, 2.0, 0.3], "orientation": np.array([a * c, -b * d, a * d, b * c])}


@pytest.mark.parametrize("tilt", [0.0, 40.0])
@pytest.mark.parametrize(
    ("transform", "yaw", "asked", "expected"),
    [
        ("level_way_along_heading", 90, (1.0, 5.0), (3, 0, 0)),  # it looks along y, and the place is ahead
        ("level_way_along_heading", 180, (1.0, 5.0), (0, -3, 0)),
        ("level_way_along_heading", -90, (-1.0, 2.0), (0, -2, 0)),
        ("way_along_heading", 90, (0.0, 2.0, 0.8), (0, 1, 0.5)),
        ("way_along_heading", 0, (2.0, 1.0, 0.0), (1, -1, -0.3)),
        ("along_heading", 90, (0.0, 1.0, 0.0), (1, 0, 0)),
        ("along_heading", 45, (1.0, 0.0, 0.0), (math.sqrt(0.5), -math.sqrt(0.5), 0)),
    ],
)
def test_ways_are_as_computed_by_hand_however_the_robot_leans(transform, yaw, asked, expected, tilt):
    where = known(yaw, tilt)
    seen = TRANSFORMS[transform](np.array(asked), where)
    np.testing.assert_allclose(seen, expected, atol=1e-12)
    pose = np.concatenate((where["position"], where["orientation"]))[None]
    np.testing.assert_allclose(undone(transform, seen[None], pose)[0], asked, atol=1e-12)


def test_their_geometry_comes_along_where_it_is_needed_and_only_there(bundles, prior_bundle, made_bundle):
    carried = [(folder / "goals.py").exists() for folder in (bundles("location"), prior_bundle, made_bundle)]
    assert carried == [True, False, False]
    done = alone(bundles("location"), BARE)
    assert done.returncode == 0, done.stderr + done.stdout


def test_without_the_geometry_of_its_goals_a_policy_says_what_is_missing(bundles, tmp_path):
    folder = shutil.copytree(bundles("location"), tmp_path / "bundle")
    (folder / "goals.py").unlink()
    done = alone(folder, BARE)
    assert done.returncode == 2
    assert "goals.py" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_reading_of_another_size_is_named(bundles):
    policy = BundledPolicy(bundles("location"))
    reading = {"gyro": np.zeros(3), "joint_pos": np.zeros(12), "joint_vel": np.zeros(12), **known(0)}
    policy.observe({**reading, "goal_place": [1.0, 2.0]})
    for wrong in ([1.0, 2.0, 0.0], [1.0, 2.0, 3.0, 4.0], 1.0):
        with pytest.raises(ValueError, match=r"goal_place has \d numbers; expected 2"):
            policy.observe({**reading, "goal_place": wrong})


def test_the_simulation_can_be_asked_for_a_place_of_ones_own(bundles):
    folder = bundles("location")
    done = alone(folder, MUJOCO, "--simulate", "--give", "goal_place", "2", "-1")
    assert done.returncode == 0, done.stderr
    assert "recorded" not in done.stdout
    for words, why in (
        (("goal_place", "2"), "takes 2 numbers, not 1"),
        (("goal_place", "2", "x"), "takes finite numbers"),
        (("gyro", "0", "0", "0"), "there is goal_place"),
    ):
        done = alone(folder, MUJOCO, "--simulate", "--give", *words)
        assert done.returncode == 2
        assert why in done.stderr


def test_a_policy_that_strikes_a_post_is_refused_with_the_reason(tmp_path):
    with pytest.raises(
        BundleError, match=r"things beside the robot \(post\): no instrument of the robot reads where that is"
    ):
        high_level_bundle("strike", 15, tmp_path / "bundle")
    assert not (tmp_path / "bundle").exists()
