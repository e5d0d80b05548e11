"""Scenes and worlds that the tests of the GPU World share, on Warp's CPU device; kernels are compiled once for all.

The friction cone is elliptic: with the pyramid the two engines turn it another way under steep capsules.
"""

from functools import cache

import mujoco
import numpy as np
import torch

from embodied.physics.gpu import GpuWorld
from embodied.scenes import Scene
from embodied.scenes.arenas.flat import FlatArena
from morphologies import find_body

DEVICE = "warp-cpu"
SUBSTEPS = 4


def elliptic(arena, body, varying=()):
    scene = Scene(arena, {"robot": body}, varying=varying)
    scene.model.opt.cone = mujoco.mjtCone.mjCONE_ELLIPTIC
    return scene


@cache
def ant(varying=()):
    return elliptic(FlatArena(), find_body("ant"), varying)


def started(num_worlds, scene=None, height=0.35, seed=0, **options):
    """A World whose worlds differ: just above the ground, with velocities of their own."""
    scene = scene or ant()
    world = GpuWorld(scene, num_worlds, scene.varying, DEVICE, **options)
    rng = np.random.default_rng(seed)
    world.field("qpos")[:, 2] = height
    world.field("qvel")[:] = torch.from_numpy(rng.uniform(-0.5, 0.5, (num_worlds, scene.model.nv)))
    return world


def controls(steps, num_worlds, seed=1, scene=None):
    """(steps, W, actuators) Random, within the limits."""
    model = (scene or ant()).model
    limited = model.actuator_ctrllimited[:, None].astype(bool)
    low, high = np.where(limited, model.actuator_ctrlrange, [[-1.0, 1.0]]).T
    rng = np.random.default_rng(seed)
    return torch.from_numpy(rng.uniform(low, high, (steps, num_worlds, model.nu))).float()


def drive(world, actions):
    for action in actions:
        world.field("ctrl").copy_(action)
        world.step(SUBSTEPS)


def same(one, other):
    assert one.dtype == other.dtype
    np.testing.assert_array_equal(one.numpy(), other.numpy())


def near(one, other, tolerance):
    np.testing.assert_allclose(one.double().numpy(), other.double().numpy(), rtol=0, atol=tolerance)
