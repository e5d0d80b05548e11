"""The distances and the formula that tasks with an object share, against numbers computed by hand."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from embodied.tasks.pushing import nearest_face, nearest_surface
from tests.tasks.placed import Placed

HALF = 0.5**0.5
coordinates = st.floats(-3.0, 3.0)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(coordinates, coordinates, coordinates), min_size=1, max_size=4),
    st.floats(0.05, 1.0),
)
def test_the_nearest_face_is_the_nearest_of_all_pairs(points, half_side):
    faces = half_side * np.array([[1, 0, 0], [-1, 0, 0], [0, 1, 0], [0, -1, 0], [0, 0, 1], [0, 0, -1]])
    pairs = np.array(points)[:, None] - faces
    expected = np.sqrt((pairs**2).sum(axis=-1)).min()
    found = nearest_face(torch.tensor([points], dtype=torch.float64), half_side)
    np.testing.assert_allclose(found, [expected], atol=1e-7)


def test_distances_in_round_numbers():
    point = torch.tensor([[[3.0, 4.0, 0.0]]], dtype=torch.float64)
    # The face at y = 1: 3 across and 3 along.
    np.testing.assert_allclose(nearest_face(point, 1.0), [18.0**0.5])
    np.testing.assert_allclose(nearest_surface(point, 1.0), [4.0])
    np.testing.assert_allclose(nearest_surface(0.1 * point, 1.0), [0.0])


def test_the_nearest_of_head_and_limb_ends_counts_wherever_body_and_box_are_turned():
    for seed in range(5):
        rng = np.random.default_rng(seed)
        game = Placed("push_box_incline", body=("ant", "crab", "kangaroo")[seed % 3])
        robot, box = (q / np.linalg.norm(q) for q in rng.normal(size=(2, 4)))
        game.put(x=20.0, y=1.0, z=9.0, quat=robot)
        game.put("object", *(np.array([20.0, 1.0, 9.0]) + rng.uniform(-2, 2, 3)), quat=box)
        data = game.world.data(0)
        model = game.world.model
        sites = [data.site_xpos[i] for i in range(model.nsite) if model.site(i).name.startswith("robot/limb/end/")]
        sites.append(data.body("robot/torso/0").xpos)
        axes = data.body("object/box").xmat.reshape(3, 3)
        centre = data.body("object/box").xpos
        faces = [centre + sign * 0.2 * axes[:, k] for k in range(3) for sign in (1, -1)]
        expected = min(np.linalg.norm(site - face) for site in sites for face in faces)
        assert float(game.task.to_object()) == pytest.approx(expected, abs=1e-7)


def above(game, height):
    """Puts the box so that the middle of its lower face is ``height`` over the head, farther from all limbs."""
    x, y, z = game.view().root_pos[0].tolist()
    game.put("object", x, y, z + height + 0.2, quat=[1, 0, 0, 0])


@pytest.mark.parametrize(
    ("task", "margin"), [("manipulation", 0.75), ("push_box_incline", 0.5), ("manipulate_ball", 0.5)]
)
def test_the_formula_step_by_step(task, margin):
    game = Placed(task)
    game.put(x=5.0, y=0.0, z=3.0, quat=[1, 0, 0, 0])
    above(game, 2.0)
    x, y, z = game.view("object").root_pos[0].tolist()
    game.put("goal", x, y, z + 10.0)
    game.begin()
    assert float(game.task.memory["to_object"]) == pytest.approx(2.0)
    assert float(game.task.memory["to_goal"]) == pytest.approx(10.0)

    above(game, 1.0)
    assert game.reward("manipulation") == pytest.approx(100.0)
    above(game, 1.5)
    assert game.reward("manipulation") == pytest.approx(-50.0)
    # Bringing the box to its goal earns nothing before the arrival.
    game.put("goal", x, y, z - 0.4)
    above(game, 1.5)
    assert game.reward("manipulation") == pytest.approx(0.0, abs=1e-9)
    assert game.metric("delivered") == 0.0
    game.put("goal", x, y, z + 10.0)
    game.reward("manipulation")
    assert game.metric("arrived") == 0.0

    above(game, margin - 0.1)
    assert game.reward("manipulation") == pytest.approx(100 * (1.5 - margin + 0.1) + 10.0)
    assert game.metric("arrived") == 1.0
    # From now on only the way of the object to the goal counts, and there is no second arrival.
    now = z - 2.0 + margin - 0.1  # the object's height: it began at z, 2 m over the head
    assert game.reward("manipulation") == pytest.approx(0.0, abs=1e-9)
    game.put("goal", x, y, now + 10.0)
    game.reward("manipulation")
    game.put("object", z=now + 4.0)
    assert game.reward("manipulation") == pytest.approx(400.0)
    game.put("object", z=now + 3.0)
    assert game.reward("manipulation") == pytest.approx(-100.0)
    game.put("object", z=now + 10.0 - margin + 0.05)
    assert game.reward("manipulation") == pytest.approx(100 * (7.0 - margin + 0.05) + 10.0)
    assert game.reward("manipulation") == pytest.approx(10.0)  # on every step there
    assert game.reward("manipulation") == pytest.approx(10.0)
    assert game.metric("delivered") == 1.0
    game.put("object", z=now + 10.0 - margin - 0.05)
    assert game.reward("manipulation") == pytest.approx(-10.0)  # 0.1 m away again, and no bonus
    assert game.metric("delivered") == 1.0


def test_the_approach_is_how_much_nearer_the_object_is_to_its_goal():
    game = Placed("manipulate_ball")
    game.put("object", 15.0, 0.0, 0.2)
    game.put("goal", 25.0, 0.0, 0.2)
    game.begin()
    for x, approach in ((15.0, 0.0), (18.0, 3.0), (14.0, -1.0), (25.0, 10.0), (27.0, 8.0)):
        game.put("object", x)
        game.task.rewards()
        assert game.metric("approach") == pytest.approx(approach, abs=1e-12)


def test_the_two_bonuses_do_not_come_in_one_step():
    # Coming to an object that already lies at its goal: arrival first, then the goal's.
    game = Placed("manipulate_ball")
    game.put("object", 20.0, 0.0, 0.2)
    game.put("goal", 20.0, 0.0, 0.2)
    game.put(x=10.0, y=0.0)
    game.begin()
    before = float(game.task.memory["to_object"])
    game.put(x=20.0, z=0.8)
    after = float(game.task.to_object())
    assert after < 0.5
    assert game.reward("manipulation") == pytest.approx(100 * (before - after) + 10.0)
    assert game.metric("delivered") == 0.0
    assert game.reward("manipulation") == pytest.approx(10.0)
    assert game.metric("delivered") == 1.0


def test_worlds_arrive_apart_and_a_new_episode_has_not_arrived():
    game = Placed("manipulate_ball", num_worlds=3)
    game.put("object", 20.0, 0.0, 0.2)
    game.put(x=10.0)
    game.begin()
    game.put(x=20.0, y=0.0, z=0.8, world=1)
    game.task.rewards()
    assert game.task.memory["arrived"].tolist() == [False, True, False]
    game.task.begin(torch.tensor([True, False, False]))
    assert game.task.memory["arrived"].tolist() == [False, True, False]
    game.begin()
    assert not game.task.memory["arrived"].any()


def test_the_control_cost_is_that_of_the_action():
    game = Placed("manipulate_ball")
    terms = game.terms_of(torch.full((1, 12), 3.0))
    assert terms.keys() == {"manipulation", "control_cost"}
    assert float(terms["control_cost"]) == pytest.approx(-1e-3 * 12 * 9.0, rel=1e-6)
