"""Arenas: walls, ground under points against rays, and what differs between worlds."""

import math

import mujoco
import numpy as np
import pytest
import torch

from embodied.physics.cpu import CpuWorld
from embodied.physics.picture_model import PictureModel
from embodied.scenes import Scene
from embodied.scenes.arenas.bowl import BowlArena
from embodied.scenes.arenas.incline import InclineArena
from embodied.scenes.arenas.legged import KINDS, LeggedArena
from embodied.scenes.arenas.obstacles import ObstacleArena
from embodied.scenes.arenas.variable import VariableArena, manipulation_arena
from morphologies import find_body

SMALL = VariableArena(30.0, 10.0, count=3, seed=1)
ARENAS = [
    SMALL,
    BowlArena(size=20.0, count=2),
    InclineArena(),
    ObstacleArena(ahead=47, half_width=10, count=12),
    LeggedArena(levels=3, size=6, cell=0.1),
]
ALL = torch.tensor([True, True])


def name_of(arena):
    return type(arena).__name__


def worlds_on(arena, num_worlds=2):
    scene = Scene(arena, {})
    return CpuWorld(scene, num_worlds, varying=scene.varying)


def look_down(world, points, height=6.0):
    origins = torch.cat((points, torch.full((*points.shape[:2], 1), height, dtype=torch.float64)), dim=-1)
    down = torch.tensor([0, 0, -1.0], dtype=torch.float64).expand_as(origins).contiguous()
    distance, geom = world.ray(origins, down)
    return height - distance, geom


def draw(arena, world, seed=0):
    generator = torch.Generator().manual_seed(seed)
    if isinstance(arena, ObstacleArena):
        arena.draw(world, torch.ones(world.num_worlds, dtype=torch.bool), generator)
    elif arena.varying:
        arena.ground(world).draw(torch.ones(world.num_worlds, dtype=torch.bool), generator)


@pytest.mark.parametrize("arena", ARENAS, ids=name_of)
def test_heights_looked_up_are_those_that_rays_meet(arena):
    world = worlds_on(arena, 3)
    draw(arena, world)
    world.forward()
    points = torch.rand((3, 300, 2), dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    reach = min(arena.ahead, 20.0)
    points = torch.stack((points[..., 0] * (reach + 2.9) - 2.9, (points[..., 1] * 2 - 1) * 4.9), dim=-1)
    met, _ = look_down(world, points)
    torch.testing.assert_close(arena.ground(world).height(points).double(), met, atol=2e-6, rtol=0)


@pytest.mark.parametrize("arena", ARENAS, ids=name_of)
def test_the_ground_under_the_start_is_level(arena):
    world = worlds_on(arena, 1)
    draw(arena, world)
    ground = arena.ground(world)
    near = torch.rand((1, 100, 2), dtype=torch.float64, generator=torch.Generator().manual_seed(1)) * 1.6 - 0.8
    if not isinstance(arena, InclineArena):
        assert np.ptp(ground.height(near).numpy()) == 0
    assert float(ground.height(torch.zeros(1, 1, 2, dtype=torch.float64))[0, 0]) <= 3


@pytest.mark.parametrize("arena", [SMALL, ObstacleArena(47, 10, count=3)], ids=name_of)
def test_walls_stand_two_metres_high_at_the_edges(arena):
    world = worlds_on(arena, 1)
    x, y = arena.ahead, arena.half_width
    just_outside = [[x + 0.1, 0], [-arena.behind - 0.1, 0], [3, y + 0.1], [3, -y - 0.1], [x + 0.1, y + 0.1]]
    met, geom = look_down(world, torch.tensor([just_outside], dtype=torch.float64))
    np.testing.assert_allclose(met, 2.0, atol=1e-9)
    assert all(world.model.geom(int(g)).name.startswith("wall/") for g in geom[0])
    inside = torch.tensor([[[x - 0.05, 0], [3, y - 0.05]]], dtype=torch.float64)
    _, geom = look_down(world, inside)
    assert not any(world.model.geom(int(g)).name.startswith("wall/") for g in geom[0])


def test_variable_and_manipulation_arenas_have_derls_extents():
    arena = VariableArena()
    heights = VariableArena(count=1).fields.heights
    assert heights.shape == (1, 1001, 1001)
    assert (VariableArena(count=1).ahead, VariableArena(count=1).behind) == (97.0, 3.0)
    assert VariableArena(count=1).half_width == 50.0
    assert arena.cell == 0.1
    small = manipulation_arena(count=1)
    assert (small.ahead + small.behind, small.half_width) == (60.0, 20.0)


def test_a_larger_pool_begins_with_a_smaller_ones_fields():
    small, large = VariableArena(30.0, 5.0, count=2, seed=3).fields, VariableArena(30.0, 5.0, count=4, seed=3).fields
    np.testing.assert_array_equal(small.heights, large.heights[:2])
    assert (large.heights[0] != large.heights[1]).any()


def test_robots_stand_at_the_heights_of_their_worlds_fields():
    arena = LeggedArena(("slopes_up", "slopes_down"), levels=2, size=6, cell=0.1)
    scene = Scene(arena, {"robot": find_body("ant")})
    world = CpuWorld(scene, 4, varying=scene.varying)
    ground = arena.ground(world)
    ground.choose(torch.ones(4, dtype=torch.bool), torch.arange(4))
    top = 0.4 * (3 - 0.25 - 1)
    platform = ground.height(torch.zeros(4, 1, 2, dtype=torch.float64))[:, 0].double()
    np.testing.assert_allclose(platform, [0, -top, 0, top], atol=1e-6)
    qpos = world.field("qpos")
    qpos[:, 2] += platform
    world.step(600)
    rest = qpos[:, 2] - platform
    np.testing.assert_allclose(rest, rest[0], atol=5e-3)


def test_the_incline_rises_ten_degrees_along_x():
    arena = InclineArena()
    world = worlds_on(arena, 1)
    met, _ = look_down(world, torch.tensor([[[10.0, 3.0], [-4.0, 0.0]]], dtype=torch.float64))
    slope = math.tan(math.radians(10))
    np.testing.assert_allclose(met[0], [10 * slope, -4 * slope], atol=1e-9)
    uphill = np.zeros(3)
    mujoco.mju_rotVecQuat(uphill, np.array([1.0, 0, 0]), np.array(arena.quat))
    np.testing.assert_allclose(uphill, [math.cos(math.radians(10)), 0, math.sin(math.radians(10))], atol=1e-12)


def test_legged_levels_begin_level_and_get_harder():
    arena = LeggedArena(levels=4, size=8)
    fields = arena.fields
    assert len(fields) == len(KINDS) * 4
    for kind, name in enumerate(arena.kinds):
        assert not fields.heights[arena.field_id(kind, 0)].any()
        assert fields.kinds[arena.field_id(kind, 0)] == "level"
        for level in range(1, 4):
            assert fields.kinds[arena.field_id(kind, level)] == name
            assert fields.difficulties[arena.field_id(kind, level)] == pytest.approx(level / 3)
        if name in ("gaps", "stepping_stones"):  # these get fewer edges, farther apart; their own tests hold them
            continue
        unevenness = [np.abs(np.diff(fields.heights[arena.field_id(kind, i)], axis=1)).mean() for i in range(4)]
        assert unevenness[0] < unevenness[1] < unevenness[2] < unevenness[3]


@pytest.mark.parametrize("bad", [{"kinds": ("rough", "lava")}, {"kinds": ()}, {"levels": 1}])
def test_legged_arenas_that_cannot_be_are_refused(bad):
    with pytest.raises(ValueError, match=r"lava.*stepping_stones|at least one kind"):
        LeggedArena(**bad)


def test_level_ground_surrounds_a_tile_without_a_step():
    world = worlds_on(LeggedArena(levels=2, size=6, cell=0.1), 1)
    points = torch.tensor([[[2.99, 0.3], [3.01, 0.3], [10, -10], [-22, 22], [0.4, -3.01]]], dtype=torch.float64)
    met, _ = look_down(world, points)
    np.testing.assert_allclose(met, 0, atol=1e-9)


class Fresh:
    """A model compiled with the boxes of one world in their places."""

    def __init__(self, arena, world, number):
        spec = arena.spec()
        for box, geom in enumerate(arena.box_ids(world.model)):
            fresh = spec.geom(f"box_{box}")
            fresh.pos = world.parameters["geom_pos"][number, geom].numpy()
            fresh.size = world.parameters["geom_size"][number, geom].numpy()
        add_balls(spec)
        self.model = spec.compile()


class WithBalls:
    """The arena's model with balls rolling through it."""

    def __init__(self, arena):
        spec = arena.spec()
        add_balls(spec)
        self.model = spec.compile()


def add_balls(spec):
    for ball in range(12):
        body = spec.worldbody.add_body(pos=[3.0, ball - 5.5, 0.3])
        body.add_freejoint()
        body.add_geom(type=mujoco.mjtGeom.mjGEOM_SPHERE, size=[0.25, 0, 0], mass=1)


def test_boxes_of_a_world_act_as_if_compiled_in_their_places():
    arena = ObstacleArena(ahead=30, half_width=8, count=15)
    world = CpuWorld(WithBalls(arena), 3, varying=arena.varying)
    arena.draw(world, torch.ones(3, dtype=torch.bool), torch.Generator().manual_seed(4))
    speeds = torch.linspace(6, 12, 12, dtype=torch.float64)
    world.field("qvel")[:, ::6] = speeds
    world.step(1200)
    positions = world.field("qpos").clone()
    for number in range(3):
        alone = CpuWorld(Fresh(arena, world, number), 1)
        alone.field("qvel")[:, ::6] = speeds
        alone.step(1200)
        torch.testing.assert_close(alone.field("qpos")[0], positions[number], atol=1e-6, rtol=0)
    free = 3 + 12 * 1200 * 0.002
    assert (positions[:, ::7] < free - 5).any(), "no ball met a box"


def test_boxes_keep_clear_of_the_start_and_within_the_walls():
    arena = ObstacleArena()
    world = worlds_on(arena, 40)
    before = {name: world.parameters[name].clone() for name in arena.varying}
    mask = torch.arange(40) % 4 != 0
    arena.draw(world, mask, torch.Generator().manual_seed(0))
    ids = arena.box_ids(world.model)
    pos, size = world.parameters["geom_pos"][:, ids][mask], world.parameters["geom_size"][:, ids][mask]
    assert (pos[..., 0] - size[..., 0] >= 3).all()
    assert (pos[..., 0] + size[..., 0] <= 147).all()
    assert (pos[..., 1].abs() + size[..., 1] <= 30).all()
    assert (pos[..., 2] == 2).all()
    for side in (0, 1):
        values, counts = torch.unique(size[..., side], return_counts=True)
        assert values.tolist() == [0.5, 1.0, 1.5, 2.0, 2.5, 3.0]
        np.testing.assert_allclose(counts / counts.sum(), 1 / 6, atol=0.04)
    for name in arena.varying:
        torch.testing.assert_close(world.parameters[name][~mask], before[name][~mask], rtol=0, atol=0)
    others = np.setdiff1d(np.arange(world.model.ngeom), ids)
    torch.testing.assert_close(world.parameters["geom_pos"][:, others], before["geom_pos"][:, others])


def test_boxes_are_drawn_alike_from_equal_seeds_whatever_the_mask():
    arena = ObstacleArena(count=5)
    one, two = worlds_on(arena, 3), worlds_on(arena, 3)
    arena.draw(one, torch.tensor([True, True, True]), torch.Generator().manual_seed(7))
    arena.draw(two, torch.tensor([False, True, False]), torch.Generator().manual_seed(7))
    assert torch.equal(one.parameters["geom_pos"][1], two.parameters["geom_pos"][1])
    assert not torch.equal(one.parameters["geom_pos"][0], two.parameters["geom_pos"][0])


def test_a_picture_takes_one_field_and_its_worlds_boxes():
    arena = VariableArena(100.0, 60.0, count=3)
    world = worlds_on(arena)
    arena.ground(world).choose(ALL, torch.tensor([0, 2]))
    picture = PictureModel(world)
    assert picture.follow(1) == [2]
    assert (picture.model.hfield_nrow.tolist(), picture.model.hfield_ncol.tolist()) == ([2, 2, 301], [2, 2, 501])
    start = picture.model.hfield_adr[2]
    drawn = picture.model.hfield_data[start : start + 301 * 501].reshape(301, 501) * picture.model.hfield_size[2, 2]
    drawn += world.model.geom_pos[world.model.geom("ground").id, 2]
    np.testing.assert_allclose(np.maximum(drawn, 0.0), arena.fields.heights[2, ::2, ::2], atol=1e-6)
    assert picture.follow(1) == []
    assert picture.follow(0) == [0, 2]
    assert picture.model.hfield_nrow.tolist() == [301, 2, 2]
    boxes = ObstacleArena(count=4)
    world = worlds_on(boxes)
    boxes.draw(world, ALL, torch.Generator().manual_seed(2))
    picture = PictureModel(world)
    assert picture.follow(1) == []
    np.testing.assert_array_equal(picture.model.geom_size, world.parameters["geom_size"][1])
    assert (world.model.geom_size != picture.model.geom_size).any()
