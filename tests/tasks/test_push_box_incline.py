"""Push box on incline: where things lie and the ends. The formula is held in test_pushing."""

import numpy as np
import pytest
import torch

from embodied.tasks import find_task
from embodied.testing import check_task
from morphologies import Genome, Hinge, Limb, body_from_genome
from tests.tasks.placed import Placed, idle, learners, throw_out

COS, SIN, TAN = 0.984807753012208, 0.17364817766693033, 0.17632698070846498
"""Of ten degrees."""


@pytest.mark.parametrize("body", [None, "crab"])
def test_push_box_incline_keeps_the_contract(body):
    check_task(lambda: find_task("push_box_incline"), body)


def test_box_and_goal_lie_seventy_metres_apart_flat_on_the_slope():
    game = Placed("push_box_incline", num_worlds=2)
    # The floor reaches from 3 m behind the start to 77 m ahead of it: its middle is at 37 m.
    box, goal = game.view("object"), game.view("goal")
    normal = np.array([-SIN, 0.0, COS])
    for view, x in ((box, 37.0 - 35.0), (goal, 37.0 + 35.0)):
        np.testing.assert_allclose(view.root_pos[:, :2], [[x, 0.0]] * 2)
        np.testing.assert_allclose(view.root_pos.numpy() @ normal, 0.2)
    np.testing.assert_allclose(box.root_axes[:, :, 2], [normal] * 2, atol=1e-9)
    np.testing.assert_allclose(box.root_axes[:, :, 0], [[COS, 0.0, SIN]] * 2, atol=1e-9)
    assert float(game.world.model.body("object/box").mass[0]) == 2.0
    assert float(game.task.to_goal()[0]) == pytest.approx(70.0 / COS)


def test_a_metre_up_the_slope_counts_a_metre():
    game = Placed("push_box_incline")
    game.task.memory["arrived"][:] = True
    start = game.view("object").root_pos[0].tolist()
    game.task.rewards()
    game.put("object", start[0] + COS, 0.0, start[2] + SIN)
    assert game.reward("manipulation") == pytest.approx(100.0)
    assert game.metric("box_travel") == pytest.approx(1.0)
    assert game.metric("approach") == pytest.approx(1.0)


def test_a_box_that_nobody_touches_stays_where_it_lies():
    game = Placed("push_box_incline", body="tripod")
    for _ in range(40):
        game.env.advance(torch.zeros(1, *game.env.action_space.shape))
    assert abs(game.metric("box_travel")) < 0.01


def test_a_head_at_a_fifth_of_its_standing_height_over_the_slope_has_fallen():
    game = Placed("push_box_incline", num_worlds=4)
    fall = 0.2 * game.standing_height()
    for world, x in enumerate((0.0, 0.0, 50.0, 50.0)):
        game.put(x=x, z=TAN * x + fall + (1e-6 if world % 2 else -1e-6), world=world)
    assert game.task.terminated().tolist() == [True, False, True, False]


@pytest.mark.parametrize(
    ("place", "ends"),
    [({"y": 19.0}, True), ({"y": -18.99}, False), ({"x": 76.0}, True), ({"x": 75.99}, False), ({"x": -10.0}, False)],
)
def test_an_episode_ends_a_metre_before_the_sides_and_the_far_end(place, ends):
    game = Placed("push_box_incline")
    game.put(z=30.0, **place)
    assert game.ended() == ends


def test_a_long_body_starts_farther_back():
    limbs = ()
    for site in ("end", "end", "end", "head"):
        limbs = (Limb(site, 0, 90, 0.4, (Hinge("y", (-30, 30), 200),), limbs=limbs),)
    body = body_from_genome(Genome(800, 700, limbs))
    reach = body.description.reach
    assert reach > 1.8
    game = Placed("push_box_incline", body)
    assert float(game.view().origin[0]) == pytest.approx(1.6 - reach)
    model, data = game.world.model, game.world.data(0)
    floor, box = model.geom("floor").id, model.geom("object/box").id
    assert all({floor, box} == set(contact.geom) for contact in data.contact)
    assert float(Placed("push_box_incline").view().origin[0]) == 0.0


def test_a_new_episode_has_its_box_back_and_has_not_arrived():
    env = learners("push_box_incline")
    env.reset(seed=0)
    task = env.env.task
    task.thing.put(torch.tensor([[12.0, 1.0, 3.0]] * 2, dtype=torch.float64), torch.tensor([False, True]))
    task.memory["arrived"][:] = True
    throw_out(env, 1, y=19.5, z=5.0)
    _, _, terminated, _, info = env.step(idle(env))
    assert terminated.tolist() == [False, True]
    assert float(info["episode"]["metrics"]["box_travel"]) == pytest.approx(10.0 / COS, abs=0.05)
    assert task.memory["arrived"].tolist() == [True, False]
    np.testing.assert_allclose(task.thing.root_pos[1, :2], [2.0, 0.0], atol=1e-9)
