"""The flat task with short episodes, so that their ends are met within a test."""

import torch

from embodied.envs import AutoresetEnv, Env
from embodied.tasks.flat import Flat
from morphologies import find_body


class ShortFlat(Flat):
    """Flat, truncated after a few steps."""

    def __init__(self, steps):
        super().__init__()
        self.episode_steps = steps


def plain(num_worlds=3, steps=1000, body="ant", seed=0, threads=None):
    """An Env: it never resets by itself."""
    return Env(ShortFlat(steps), {"robot": find_body(body)}, num_worlds, seed, threads)


def short(num_worlds=3, steps=1000, body="ant", seed=0, threads=None):
    """The same as learners see it."""
    return AutoresetEnv(plain(num_worlds, steps, body, seed, threads))


def actions_for(env, steps, seed=0):
    """(steps, W, n) uniform within the limits."""
    generator = torch.Generator().manual_seed(seed)
    return torch.rand(steps, env.num_worlds, *env.action_space.shape, generator=generator) * 2 - 1


def put(env, world, **place):
    """Moves one world's robot to an x, y or z."""
    env = getattr(env, "env", env)
    robot = env.scene.entities["robot"].view(env.world)
    pose = robot.root_pose
    for axis, value in place.items():
        pose[world, "xyz".index(axis)] = value
    mask = torch.zeros(env.num_worlds, dtype=torch.bool)
    mask[world] = True
    robot.set_root_pose(pose, mask)
    env.world.forward(mask)
    return mask
