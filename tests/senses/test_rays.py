"""Lidar and depth camera against the geometry of a room made of planes."""

import math

import mujoco
import numpy as np
import pytest
import torch

from embodied.physics.cpu import CpuWorld
from embodied.scenes import Scene
from embodied.scenes.arenas.flat import FlatArena
from embodied.scenes.props import box
from embodied.senses.rays import DepthCamera, Lidar
from morphologies import find_body

WALL = 4.0


class Room(FlatArena):
    """A wall across x = 4 m, 10 m high and 40 m wide."""

    def spec(self):
        spec = super().spec()
        spec.worldbody.add_geom(type=mujoco.mjtGeom.mjGEOM_BOX, pos=[WALL + 0.5, 0, 5], size=[0.5, 20, 5])
        return spec


@pytest.fixture(scope="module")
def room():
    scene = Scene(Room(), {"robot": find_body("ant")}, props={"box": box(0.3, 1.0)}, places={"box": (-2.0, 0.0)})
    world = CpuWorld(scene, 2, threads=1)
    return world, scene.entities["robot"].view(world), scene.entities["box"].view(world)


def stand(world, robot, quats, position=(0.0, 0.0, 0.3)):
    pose = torch.tensor([[*position, *quat] for quat in quats], dtype=torch.float64)
    robot.set_root_pose(pose, torch.ones(2, dtype=torch.bool))
    world.forward()


def turn(axis, angle):
    quat = [math.cos(angle / 2), 0.0, 0.0, 0.0]
    quat["xyz".index(axis) + 1] = math.sin(angle / 2)
    return quat


def test_the_lidar_measures_the_room_and_not_the_body(room):
    world, robot, _ = room
    lidar = Lidar(robot, world, rays=8, reach=20.0)
    stand(world, robot, [turn("z", 0.0), turn("z", math.pi / 4)])
    diagonal = WALL * math.sqrt(2)
    box_corner = 1.7  # its near face, straight behind
    np.testing.assert_allclose(
        lidar.read(),
        [
            [WALL, diagonal, 20.0, 20.0, box_corner, 20.0, 20.0, diagonal],
            [diagonal, 20.0, 20.0, box_corner, 20.0, 20.0, diagonal, WALL],
        ],
        atol=1e-9,
    )


def test_the_lidar_stays_level_when_the_body_tilts(room):
    world, robot, _ = room
    lidar = Lidar(robot, world, rays=4, reach=10.0, height=0.1)
    stand(world, robot, [turn("y", 0.5), turn("x", -0.7)])
    np.testing.assert_allclose(lidar.read(), [[WALL, 10.0, 1.7, 10.0]] * 2, atol=1e-9)


def test_depth_is_measured_along_the_optical_axis(room):
    world, robot, _ = room
    camera = DepthCamera(robot, world, width=9, height=5, reach=8.0, mount=(0.1, 0.0, 0.4))
    stand(world, robot, [turn("z", 0.0)] * 2)
    seen = camera.read().unflatten(1, (5, 9))
    half = math.tan(math.radians(30))
    pixel = 2 * half / 9
    for row in range(5):
        up = -(row - 2) * pixel
        floor = 0.7 / -up if up < 0 else math.inf
        np.testing.assert_allclose(seen[0, row], min(WALL - 0.1, floor), atol=1e-9)


def test_a_camera_pitched_down_sees_the_floor_where_it_points(room):
    world, robot, _ = room
    pitch = math.radians(40)
    camera = DepthCamera(robot, world, width=1, height=1, pitch=pitch)
    stand(world, robot, [turn("z", 0.0), turn("y", math.radians(10))])
    np.testing.assert_allclose(camera.read()[:, 0], [0.3 / math.sin(pitch), 0.3 / math.sin(pitch + math.radians(10))])


def test_both_say_what_they_are(room):
    world, robot, _ = room
    (lidar,), (depth,) = Lidar(robot, world).terms, DepthCamera(robot, world).terms
    assert (lidar.size, lidar.unit, lidar.limit) == (128, "m", 20.0)
    assert (depth.size, depth.shape, depth.limit) == (768, (24, 32), 5.0)
