"""Manipulation: what is sensed, where things lie, when an episode ends. The formula is held in test_pushing."""

import numpy as np
import pytest
import torch

from embodied.senses.height_map import thinned_grid
from embodied.tasks import find_task
from embodied.testing import check_task
from tests.tasks.placed import Placed, idle, learners, throw_out

HALF = 0.5**0.5


@pytest.mark.parametrize("body", [None, "crab"])
def test_manipulation_keeps_the_contract(body):
    check_task(lambda: find_task("manipulation"), body, steps=30)


@pytest.fixture(scope="module")
def game():
    return Placed("manipulation", num_worlds=32, seed=4)


def test_all_four_groups_are_sensed(game):
    spec = game.env.spec
    sizes = {name: space.shape for name, space in spec.space.items()}
    assert sizes == {"proprio": (64,), "object": (12,), "height_map": (1410,), "goal": (3,)}


def test_the_height_map_turns_with_the_body_from_the_first_observation_on(game):
    """Against rays cast straight down by the engine at points turned by hand."""
    x, y = 12.013, 3.017  # off the samples: a ray may slip between two triangles exactly at their edge
    game.put(x=x, y=y, z=2.0, quat=[HALF, 0, 0, HALF])  # heading along world y
    game.put("object", x=-2.0, y=-15.0)  # out of the rays' way
    along, across = (offsets.numpy() for offsets in thinned_grid())
    a, b = np.meshgrid(along, across, indexing="ij")
    points = np.stack((x - b, y + a), axis=-1).reshape(-1, 2)
    points = np.concatenate((points, [[x, y]]))
    start = np.concatenate((points, np.full((len(points), 1), 10.0)), axis=1)
    origins = torch.from_numpy(np.tile(start, (32, 1, 1)))
    down = torch.tensor([0.0, 0.0, -1.0], dtype=torch.float64).expand_as(origins).contiguous()
    distance, _ = game.world.ray(origins, down, groups=(0,))
    heights = 10.0 - distance.numpy()
    expected = heights[:, :-1] - heights[:, -1:]
    seen = game.env.spec.read()["height_map"].numpy()
    assert np.ptp(expected, axis=1).max() > 0.2  # there is something to be seen
    np.testing.assert_allclose(seen, expected, atol=2e-5)


def test_box_and_goal_lie_on_the_ground_at_their_distances_in_metres():
    game = Placed("manipulation", body="tripod", num_worlds=256, seed=8)
    box, goal = (game.view(name).root_pos.numpy() for name in ("object", "goal"))
    assert ((box[:, 0] >= 15) & (box[:, 0] <= 24)).all()
    assert ((goal - box)[:, 0] >= 15).all()
    assert ((goal - box)[:, 0] <= 24).all()
    for things in (box, goal):
        assert (np.abs(things[:, 1]) <= 10).all()
        assert np.ptp(things[:, 1]) > 18
    for low, values in ((15, box[:, 0]), (15, (goal - box)[:, 0])):
        assert values.mean() == pytest.approx(low + 4.5, abs=0.65)  # four standard errors of a uniform draw
    # Half a box above the highest ground under it: nothing is inside anything.
    for world in range(0, 256, 16):
        data = game.world.data(world)
        contacts = [c for c in data.contact if "box" in str([game.world.model.geom(g).name for g in c.geom])]
        assert all(c.dist > -1e-4 for c in contacts)
        for place in (box[world], goal[world]):
            nine = np.array([[place[0] + i, place[1] + j] for i in (-0.2, 0, 0.2) for j in (-0.2, 0, 0.2)])
            under = game.task.ground.height(torch.from_numpy(np.tile(nine, (256, 1, 1))))[world]
            assert place[2] == pytest.approx(float(under.max()) + 0.2, abs=1e-9)


def test_worlds_stand_on_different_corridors(game):
    assert len(game.task.ground.field_ids.unique()) > 4


@pytest.mark.parametrize(
    ("place", "ends"),
    [
        ({"y": 19.0}, True),
        ({"y": 18.99}, False),
        ({"y": -19.0}, True),
        ({"x": 56.0}, True),
        ({"x": 55.99}, False),
        ({"x": -2.9}, False),
    ],
)
def test_an_episode_ends_a_metre_before_the_sides_and_the_far_end(place, ends):
    game = Placed("manipulation", num_worlds=1)
    game.put(z=5.0, **place)
    assert game.ended() == ends


def test_a_fall_is_measured_from_the_ground_under_the_head(game):
    worlds = torch.arange(32)
    point = torch.tensor([[[9.0, 2.0]]], dtype=torch.float64).expand(32, 1, 2)
    ground = game.task.ground.height(point)[:, 0]
    fall = 0.5 * game.standing_height()
    assert len(ground.unique()) > 3
    for world in worlds.tolist():
        game.put(x=9.0, y=2.0, z=float(ground[world]) + fall + (1e-6 if world % 2 else -1e-6), world=world)
    assert game.task.terminated().tolist() == [world % 2 == 0 for world in worlds.tolist()]


def test_a_new_episode_has_its_own_corridor_box_goal_and_memory():
    env = learners("manipulation")
    env.reset(seed=0)
    task = env.env.task
    seen = set()
    for _ in range(6):
        old = task.thing.root_pos.clone(), task.goal.root_pos.clone()
        task.memory["arrived"][1] = True
        throw_out(env, 1, y=19.5)
        observation, _, terminated, _, info = env.step(idle(env))
        assert bool(terminated[1])
        assert float(info["episode"]["metrics"]["arrived"]) == 1.0
        assert not bool(task.memory["arrived"][1])
        assert (task.thing.root_pos[1] != old[0][1]).any()
        assert (task.goal.root_pos[1] != old[1][1]).any()
        seen.add(int(task.ground.field_ids[1]))
        env.world.forward()
        offset = (task.goal.root_pos - task.robot.root_pos)[1].numpy()
        np.testing.assert_allclose(observation["goal"][1], offset @ task.robot.root_axes[1].numpy(), atol=1e-4)
        assert float(task.memory["to_object"][1]) == pytest.approx(float(task.to_object()[1]), abs=1e-6)
        np.testing.assert_allclose(observation["height_map"][1], env.env.spec.read()["height_map"][1], atol=1e-6)
    assert len(seen) > 1
