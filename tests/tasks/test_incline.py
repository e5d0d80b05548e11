"""Incline against velocities, heights and distances computed by hand for a slope of ten degrees."""

import numpy as np
import pytest
import torch

from embodied.tasks import find_task
from embodied.testing import check_task
from tests.tasks.placed import Placed, idle, learners, throw_out

COS, SIN, TAN = 0.984807753012208, 0.17364817766693033, 0.17632698070846498
"""Of ten degrees."""


@pytest.mark.parametrize("body", [None, "crab"])
def test_incline_keeps_the_contract(body):
    check_task(lambda: find_task("incline"), body)


def test_the_reward_is_the_velocity_along_the_slope():
    game = Placed("incline", num_worlds=2)
    game.put(x=1.0)
    game.begin()
    game.put(x=1.1, world=0)
    game.put(x=0.95, world=1)
    terms = game.terms_of(torch.full((2, 12), 0.5))
    # 0.1 m in 0.02 s is 5 m/s seen from above.
    np.testing.assert_allclose(terms["forward"], [5.0 / COS, -2.5 / COS], rtol=1e-12)
    np.testing.assert_allclose(terms["control_cost"], -1e-3 * 12 * 0.25, rtol=1e-6)
    assert game.reward("forward") == 0.0


def test_the_metric_is_the_distance_along_the_slope():
    game = Placed("incline")
    game.put(x=COS * 30.0)
    assert game.metric("distance") == pytest.approx(30.0)


@pytest.mark.parametrize("body", ["ant", "kangaroo"])
def test_a_head_at_a_fifth_of_its_standing_height_over_the_slope_has_fallen(body):
    game = Placed("incline", body, num_worlds=4)
    fall = 0.2 * game.standing_height()
    for world, x in enumerate((0.0, 0.0, 60.0, 60.0)):
        game.put(x=x, z=TAN * x + fall + (1e-6 if world % 2 else -1e-6), world=world)
    assert game.task.terminated().tolist() == [True, False, True, False]


@pytest.mark.parametrize("body", ["ant", "crab", "hound"])
def test_bodies_start_square_to_the_slope_with_their_clearance(body):
    game = Placed("incline", body, num_worlds=8)
    spawn = game.env.scene.entities["robot"].body.spawn_height
    normal = np.array([-SIN, 0.0, COS])
    np.testing.assert_allclose(game.view().root_pos.numpy() @ normal, spawn, atol=0.012)
    np.testing.assert_allclose(game.view().root_axes[:, :, 2] @ torch.from_numpy(normal), 1.0, atol=1e-3)
    for world in range(8):
        data = game.world.data(world)
        model = game.world.model
        assert not any(model.geom("floor").id in contact.geom for contact in data.contact)
        ends = [data.site_xpos[i] for i in range(model.nsite) if "limb/end" in model.site(i).name]
        assert min(ends @ normal) == pytest.approx(0.2 + 0.05, abs=0.03)  # a limb's end is one radius above its tip


@pytest.mark.parametrize(
    ("place", "ends"),
    [
        ({"y": 19.0}, True),
        ({"y": 18.99}, False),
        ({"y": -19.0}, True),
        ({"x": 146.0}, True),
        ({"x": 145.99}, False),
        ({"x": -100.0}, False),
    ],
)
def test_an_episode_ends_a_metre_before_the_sides_and_the_far_end(place, ends):
    game = Placed("incline")
    game.put(z=40.0, **place)
    assert game.ended() == ends


def test_a_new_episode_counts_from_its_own_start():
    env = learners("incline")
    env.reset(seed=0)
    throw_out(env, 1, x=COS * 50.0, y=19.5, z=12.0)
    _, _, terminated, _, info = env.step(idle(env))
    assert terminated.tolist() == [False, True]
    assert float(info["episode"]["metrics"]["distance"]) == pytest.approx(50.0, abs=0.2)
    env.step(idle(env))
    assert abs(float(env.step(idle(env))[4]["terms"]["forward"][1])) < 1.0
