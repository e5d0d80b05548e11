"""A task that counts: each world's control steps are its reward and its observation, and it ends when it is told to."""

import torch

from embodied.envs import AutoresetEnv, Env
from embodied.senses.remembered import Remembered
from embodied.senses.sense import Term
from embodied.tasks.flat import Flat
from morphologies import find_body


class Counting(Flat):
    """Rewards: 1 a step, and the number of the step."""

    starts_alike = False

    def __init__(self, limit, ends):
        super().__init__()
        self.episode_steps, self.ends = limit, torch.tensor(ends)

    def start(self, scene, world, generator):
        super().start(scene, world, generator)
        self.memory["count"] = torch.zeros(world.num_worlds, 1, dtype=torch.float64)
        self.memory["drawn"] = torch.zeros(world.num_worlds, 1, dtype=torch.float64)

    def senses(self):
        count = Remembered(Term("count", 1, "1", 1e6), self.memory["count"])
        drawn = Remembered(Term("drawn", 1, "1", 1e6), self.memory["drawn"])
        return {**super().senses(), "count": (count,), "drawn": (drawn,)}

    def begin(self, mask):
        super().begin(mask)
        self.memory["count"][mask] = 0.0
        drawn = torch.rand(len(mask), 1, dtype=torch.float64, generator=self.generator)
        self.memory["drawn"][mask] = drawn[mask]

    def act(self, actions):
        super().act(actions)
        self.memory["count"] += 1.0

    def rewards(self):
        super().rewards()
        count = self.memory["count"][:, 0]
        return {"one": torch.ones_like(count), "count": count.clone()}

    def terminated(self):
        return self.memory["count"][:, 0] >= self.ends

    def metrics(self):
        return {"reached": self.memory["count"][:, 0].clone()}


def counting(limit=100, ends=(1000, 1000, 1000), seed=0):
    """As learners see it."""
    task = Counting(limit, ends)
    return AutoresetEnv(Env(task, {"robot": find_body("biped")}, len(ends), seed, 1))
