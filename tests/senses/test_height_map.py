"""The height map against rays, and its grid against the figures DERL's code gives."""

import numpy as np
import torch

import embodied
from embodied.senses.height_map import HeightMap, regular_grid, thinned, thinned_grid

ASIDE = [*range(14), 15, 16, 17, 18, 20, 22, 24, 28, 32, 40]


def test_the_thinned_grid_is_derl_s():
    along, across = thinned_grid()
    assert thinned(40) == ASIDE
    np.testing.assert_allclose(along, 0.1 * np.array([-10, -6, -5, -3, -2, -1, *ASIDE]))
    np.testing.assert_allclose(across, 0.1 * np.array([*(-a for a in ASIDE[:0:-1]), *ASIDE]))
    assert len(along) * len(across) == 1410


def test_a_regular_grid_holds_both_ends():
    along, across = regular_grid(behind=0.8, ahead=0.8, aside=0.5, spacing=0.1)
    assert (len(along), len(across)) == (17, 11)
    np.testing.assert_allclose([along[0], along[-1], across[0], across[-1]], [-0.8, 0.8, -0.5, 0.5])


def test_what_is_seen_on_variable_terrain_is_what_rays_meet_less_the_ground_underneath():
    env = embodied.make("variable", "ant", num_worlds=3, seed=1, threads=1)
    env.reset()
    robot = env.env.scene.entities["robot"].view(env.world)
    pose = robot.root_pose
    pose[:, 0] = torch.tensor([12.0, 31.0, 55.5])
    pose[:, 1] = torch.tensor([-3.3, 0.0, 7.1])
    pose[:, 2] = 2.5
    half = torch.tensor([0.3, -1.2, 1.5]) / 2
    pose[:, 3:] = torch.stack((half.cos(), torch.zeros(3), torch.zeros(3), half.sin()), dim=-1)
    robot.set_root_pose(pose, torch.ones(3, dtype=torch.bool))
    env.world.forward()
    sense = HeightMap(robot, env.env.task.ground)
    seen = sense.read().flatten(1).numpy()
    assert np.ptp(seen, axis=1).max() > 0.3
    along, across = thinned_grid()
    grid = torch.cartesian_prod(along, across)
    yaw = (2 * half)[:, None].double()
    x = pose[:, :1] + yaw.cos() * grid[:, 0] - yaw.sin() * grid[:, 1]
    y = pose[:, 1:2] + yaw.sin() * grid[:, 0] + yaw.cos() * grid[:, 1]
    origins = torch.stack((x, y, torch.full_like(x, 10.0)), dim=-1)
    origins = torch.cat((origins, torch.cat((pose[:, :2], torch.full((3, 1), 10.0)), dim=-1)[:, None]), dim=1)
    down = torch.tensor([0.0, 0.0, -1.0], dtype=torch.float64).expand_as(origins)
    distance, geom = env.world.ray(origins, down, groups=[0])
    heights = 10.0 - distance
    ground = [env.world.model.geom(name).id for name in ("ground", "level")]  # walls are no part of it
    on_ground = np.isin(geom.numpy()[:, :-1], ground)
    expected = (heights[:, :-1] - heights[:, -1:]).numpy()
    np.testing.assert_allclose(seen[on_ground], expected[on_ground], atol=2e-4)
    assert on_ground.mean() > 0.9


def test_the_sense_names_its_shape_and_unit():
    env = embodied.make("variable", "ant", num_worlds=1, threads=1)
    (term,) = env.observation_spec.groups["height_map"]
    assert (term.shape, term.size, term.unit) == ((30, 47), 1410, "m")
    assert env.reset()[0]["height_map"].shape == (1, 1410)
    assert "30x47" in str(env.observation_spec)
