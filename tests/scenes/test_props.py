"""Props, and the marks that show places: what touches, what is seen, what can be put where."""

import mujoco
import numpy as np
import pytest
import torch

from embodied.physics.cpu import CpuWorld
from embodied.scenes import Scene
from embodied.scenes.arenas.flat import FlatArena
from embodied.scenes.props import box, mark
from morphologies import find_body


@pytest.fixture
def marked():
    """A robot with a box and a mark in three worlds."""
    props = {"object": box(0.2, 1.0), "goal": mark(0.5, "goal")}
    scene = Scene(FlatArena(), {"robot": find_body("ant")}, places={"object": (3.0, 0.0)}, props=props)
    return scene, CpuWorld(scene, 3)


def test_a_mark_lies_where_it_was_put_and_nothing_touches_it(marked):
    scene, world = marked
    goal, thing = (scene.entities[name].view(world) for name in ("goal", "object"))
    places = torch.tensor([[1.0, 2.0, 0.0], [3.0, 0.0, 0.2], [0.0, 0.0, 0.5]], dtype=torch.float64)
    goal.put(places, torch.ones(3, dtype=torch.bool))  # in the second world inside the box, in the third inside the ant
    for _ in range(20):
        world.step(4)
    np.testing.assert_array_equal(goal.root_pos, places)
    np.testing.assert_allclose(goal.link_pos[:, 0], places)
    np.testing.assert_allclose(thing.root_pos, [[3.0, 0.0, 0.2]] * 3, atol=1e-4)
    marks = [i for i in range(scene.model.ngeom) if scene.model.geom(i).name.startswith("goal/")]
    assert len(marks) == 3
    for i in range(3):
        assert not any(geom in marks for contact in world.data(i).contact for geom in contact.geom)


def test_rays_for_senses_see_the_box_and_not_the_mark(marked):
    scene, world = marked
    goal = scene.entities["goal"].view(world)
    goal.put(torch.tensor([[1.5, 0.0, 0.0]] * 3, dtype=torch.float64), torch.ones(3, dtype=torch.bool))
    world.forward()
    origin = torch.tensor([[[0.5, 0.0, 0.005]]], dtype=torch.float64).expand(3, 1, 3).contiguous()
    ahead = torch.tensor([[[1.0, 0.0, 0.0]]], dtype=torch.float64).expand(3, 1, 3).contiguous()
    seen, _ = world.ray(origin, ahead, groups=(0,))
    np.testing.assert_allclose(seen[:, 0], 3.0 - 0.2 - 0.5)
    everything, geoms = world.ray(origin, ahead)
    np.testing.assert_allclose(everything[:, 0], 1.5 - 0.5 - 0.5)
    assert scene.model.geom(int(geoms[0, 0])).name == "goal/disc"


def test_putting_moves_only_masked_worlds_and_keeps_the_orientation(marked):
    scene, world = marked
    thing = scene.entities["object"].view(world)
    quat = [0.5, 0.5, 0.5, 0.5]
    everywhere = torch.ones(3, dtype=torch.bool)
    thing.set_root_pose(torch.tensor([[3.0, 0.0, 1.0, *quat]] * 3, dtype=torch.float64), everywhere)
    thing.put(torch.tensor([[5.0, 1.0, 2.0]] * 3, dtype=torch.float64), torch.tensor([False, True, False]))
    world.forward()
    np.testing.assert_allclose(thing.root_pos, [[3, 0, 1], [5, 1, 2], [3, 0, 1]])
    np.testing.assert_allclose(thing.root_quat, [quat] * 3)
    # This turn takes x to y, y to z and z to x: columns are the body's axes.
    np.testing.assert_allclose(thing.root_axes, [[[0, 0, 1], [1, 0, 0], [0, 1, 0]]] * 3, atol=1e-12)


def test_a_state_holds_where_marks_lie(marked):
    scene, world = marked
    goal = scene.entities["goal"].view(world)
    goal.put(torch.tensor([[7.0, 8.0, 9.0]] * 3, dtype=torch.float64), torch.ones(3, dtype=torch.bool))
    state = world.state()
    world.reset()
    np.testing.assert_array_equal(goal.root_pos, np.zeros((3, 3)))
    world.set_state(state)
    np.testing.assert_array_equal(goal.root_pos, [[7.0, 8.0, 9.0]] * 3)


@pytest.mark.parametrize("root", ["planar", "fixed"])
def test_planar_and_fixed_roots_refuse_to_be_put_anywhere(root):
    scene = Scene(FlatArena(), {"robot": find_body("ant", root=root)})
    view = scene.entities["robot"].view(CpuWorld(scene, 1))
    with pytest.raises(TypeError, match=root):
        view.put(torch.zeros(1, 3), torch.ones(1, dtype=torch.bool))


def test_a_box_has_the_size_and_mass_asked_for():
    model = box(0.3, 2.5).spec().compile()
    assert model.geom("box").type[0] == mujoco.mjtGeom.mjGEOM_BOX
    np.testing.assert_allclose(model.geom("box").size, [0.3] * 3)
    assert float(model.body("box").mass[0]) == 2.5
