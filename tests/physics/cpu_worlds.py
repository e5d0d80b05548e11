"""CPU Worlds to test: started apart from each other, driven, and their twins in plain MuJoCo."""

import mujoco
import numpy as np
import torch

from embodied.physics.cpu import CpuWorld
from embodied.scenes import Scene
from embodied.scenes.arenas.flat import FlatArena
from morphologies import find_body

SUBSTEPS = 4
ANT = Scene(FlatArena(), {"robot": find_body("ant")})
TORSO = ANT.model.body("robot/torso/0").id


def started(num_worlds, threads=1, varying=(), height=0.35, seed=0):
    """A World whose worlds differ: just above the ground, with velocities of their own."""
    world = CpuWorld(ANT, num_worlds, varying=varying, threads=threads)
    rng = np.random.default_rng(seed)
    world.field("qpos")[:, 2] = height
    world.field("qvel")[:] = torch.from_numpy(rng.uniform(-0.5, 0.5, (num_worlds, ANT.model.nv)))
    return world


def controls(steps, num_worlds, seed=1):
    return torch.from_numpy(np.random.default_rng(seed).uniform(-1, 1, (steps, num_worlds, ANT.model.nu)))


def drive(world, actions):
    for action in actions:
        world.field("ctrl").copy_(action)
        world.step(SUBSTEPS)


def twins_of(world, model=ANT.model):
    """An MjData per world, in its state."""
    twins = []
    for qpos, qvel in zip(world.field("qpos").numpy(), world.field("qvel").numpy(), strict=True):
        data = mujoco.MjData(model)
        data.qpos[:], data.qvel[:] = qpos, qvel
        twins.append(data)
    return twins


def same(one, other):
    assert one.dtype == other.dtype
    np.testing.assert_array_equal(one.numpy(), other.numpy())
