"""Obstacle: the forward reward, boxes of every world's own, and that they are seen."""

import numpy as np
import pytest
import torch

from embodied.tasks import find_task
from embodied.testing import check_task
from tests.tasks.placed import Placed, idle, learners, throw_out


@pytest.mark.parametrize("body", [None, "crab"])
def test_obstacle_keeps_the_contract(body):
    check_task(lambda: find_task("obstacle"), body, steps=30)


def boxes(world):
    """(W, 50, 3) centres and half sides of the boxes, by their names."""
    model = world.model
    ids = [i for i in range(model.ngeom) if model.geom(i).name.startswith("box_")]
    return world.parameters["geom_pos"][:, ids].numpy().copy(), world.parameters["geom_size"][:, ids].numpy().copy()


def test_the_reward_is_the_velocity_along_x_and_the_metric_x_itself():
    game = Placed("obstacle", num_worlds=2)
    game.put(x=0.0)
    game.begin()
    game.put(x=0.06, world=0)
    game.put(x=-0.02, world=1)
    terms = game.terms_of(torch.full((2, 12), 0.5))
    np.testing.assert_allclose(terms["forward"], [3.0, -1.0], rtol=1e-12)
    np.testing.assert_allclose(terms["control_cost"], -1e-3 * 12 * 0.25, rtol=1e-6)
    game.put(x=2.5)
    assert game.metric("x") == pytest.approx(2.5)


def test_fifty_boxes_lie_elsewhere_in_every_world():
    game = Placed("obstacle", body="tripod", num_worlds=8)
    centres, halves = boxes(game.world)
    assert centres.shape == (8, 50, 3)
    assert (halves[..., 2] == 2.0).all()
    assert set(np.unique(halves[..., :2])) == {0.5, 1.0, 1.5, 2.0, 2.5, 3.0}
    assert len(np.unique(centres[..., 0])) == 400
    assert (centres - halves)[..., 0].min() >= 3.0
    assert (centres + halves)[..., 0].max() <= 147.0
    assert (np.abs(centres) + halves)[..., 1].max() <= 30.0


def test_a_box_ahead_is_seen_and_stops_a_body():
    game = Placed("obstacle", num_worlds=2)
    model = game.world.model
    ids = [i for i in range(model.ngeom) if model.geom(i).name.startswith("box_")]
    place = game.world.parameters["geom_pos"]
    place[:, ids, 1] = 25.0  # all of them out of the way, but in one world the first
    game.world.parameters["geom_size"][:, ids[0]] = torch.tensor([1.0, 0.5, 2.0], dtype=torch.float64)
    game.world.parameters["geom_aabb"][:, ids[0], 3:] = torch.tensor([1.0, 0.5, 2.0], dtype=torch.float64)
    game.world.parameters["geom_rbound"][:, ids[0]] = 3.0
    place[1, ids[0]] = torch.tensor([3.0, 0.25, 2.0], dtype=torch.float64)
    game.put(x=0.0, y=0.0, z=1.0, quat=[1, 0, 0, 0])
    seen = game.env.spec.read()["height_map"].reshape(2, 30, 47)
    assert (seen[0] == 0).all()
    # x from 2 to 4 m and y from -0.25 to 0.75 m, of the offsets of the published grid
    ahead = np.array([-10, -6, -5, -3, -2, -1, *range(14), 15, 16, 17, 18, 20, 22, 24, 28, 32, 40]) / 10
    half = [*range(1, 14), 15, 16, 17, 18, 20, 22, 24, 28, 32, 40]
    across = np.array([*(-i for i in reversed(half)), 0, *half]) / 10
    inside = (np.abs(ahead - 3.0) <= 1.0)[:, None] & (np.abs(across - 0.25) <= 0.5)
    clear = (np.abs(np.abs(ahead - 3.0) - 1.0) > 1e-6)[:, None] & (np.abs(np.abs(across - 0.25) - 0.5) > 1e-6)
    np.testing.assert_array_equal(seen[1].numpy()[clear], np.where(inside, 4.0, 0.0)[clear])
    # Thrown at the place where the box stands in one of the worlds.
    game.put(z=0.6)
    game.view().root_velocity[:, 0] = 6.0
    for _ in range(40):
        game.env.advance(torch.zeros(2, 12))
    x = game.view().root_pos[:, 0]
    assert float(x[0]) > 2.2
    assert float(x[1]) < 2.0


@pytest.mark.parametrize(
    ("place", "ends"),
    [({"y": 29.0}, True), ({"y": -28.99}, False), ({"x": 146.0}, True), ({"x": 145.99}, False), ({"x": -5.0}, False)],
)
def test_an_episode_ends_a_metre_before_the_sides_and_the_far_end(place, ends):
    game = Placed("obstacle")
    game.put(z=9.0, **place)
    assert game.ended() == ends


def test_a_new_episode_has_other_boxes_and_its_neighbour_keeps_its_own():
    env = learners("obstacle")
    env.reset(seed=0)
    old = boxes(env.world)
    throw_out(env, 1, x=1.0, y=29.5)
    _, _, terminated, _, info = env.step(idle(env))
    assert terminated.tolist() == [False, True]
    assert float(info["episode"]["metrics"]["x"]) == pytest.approx(1.0, abs=0.1)
    new = boxes(env.world)
    np.testing.assert_array_equal(new[0][0], old[0][0])
    assert (new[0][1, :, :2] != old[0][1, :, :2]).all()
    # Their bounds follow their sizes, or contacts would be missed.
    model = env.world.model
    ids = [i for i in range(model.ngeom) if model.geom(i).name.startswith("box_")]
    np.testing.assert_allclose(env.world.parameters["geom_rbound"][:, ids], np.linalg.norm(new[1], axis=-1))
