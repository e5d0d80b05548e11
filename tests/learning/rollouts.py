"""A policy and rollouts of the short flat task, in which episodes end both ways."""

import torch

from embodied.learning.collect import Position, collect
from embodied.learning.experience import Experience
from embodied.networks import ActorCritic, PolicyShape
from tests.envs.short import short


def policy_for(env, seed=0):
    shape = PolicyShape(
        {name: space.shape[0] for name, space in env.observation_space.spaces.items()},
        env.action_space.shape[0],
        hidden=(16, 16),
    )
    return ActorCritic(shape, torch.Generator().manual_seed(seed))


class Rollouts:
    """Collects one experience after another, each a new object."""

    def __init__(self, policy=None, num_worlds=4, steps=24, limit=30, seed=0):
        self.env = short(num_worlds, limit, body="biped")
        self.policy = policy or policy_for(self.env)
        self.steps = steps
        self.position = Position(self.env.reset(seed=seed)[0], ())
        self.generator = torch.Generator().manual_seed(seed)
        self.discounted = torch.zeros(num_worlds)

    def next(self):
        experience = Experience(self.steps, self.env.num_worlds, self.env.observation_space, self.env.action_space)
        experience.discounted_return.copy_(self.discounted)
        self.episodes = collect(self.env, self.policy, experience, self.position, self.generator)
        return experience
