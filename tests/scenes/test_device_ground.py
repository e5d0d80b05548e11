"""Ground of worlds on a device: heights against the engine's own rays, windows against those on the CPU."""

import numpy as np
import pytest
import torch

from embodied.physics.cpu import CpuWorld
from embodied.scenes import Scene
from embodied.scenes.arenas.obstacles import ObstacleArena
from embodied.scenes.box_ground import DeviceBoxGround
from embodied.scenes.device_triangles import DeviceTriangles
from embodied.scenes.ground import Ground
from embodied.senses.height_map import thinned_grid
from embodied.testing.mirror_world import MirrorWorld
from tests.scenes.test_arenas import look_down
from tests.scenes.test_ground import CELL, Rubble, X, Y, by_rays

WORLDS = 4


@pytest.fixture(scope="module")
def rubble():
    """The world, its ground on the CPU, and the same as on a device."""
    scene = Scene(Rubble(), {})
    world = CpuWorld(scene, WORLDS, scene.varying, threads=1)
    ground = scene.arena.ground(world)
    ground.choose(torch.ones(WORLDS, dtype=torch.bool), torch.tensor([2, 0, 1, 2]))
    on_device = scene.arena.ground(MirrorWorld(world))
    assert isinstance(on_device._triangles, DeviceTriangles)
    return world, ground, on_device


def scattered(worlds, count, low, high, seed=0):
    chance = torch.rand(worlds, count, 2, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    return torch.tensor(low) + chance * (torch.tensor(high) - torch.tensor(low))


def test_heights_are_those_that_rays_meet(rubble):
    world, _, on_device = rubble
    points = scattered(WORLDS, 500, [X + 0.01, Y + 0.01], [2.99, 2.49])
    seen = on_device.height(points.float())
    assert seen.dtype == torch.float32
    np.testing.assert_allclose(seen, by_rays(world, points), atol=1e-5)


@pytest.mark.parametrize("reach", [1.0, 20.0])  # the latter farther than the margin of the fields on the CPU
def test_windows_are_those_on_the_cpu(rubble, reach):
    _, ground, on_device = rubble
    along, across = (reach * offsets for offsets in thinned_grid())
    centres, yaw = scattered(WORLDS, 1, [-4.0, -3.0], [4.0, 3.0])[:, 0], torch.tensor([0.0, 0.7, -2.9, 1.57]).double()
    seen = on_device.window(centres.float(), yaw.float(), along.float(), across.float())
    assert seen.dtype == torch.float32
    held = centres.clamp(torch.tensor([X, Y]).double(), torch.tensor([3.0, 2.5]).double())
    np.testing.assert_allclose(seen, Ground.window(ground, held, yaw, along, across), atol=1e-4 * reach)


def test_beyond_the_field_and_for_what_is_no_number_there_is_a_height(rubble):
    _, ground, on_device = rubble
    strange = [[50.0, 0.0], [-50.0, 0.0], [0.0, 1e9], [float("nan"), 0.0], [float("inf"), 1.0]]
    outside = torch.tensor([strange] * WORLDS, dtype=torch.float64)
    np.testing.assert_allclose(on_device.height(outside.float()), ground.height(outside), atol=1e-6)
    yaw = torch.tensor([0.0, float("nan"), 0.0, 0.0])
    seen = on_device.window(outside[:, 3].float(), yaw, torch.zeros(1), torch.zeros(1))
    assert torch.isfinite(seen).flatten().tolist() == [True, False, True, True]


def test_fields_are_chosen_and_drawn_where_the_mask_holds(rubble):
    world, _, _ = rubble
    mirror = MirrorWorld(world)
    on_device = Rubble().ground(mirror)
    before = on_device.field_ids
    mask = torch.tensor([True, False, False, True])
    on_device.draw(mask, torch.Generator().manual_seed(0))
    drawn = torch.randint(3, (WORLDS,), generator=torch.Generator().manual_seed(0))
    assert torch.equal(on_device.field_ids, torch.where(mask, drawn, before))
    assert mirror.parameters["geom_dataid"].dtype == torch.int32
    heights = on_device.height(torch.zeros(WORLDS, 1, 2))[:, 0]
    row, column = round(-Y / CELL), round(-X / CELL)
    np.testing.assert_allclose(heights, Rubble().fields.heights[on_device.field_ids, row, column], atol=1e-6)


@pytest.mark.parametrize("count", [12, 150])  # the latter more than are compared at once
def test_tops_of_boxes_are_those_that_rays_meet(count):
    arena = ObstacleArena(ahead=47, half_width=10, count=count)
    scene = Scene(arena, {})
    world = CpuWorld(scene, 3, varying=scene.varying)
    arena.draw(world, torch.ones(3, dtype=torch.bool), torch.Generator().manual_seed(2))
    world.forward()
    on_device = arena.ground(MirrorWorld(world))
    assert isinstance(on_device, DeviceBoxGround)
    points = scattered(3, 2000, [-2.9, -9.9], [46.9, 9.9])
    met, _ = look_down(world, points)
    tops = on_device.height(points.float())
    np.testing.assert_allclose(tops, met, atol=1e-5)
    assert 0.05 < float((tops > 0).float().mean()) < 0.99
    nowhere = torch.full((3, 1, 2), float("nan"))
    assert on_device.height(nowhere).tolist() == [[0.0]] * 3
    centres, yaw = scattered(3, 1, [5.0, -5.0], [40.0, 5.0])[:, 0], torch.tensor([0.3, -2.0, 1.0]).double()
    grid = thinned_grid()
    expected = arena.ground(world).window(centres, yaw, *grid)
    seen = on_device.window(centres.float(), yaw.float(), *(offsets.float() for offsets in grid))
    assert float((seen != expected).float().mean()) < 1e-3  # places at the very edge of a box


def test_boxes_are_put_alike_on_a_device():
    arena = ObstacleArena(count=5)
    scene = Scene(arena, {})
    world = CpuWorld(scene, 3, varying=scene.varying)
    mirror, mask = MirrorWorld(world), torch.tensor([False, True, True])
    for each in (world, mirror):
        arena.draw(each, mask, torch.Generator().manual_seed(7))
    for name in arena.varying:
        torch.testing.assert_close(mirror.parameters[name].double(), world.parameters[name], rtol=1e-6, atol=1e-6)
