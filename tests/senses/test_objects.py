"""The object as a body sees it, for motions whose view can be told by hand."""

import numpy as np
import torch

from tests.tasks.placed import Placed

HALF = 0.5**0.5


def test_the_four_vectors_of_an_object_are_those_told_by_hand():
    game = Placed("push_box_incline")
    # Turned to the left by 90 degrees: the world's (x, y) is (y, -x) to the body.
    game.put(x=1.0, y=1.0, z=2.0, quat=[HALF, 0, 0, HALF])
    # Rolled by 90 degrees about x: the object's z axis is the world's -y.
    game.put("object", x=4.0, y=2.0, z=2.5, quat=[HALF, HALF, 0, 0])
    game.put("goal", x=1.0, y=11.0, z=3.0)
    game.view().root_velocity[:] = torch.tensor([1.0, 0.0, 0.5, 7.0, -8.0, 9.0])
    game.view("object").root_velocity[:] = torch.tensor([0.0, 2.0, 0.0, 0.0, 0.0, 3.0])
    game.world.forward()
    np.testing.assert_allclose(
        game.observation("object"),
        [
            *(1.0, -3.0, 0.5),  # offset (3, 1, 0.5) in the world
            *(2.0, 1.0, -0.5),  # velocity (-1, 2, -0.5): the body's own turning does not count
            *(-3.0, 0.0, 0.0),  # 3 rad/s about the object's z axis: (0, -3, 0)
            *(10.0, 0.0, 1.0),  # the goal's offset (0, 10, 1)
        ],
        atol=1e-6,
    )


def test_the_object_s_turning_is_given_along_the_body_s_axes_however_the_object_lies():
    for quat in ([1, 0, 0, 0], [HALF, HALF, 0, 0], [HALF, 0, HALF, 0], [0.5, 0.5, 0.5, 0.5]):
        game = Placed("manipulate_ball")
        game.put(x=0.0, y=0.0, z=1.0, quat=[1, 0, 0, 0])
        game.put("object", x=5.0, y=0.0, z=0.2, quat=quat)
        # A turn of 2 rad/s about the world's z axis, in the object's own frame as the engine wants it.
        axes = game.view("object").root_axes[0]
        game.view("object").root_velocity[:, 3:] = torch.tensor([0.0, 0.0, 2.0], dtype=torch.float64) @ axes
        game.world.forward()
        np.testing.assert_allclose(game.observation("object")[6:9], [0, 0, 2], atol=1e-6)


def test_the_velocity_seen_is_how_the_place_changes_as_long_as_the_body_does_not_turn():
    game = Placed("manipulate_ball")
    game.put(x=0.0, y=0.0, z=3.0, quat=[0.5, 0.5, -0.5, 0.5])
    game.put("object", x=6.0, y=1.0, z=5.0)
    game.view("object").root_velocity[:, :3] = torch.tensor([1.0, -2.0, 3.0])
    game.view().root_velocity[:] = 0.0
    game.view().joint_vel[:] = 0.0
    game.world.forward()
    first = game.observation("object")
    game.world.step(1)
    second = game.observation("object")
    # Both fall alike, so the difference of their velocities lasts.
    np.testing.assert_allclose((second[:3] - first[:3]) / 0.005, first[3:6], atol=0.02)
