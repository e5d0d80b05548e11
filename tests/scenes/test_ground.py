"""Ground heights against the engine's own rays, and frames against rotation matrices."""

from functools import partial

import mujoco
import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from embodied.physics.cpu import CpuWorld
from embodied.scenes import Scene
from embodied.scenes.arenas.pooled import PooledArena
from embodied.scenes.frames import from_yaw, rotate, rotate_back, yaw_of
from embodied.scenes.ground import Ground, InclinedGround, LevelGround
from embodied.scenes.terrain.pool import HeightFields
from embodied.senses.height_map import regular_grid
from morphologies import find_body

CELL, X, Y = 0.1, -3.0, -2.5
DOWN = torch.tensor([0.0, 0.0, -1.0], dtype=torch.float64)


class Rubble(PooledArena):
    """Three fields of white noise, the hardest to read exactly."""

    def draw_fields(self):
        heights = np.random.default_rng(0).uniform(0.0, 0.4, (3, 51, 61))
        return HeightFields(heights, CELL, X, Y, np.zeros(3), ("noise",) * 3)


@pytest.fixture(scope="module")
def rubble():
    scene = Scene(Rubble(), {"robot": find_body("ant")})
    world = CpuWorld(scene, 4, scene.varying, threads=1)
    ground = scene.arena.ground(world)
    ground.choose(torch.ones(4, dtype=torch.bool), torch.tensor([2, 0, 1, 2]))
    return world, ground


def by_rays(world, points):
    origins = torch.cat((points, torch.full((*points.shape[:2], 1), 5.0, dtype=torch.float64)), dim=-1)
    distance, geom = world.ray(origins, DOWN.expand_as(origins), groups=[0])
    assert bool((geom == world.model.geom("ground").id).all())
    return 5.0 - distance


def test_heights_are_those_that_rays_meet_on_each_world_s_own_field(rubble):
    world, ground = rubble
    generator = torch.Generator().manual_seed(0)
    points = torch.rand(4, 500, 2, generator=generator, dtype=torch.float64) * torch.tensor([5.98, 4.98])
    points += torch.tensor([X + 0.01, Y + 0.01])
    np.testing.assert_allclose(ground.height(points), by_rays(world, points), atol=1e-6)


def test_the_window_turns_and_moves_with_its_centre(rubble):
    world, ground = rubble
    centres = torch.tensor([[-1.0, 0.3], [0.0, 0.0], [0.7, -0.4], [0.11, 0.77]], dtype=torch.float64)
    yaw = torch.tensor([0.0, 0.7, -2.9, 1.57], dtype=torch.float64)
    along, across = torch.tensor([-0.5, 0.0, 0.3, 1.2]).double(), torch.tensor([-0.4, 0.0, 0.9]).double()
    grid = torch.stack((along.repeat_interleave(3), across.repeat(4), torch.zeros(12)), dim=-1)
    turned = torch.from_numpy(np.stack([Rotation.from_euler("z", angle).apply(grid.numpy()) for angle in yaw.tolist()]))
    points = turned[..., :2] + centres[:, None]
    seen = ground.window(centres, yaw, along, across)
    assert seen.dtype == torch.float32
    assert seen.shape == (4, 4, 3)
    np.testing.assert_allclose(seen.flatten(1), by_rays(world, points), atol=1e-4)  # positions are single here
    np.testing.assert_allclose(seen, Ground.window(ground, centres, yaw, along, across), atol=1e-4)


class Islands(PooledArena):
    """Level ground with a few bumps of one sample each."""

    def draw_fields(self):
        rng = np.random.default_rng(4)
        heights = np.zeros((2, 301, 401))
        for field in heights:
            field[rng.integers(1, 300, 100), rng.integers(1, 400, 100)] = rng.uniform(0.1, 0.5, 100)
        return HeightFields(heights, CELL, -20.0, -15.0, np.zeros(2), ("islands",) * 2)


def test_no_bump_is_lost_where_level_windows_are_left_out():
    scene = Scene(Islands(), {"robot": find_body("ant")})
    worlds = 400
    world = CpuWorld(scene, worlds, scene.varying, threads=1)
    ground = scene.arena.ground(world)
    generator = torch.Generator().manual_seed(0)
    ground.draw(torch.ones(worlds, dtype=torch.bool), generator)
    centres = (torch.rand(worlds, 2, generator=generator, dtype=torch.float64) - 0.5) * torch.tensor([39.8, 29.8])
    yaw = 6.3 * torch.rand(worlds, generator=generator, dtype=torch.float64)
    along, across = regular_grid(behind=0.3, ahead=1.1, aside=0.7, spacing=0.05)
    seen, expected = (of(centres, yaw, along, across) for of in (ground.window, partial(Ground.window, ground)))
    np.testing.assert_allclose(seen, expected, atol=1e-4)
    level = (expected == 0).flatten(1).all(dim=1).double().mean()
    assert 0.2 < level < 0.9  # both kinds of window are there


def test_beyond_the_field_the_height_is_that_of_its_edge(rubble):
    _, ground = rubble
    outside = torch.tensor([[[50.0, 0.0], [-50.0, 0.0], [0.0, 1e9], [float("nan"), 0.0]]] * 4, dtype=torch.float64)
    edge = torch.tensor([[[3.0, 0.0], [X, 0.0], [0.0, 2.5], [X, Y]]] * 4, dtype=torch.float64)
    got, expected = ground.height(outside), ground.height(edge)
    np.testing.assert_array_equal(got[:, :3], expected[:, :3])
    assert bool(torch.isfinite(got).all())
    far = torch.tensor([[1e6, -1e6], [float("inf"), 0.0], [float("nan"), 0.0], [0.0, 0.0]], dtype=torch.float64)
    assert bool(torch.isfinite(ground.window(far, torch.zeros(4).double(), DOWN[:1], DOWN[:1])).all())


def test_choosing_a_field_touches_the_masked_worlds_alone_and_reaches_the_physics(rubble):
    world, ground = rubble
    before = ground.field_ids.clone()
    mask = torch.tensor([True, False, True, False])
    ground.choose(mask, torch.tensor([1, 1, 1, 1]))
    assert ground.field_ids.tolist() == [1, int(before[1]), 1, int(before[3])]
    points = torch.rand(4, 50, 2, dtype=torch.float64, generator=torch.Generator().manual_seed(3)) - 0.5
    np.testing.assert_allclose(ground.height(points), by_rays(world, points), atol=1e-6)
    ground.choose(torch.ones(4, dtype=torch.bool), before)


def test_drawing_fields_is_seeded_and_even(rubble):
    _, ground = rubble
    before = ground.field_ids
    everywhere = torch.ones(4, dtype=torch.bool)
    generator = torch.Generator().manual_seed(1)
    drawn = []
    for _ in range(300):
        ground.draw(everywhere, generator)
        drawn.append(ground.field_ids)
    counts = torch.bincount(torch.cat(drawn), minlength=3)
    assert int(counts.min()) > 330  # of 400 expected; six standard deviations
    again = torch.Generator().manual_seed(1)
    ground.draw(everywhere, again)
    assert torch.equal(ground.field_ids, drawn[0])
    ground.choose(everywhere, before)


def test_level_and_inclined_grounds_are_planes():
    points = torch.tensor([[[1.0, 2.0], [-3.0, 0.5]]], dtype=torch.float64)
    assert LevelGround().height(points).tolist() == [[0.0, 0.0]]
    np.testing.assert_allclose(InclinedGround(0.5).height(points), [[0.5, -1.5]])


@given(st.lists(st.floats(-1, 1), min_size=4, max_size=4), st.lists(st.floats(-10, 10), min_size=3, max_size=3))
def test_turning_by_quaternions_is_turning_by_their_matrices(quat, vector):
    array = np.array(quat)
    if np.linalg.norm(array) < 0.1:
        return
    array /= np.linalg.norm(array)
    matrix = np.zeros(9)
    mujoco.mju_quat2Mat(matrix, array)
    matrix = matrix.reshape(3, 3)
    q, v = torch.from_numpy(array), torch.tensor(vector, dtype=torch.float64)
    np.testing.assert_allclose(rotate(q, v), matrix @ np.array(vector), atol=1e-12)
    np.testing.assert_allclose(rotate_back(q, v), matrix.T @ np.array(vector), atol=1e-12)


def test_yaw_is_the_heading_whatever_the_tilt():
    for yaw in (-3.0, -1.0, 0.0, 0.4, 2.5):
        turn = from_yaw(torch.tensor(yaw, dtype=torch.float64))
        assert float(yaw_of(turn)) == pytest.approx(yaw)
        x, y, z, w = (Rotation.from_euler("z", yaw) * Rotation.from_euler("yx", [0.6, -0.4])).as_quat()
        tilted = torch.tensor([w, x, y, z])
        ahead = Rotation.from_quat([x, y, z, w]).apply([1.0, 0.0, 0.0])
        assert float(yaw_of(tilted)) == pytest.approx(np.arctan2(ahead[1], ahead[0]))
