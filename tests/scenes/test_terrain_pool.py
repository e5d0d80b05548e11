"""Pools of height fields: what the engine makes of them, per world."""

import gc
import re

import mujoco
import numpy as np
import pytest
import torch

from embodied.physics.cpu import CpuWorld
from embodied.scenes.ground import FieldGround
from embodied.scenes.terrain import HeightFields

RADIUS = 0.1


def pool(heights, cell=0.1, x=-1.0, y=-2.0):
    heights = np.asarray(heights, dtype=np.float32)
    return HeightFields(heights, cell, x, y, np.zeros(len(heights)), ("test",) * len(heights))


class Compiled:
    """A pool alone, or with a ball over it."""

    def __init__(self, fields, ball=None):
        spec = mujoco.MjSpec()
        fields.add_to(spec)
        if ball is not None:
            body = spec.worldbody.add_body(name="ball", pos=ball)
            body.add_freejoint()
            body.add_geom(type=mujoco.mjtGeom.mjGEOM_SPHERE, size=[RADIUS, 0, 0], mass=1)
        self.model = spec.compile()
        fields.write(self.model)


def random_pool(count=3, seed=0):
    return pool(np.random.default_rng(seed).uniform(-0.7, 1.1, (count, 41, 31)))


def test_rays_meet_every_sample_at_its_height():
    fields = random_pool()
    model = Compiled(fields).model
    data = mujoco.MjData(model)
    for field in range(3):
        model.geom_dataid[model.geom("ground").id] = fields.asset_ids(model)[field]
        mujoco.mj_forward(model, data)
        for row, column in ((1, 1), (7, 22), (39, 29), (20, 15)):
            origin = np.array([-1 + 0.1 * column + 1e-9, -2 + 0.1 * row + 2e-9, 5.0])
            distance = mujoco.mj_ray(model, data, origin, np.array([0, 0, -1.0]), None, 1, -1, np.zeros(1, np.int32))
            assert 5 - distance == pytest.approx(fields.heights[field, row, column], abs=1e-6)


def test_rays_of_worlds_agree_with_the_heights_looked_up():
    fields = random_pool()
    world = CpuWorld(Compiled(fields), 4, varying=("geom_dataid",))
    ground = FieldGround(fields, world)
    ids = torch.tensor([2, 0, 1, 2])
    ground.choose(torch.ones(4, dtype=torch.bool), ids)
    assert ground.field_ids.tolist() == ids.tolist()
    world.forward()
    points = torch.rand((4, 200, 2), dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    points = points * torch.tensor([2.98, 3.98]) + torch.tensor([-0.99, -1.99])
    origins = torch.cat((points, torch.full((4, 200, 1), 4.0)), dim=-1)
    down = torch.tensor([0, 0, -1.0], dtype=torch.float64).expand_as(origins).contiguous()
    distance, _ = world.ray(origins, down)
    torch.testing.assert_close(ground.height(points).double(), 4 - distance, atol=1e-6, rtol=0)
    assert not torch.equal(distance[0], distance[1])


def test_balls_rest_on_the_field_of_their_world():
    levels = [-0.6, 0.0, 0.85]
    fields = pool(np.stack([np.full((21, 21), level) for level in levels]), x=-1, y=-1)
    world = CpuWorld(Compiled(fields, ball=(0.03, 0.02, 1.2)), 3, varying=("geom_dataid",))
    FieldGround(fields, world).choose(torch.ones(3, dtype=torch.bool), torch.arange(3))
    world.step(2500)
    heights = world.field("qpos")[:, 2]
    np.testing.assert_allclose(heights, np.array(levels) + RADIUS, atol=2e-3)


def test_nothing_falls_through_the_lowest_ground():
    heights = np.zeros((1, 21, 21))
    heights[0, 8:13, 8:13] = -1.0
    world = CpuWorld(Compiled(pool(heights, x=-1, y=-1), ball=(0, 0, 3)), 1)
    world.step(3000)
    assert world.field("qpos")[0, 2] == pytest.approx(-1 + RADIUS, abs=5e-3)


def test_heights_lie_in_the_engine_exactly_and_within_its_bounding_box():
    fields = random_pool()
    model = Compiled(fields).model
    elevation = model.hfield_size[0, 2]
    lowest = model.geom("ground").pos[2]
    stored = model.hfield_data.reshape(fields.heights.shape).astype(np.float64)
    np.testing.assert_array_equal(lowest + elevation * stored, fields.heights.astype(np.float64))
    assert stored.min() == 0
    assert stored.max() <= 1
    assert (model.hfield_size == model.hfield_size[0]).all()


def test_a_pool_of_level_fields_compiles():
    model = Compiled(pool(np.zeros((2, 5, 5)), x=-0.2, y=-0.2)).model
    data = mujoco.MjData(model)
    mujoco.mj_forward(model, data)
    distance = mujoco.mj_ray(
        model, data, np.array([0.01, 0.02, 1]), np.array([0, 0, -1.0]), None, 1, -1, np.zeros(1, np.int32)
    )
    assert distance == pytest.approx(1, abs=1e-9)


@pytest.mark.parametrize(
    ("heights", "difficulties", "kinds", "message"),
    [
        (np.zeros((5, 5)), np.zeros(5), ("a",) * 5, "at least (1, 2, 2)"),
        (np.full((1, 3, 3), np.nan), np.zeros(1), ("a",), "finite"),
        (np.arange(9.0).reshape(1, 3, 3) * 3, np.zeros(1), ("a",), "span 16 m at most"),
        (np.zeros((2, 3, 3)), np.zeros(1), ("a", "b"), "2 fields"),
        (np.zeros((2, 3, 3)), np.zeros(2), ("a",), "2 fields"),
    ],
)
def test_bad_pools_are_refused_with_the_reason(heights, difficulties, kinds, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        HeightFields(heights, 0.1, 0, 0, difficulties, kinds)


def resident():
    gc.collect()
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * 4096


def test_memory_does_not_grow_with_the_number_of_worlds():
    fields = pool(np.random.default_rng(0).uniform(0, 1, (4, 401, 601)))
    scene = Compiled(fields, ball=(0, 0, 2))
    size = fields.heights[0].nbytes
    assert scene.model.nhfielddata == fields.heights.size
    used = []
    for worlds in (8, 64):
        before = resident()
        world = CpuWorld(scene, worlds, varying=("geom_dataid",))
        world.step(1)
        used.append(resident() - before)
        world.close()
    # Both share one pool; a field for each of the other 56 worlds would be 56 times its size, and the allocator has
    # its own ideas of some megabytes.
    assert used[1] - used[0] < 56 * size / 2


def triangle(heights, x, y):
    """The height at a place of the pool above, from the corners of the triangle that it lies in."""
    column, row = (x + 1) / 0.1, (y + 2) / 0.1
    i, j = int(row), int(column)
    a, c = column - j, row - i
    h = heights[i : i + 2, j : j + 2]
    if a >= c:
        return h[0, 0] + a * (h[0, 1] - h[0, 0]) + c * (h[1, 1] - h[0, 1])
    return h[0, 0] + c * (h[1, 0] - h[0, 0]) + a * (h[1, 1] - h[1, 0])


def test_level_parts_are_a_plane_and_no_height_is_lost_where_they_meet_the_field():
    heights = np.zeros((1, 41, 61))
    heights[0, :, 20:30] = np.linspace(0.0, 0.5, 10)
    heights[0, 10:14, 40:44] = 0.03
    model = Compiled(pool(heights)).model
    data = mujoco.MjData(model)
    mujoco.mj_forward(model, data)
    hit = {"ground": 0, "level": 0}
    for x, y in np.random.default_rng(0).uniform((-0.99, -1.99), (4.99, 1.99), (2000, 2)):
        geom = np.zeros(1, dtype=np.int32)
        distance = mujoco.mj_ray(model, data, np.array([x, y, 4.0]), np.array([0.0, 0.0, -1.0]), None, 1, -1, geom)
        assert 4.0 - distance == pytest.approx(triangle(heights[0], x, y), abs=1e-6)
        hit[model.geom(int(geom[0])).name] += 1
    assert min(hit.values()) > 100


def test_ground_that_goes_below_its_level_has_no_plane():
    heights = np.zeros((1, 11, 11))
    heights[0, 5, 5] = -0.1
    assert not pool(heights).has_level
    assert mujoco.mj_name2id(Compiled(pool(heights)).model, mujoco.mjtObj.mjOBJ_GEOM, "level") == -1
