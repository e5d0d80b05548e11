"""The same task twice: on the CPU, and beside it as on a device, shown the same worlds, memory and chance."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from embodied.envs import Env
from embodied.envs.make import bodies_of
from embodied.senses import DeviceObservationSpec
from embodied.tasks import Task
from embodied.testing.mirror_world import MirrorWorld
from morphologies import Body

SENSED, FELT = 1e-4, 1e-3
"""Largest difference of observations and states, and of rewards, metrics and memory, per 1 + the size of the number."""


class Alongside:
    """A task in its CPU environment, and another one that sees it as if it were on a device.

    Each call does the same with both and asserts that they did, gave and remembered the same.
    """

    def __init__(
        self, make_task: Callable[[], Task], body: str | Body | None = None, num_worlds: int = 3, seed: int = 3
    ) -> None:
        """Takes what gives a fresh task each time; the others as for `make`."""
        self.task, self.other = make_task(), make_task()
        bodies = bodies_of(self.task, body)
        self.env = Env(self.task, bodies, num_worlds, seed, threads=1)
        """Where the first of them is played. Worlds may be changed, memory written, between calls."""
        self.mirror = MirrorWorld(self.env.world)
        self.generator = torch.Generator()
        self.other.start(self.other.scene(bodies), self.mirror, self.generator)
        self.spec = DeviceObservationSpec(self.other.senses(), self.mirror.device)

    def _meet(self) -> None:
        """Gives the other one the same worlds, memory and chance."""
        for name, value in self.other.memory.items():
            value.copy_(self.task.memory[name])
        self.mirror.follow()
        self.generator.set_state(self.env.generator.get_state())

    def reset(self, mask: Tensor) -> None:
        """Begins an episode where the mask holds."""
        self.env.world.reset(mask)
        self._meet()
        self.task.reset(mask)
        self.other.reset(mask)
        self._compare_worlds("reset")
        self.env.world.forward(mask)
        self.mirror.follow()
        self.task.begin(mask)
        self.other.begin(mask)
        self._compare_memory("begin")

    def step(self, actions: Tensor) -> None:
        """A control step."""
        self._meet()
        self.task.act(actions)
        self.other.act(actions)
        self._compare_worlds("act")
        self._compare_memory("act")
        self.env.world.step(self.env.scene.decimation)
        self._meet()
        rewards, others = self.task.rewards(), self.other.rewards()
        assert rewards.keys() == others.keys(), "rewards have other terms on a device"
        for name, term in rewards.items():
            _near(others[name], term, FELT, f"the reward term {name}")
        assert torch.equal(self.other.terminated(), self.task.terminated()), "other episodes end on a device"
        seen, shown = self.env.spec.read(), self.spec.read()
        for name, group in seen.items():
            _near(shown[name], group, SENSED, f"the observation group {name}")
        outside = self.env.spec.outside(seen)
        expected = torch.zeros(self.env.num_worlds, dtype=torch.bool) if outside is None else outside
        assert torch.equal(self.spec.outside(shown), expected), "other observations leave their space on a device"
        measured = self.other.metrics()
        for name, value in self.task.metrics().items():
            _near(measured[name], value, FELT, f"the metric {name}")
        self._compare_memory("a step")

    def _compare_worlds(self, after: str) -> None:
        for name, (here, there) in self.mirror.shown().items():
            _near(here, there, SENSED, f"after {after}, {name}")

    def _compare_memory(self, after: str) -> None:
        assert self.other.memory.keys() == self.task.memory.keys(), "other things are remembered on a device"
        for name, value in self.task.memory.items():
            _near(self.other.memory[name], value, FELT, f"after {after}, the memory {name}")


def _near(here: Tensor, there: Tensor, tolerance: float, what: str) -> None:
    assert here.shape == there.shape, f"{what} is {tuple(here.shape)} on a device and {tuple(there.shape)} on the CPU"
    gap = (here.double() - there.double()).abs() / (1.0 + there.double().abs())
    same = (gap <= tolerance) | (here == there.to(here.dtype))
    assert bool(same.all()), f"{what} differs from the CPU's by up to {float(gap.nan_to_num(torch.inf).max()):.2g}"
