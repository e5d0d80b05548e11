"""The goal as a body sees it, for poses whose view can be told by hand."""

import numpy as np
import pytest

from tests.tasks.placed import Placed

HALF = 0.5**0.5


def test_the_goal_s_place_reads_ahead_left_and_up_of_a_level_body():
    game = Placed("patrol")
    game.put(x=1.0, y=2.0, z=0.5, quat=[1, 0, 0, 0])
    game.put("goal", x=4.0, y=4.0, z=1.0)
    np.testing.assert_allclose(game.observation("goal"), [3.0, 2.0, 0.5], atol=1e-6)


@pytest.mark.parametrize(
    ("quat", "goal", "seen"),
    [
        # Turned to the left by 90 degrees: what lies along world y is ahead, what lies along x is to the right.
        ([HALF, 0, 0, HALF], (1.0, 7.0, 0.5), [5.0, 0.0, 0.0]),
        ([HALF, 0, 0, HALF], (3.0, 2.0, 0.5), [0.0, -2.0, 0.0]),
        # Nose straight down: what lies above is behind, what lies along world x is above its back.
        ([HALF, 0, HALF, 0], (1.0, 2.0, 3.5), [-3.0, 0.0, 0.0]),
        ([HALF, 0, HALF, 0], (3.0, 2.0, 0.5), [0.0, 0.0, 2.0]),
        # Turned to the left by 90 degrees, then rolled by 30 degrees about its own x axis: up is 2 (0, sin 30, cos 30).
        (
            [
                HALF * np.cos(np.pi / 12),
                HALF * np.sin(np.pi / 12),
                HALF * np.sin(np.pi / 12),
                HALF * np.cos(np.pi / 12),
            ],
            (1.0, 2.0, 2.5),
            [0.0, 1.0, 3**0.5],
        ),
    ],
)
def test_the_goal_s_place_turns_with_a_yawed_and_tilted_body(quat, goal, seen):
    game = Placed("patrol")
    game.put(x=1.0, y=2.0, z=0.5, quat=quat)
    game.put("goal", *goal)
    np.testing.assert_allclose(game.observation("goal"), seen, atol=1e-6)


def test_worlds_see_their_own_goals():
    game = Placed("point_nav", num_worlds=3, seed=1)
    game.put(x=0.0, y=0.0, z=0.5, quat=[1, 0, 0, 0])
    for world, x in enumerate((1.0, -20.0, 30.0)):
        game.put("goal", x, 3.0, 0.0, world=world)
    seen = game.env.spec.read()["goal"].numpy()
    np.testing.assert_allclose(seen, [[1, 3, -0.5], [-20, 3, -0.5], [30, 3, -0.5]], atol=1e-6)


def test_a_goal_is_seen_where_it_is_by_planar_and_fixed_bodies():
    for root in ("planar", "fixed"):
        game = Placed("patrol", root=root)
        x, _, z = game.view().root_pos[0].tolist()
        w, _, turn, _ = game.view().root_quat[0].tolist()
        pitch = 2 * np.arctan2(turn, w)
        ahead, up = 5.0 - x, -z
        turned = [np.cos(pitch) * ahead - np.sin(pitch) * up, 0.0, np.sin(pitch) * ahead + np.cos(pitch) * up]
        np.testing.assert_allclose(game.observation("goal"), turned, atol=1e-5)
