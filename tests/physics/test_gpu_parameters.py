"""Model fields that differ between worlds of the GPU World, against the CPU World and MuJoCo's own constants."""

import copy

import mujoco
import numpy as np
import pytest
import torch

from embodied.physics.cpu import CpuWorld
from embodied.physics.gpu import GpuWorld
from embodied.scenes.arenas.flat import FlatArena
from embodied.scenes.arenas.legged import LeggedArena
from embodied.scenes.arenas.obstacles import ObstacleArena
from embodied.scenes.randomise import VARYING, Ranges, randomisable
from morphologies import find_body
from tests.physics.gpu_worlds import DEVICE, SUBSTEPS, controls, elliptic, near, same

WORLDS = 3


def pair(scene):
    return GpuWorld(scene, WORLDS, scene.varying, DEVICE), CpuWorld(scene, WORLDS, scene.varying)


def give(worlds, name, values):
    for world in worlds:
        world.parameters[name].copy_(torch.as_tensor(values))


@pytest.fixture(scope="module")
def uncertain():
    """Both Worlds of an ant of which everything that can be randomised is different in each world."""
    scene = elliptic(FlatArena(), randomisable(find_body("ant"), Ranges(), 0.005), VARYING)
    model, rng = scene.model, np.random.default_rng(0)
    there, here = pair(scene)
    for name in VARYING:
        value = getattr(model, name)
        factors = rng.uniform(0.6, 1.4, (WORLDS, *(1,) * value.ndim))
        give((there, here), name, value * factors)
    give((there, here), "body_ipos", here.parameters["body_ipos"] + torch.from_numpy(rng.uniform(-0.02, 0.02, 3)))
    give((there, here), "actuator_delay", rng.uniform(0, 0.02, (WORLDS, 1)) * np.ones(model.nu))
    for world in (there, here):
        world.refresh_constants()
    return there, here


def test_parameters_are_views_shaped_as_on_the_cpu(uncertain):
    there, here = uncertain
    for name in VARYING:
        assert there.parameters[name].shape == here.parameters[name].shape
        assert there.parameters[name].data_ptr() == getattr(there._held, name).ptr
        near(there.parameters[name], here.parameters[name], 1e-3)


def test_constants_follow_from_each_worlds_own_masses(uncertain):
    there, here = uncertain
    assert {"body_subtreemass", "body_invweight0", "dof_invweight0", "actuator_acc0"} <= there.constants.keys()
    for world in range(WORLDS):
        model = copy.copy(there.model)
        for name in VARYING:
            getattr(model, name)[:] = here.parameters[name][world].numpy()
        mujoco.mj_setConst(model, mujoco.MjData(model))
        for name in ("body_subtreemass", "body_invweight0", "dof_invweight0", "actuator_acc0"):
            expected = getattr(model, name)
            np.testing.assert_allclose(there.constants[name][world], expected, rtol=2e-5, atol=1e-5 * expected.max())
            same(torch.from_numpy(getattr(there.data(world).model, name)).float(), there.constants[name][world])


def test_worlds_move_as_their_parameters_say(uncertain):
    there, here = uncertain
    for world in uncertain:
        world.reset()
        world.field("qpos")[:, 2] = 0.32
    for action in controls(25, WORLDS):
        for world in uncertain:
            world.field("ctrl").copy_(action)
            world.step(SUBSTEPS)
    assert (here.field("qpos")[0] - here.field("qpos")[1]).abs().max() > 0.01
    near(there.field("qpos"), here.field("qpos"), 1e-4)


def test_constants_outside_the_mask_stay_bit_for_bit(uncertain):
    there, _ = uncertain
    before = {name: value.clone() for name, value in there.constants.items()}
    state, places = there.state(), there.field("xpos").clone()
    there.parameters["body_mass"].mul_(1.5)
    there.refresh_constants(torch.tensor([False, True, False]))
    for name in ("body_subtreemass", "dof_invweight0", "body_invweight0"):
        same(there.constants[name][[0, 2]], before[name][[0, 2]])
        assert not torch.equal(there.constants[name][1], before[name][1])
    there.parameters["body_mass"].div_(1.5)
    there.refresh_constants()
    near(there.constants["dof_invweight0"], before["dof_invweight0"], 1e-3)
    same(there.state(), state)
    near(there.field("xpos"), places, 1e-6)


def test_each_world_may_have_its_own_gravity():
    scene = elliptic(FlatArena(), find_body("ant"), ("opt.gravity",))
    world = GpuWorld(scene, 2, scene.varying, DEVICE)
    world.parameters["opt.gravity"][1] = torch.tensor([0.5, 0.0, -1.0])
    world.field("qpos")[:, 2] = 20.0
    for _ in range(3):  # through the recorded graph too
        world.step(10)
    np.testing.assert_allclose(world.field("qvel")[:, :3], [[0, 0, -9.81 * 0.15], [0.075, 0, -0.15]], atol=1e-4)
    np.testing.assert_allclose(world.data(1).qvel[:3], [0.075, 0, -0.15], atol=1e-4)


def looked_down(world, places):
    """(W, N) Height of what is below places (N, 2) in each world."""
    eyes = torch.cat((places, torch.full((len(places), 1), 10.0, dtype=places.dtype)), dim=1)
    origins = eyes.expand(world.num_worlds, -1, 3).contiguous()
    down = torch.zeros_like(origins)
    down[..., 2] = -1.0
    return 10.0 - world.ray(origins, down, groups=[0])[0]


def test_boxes_that_never_move_stand_where_each_world_puts_them():
    arena = ObstacleArena(ahead=12.0, half_width=3.0, count=12)
    scene = elliptic(arena, find_body("ant"), arena.varying)
    there, here = pair(scene)
    generator = torch.Generator().manual_seed(0)
    arena.draw(here, torch.ones(WORLDS, dtype=torch.bool), generator)
    for name in arena.varying:
        there.parameters[name].copy_(here.parameters[name])
    for world in (there, here):
        world.forward()
    boxes = arena.box_ids(scene.model)
    near(there.field("geom_xpos")[:, boxes], here.field("geom_xpos")[:, boxes], 1e-5)
    near(there.field("geom_xpos")[:, boxes], here.parameters["geom_pos"][:, boxes], 1e-5)
    tops = here.parameters["geom_pos"][0, boxes, :2]
    near(looked_down(there, tops), looked_down(here, tops), 1e-4)
    assert looked_down(there, tops).max() > 0.1
    # And through steps, plain and recorded, whatever the pose of the body they belong to.
    for _ in range(3):
        for world in (there, here):
            world.step(1)
    near(there.field("geom_xpos")[:, boxes], here.field("geom_xpos")[:, boxes], 1e-5)
    near(there.field("geom_xmat")[:, boxes], here.field("geom_xmat")[:, boxes], 1e-6)


def test_each_world_stands_on_its_own_height_field():
    arena = LeggedArena(kinds=("rough", "stairs_up"), levels=2, size=4.0, cell=0.1, border=2.0)
    scene = elliptic(arena, find_body("ant"))
    there, here = pair(scene)
    ground = scene.model.geom("ground").id
    for world in (there, here):
        world.parameters["geom_dataid"][:, ground] = torch.tensor([0, 1, 3])
        world.forward()
    places = torch.from_numpy(np.random.default_rng(0).uniform(-1.9, 1.9, (60, 2)))
    heights = looked_down(there, places)
    near(heights, looked_down(here, places), 1e-4)
    assert heights[0].abs().max() < 1e-4
    assert heights[1].abs().max() > 0.02
    assert heights[2].abs().max() > 0.1
