"""DeviceEnv: a Task played in a World whose state lies on a device. Nothing in a control step waits for the device.

What `Env` is for worlds on CPU threads, and the same calls. There the few worlds that something happens to are looked
up and visited; here everything is done for all worlds, and a mask says where it counts.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

import torch
from torch import Tensor

from embodied.envs.device_starts import DeviceStartPool, DeviceStarts
from embodied.envs.played_task import PlayedTask
from embodied.physics.devices import is_gpu_world, open_world
from embodied.scenes import Scene
from embodied.senses import DeviceObservationSpec
from embodied.tasks import Task
from embodied.vector_env import Observation
from morphologies import Body

if TYPE_CHECKING:  # it needs the extra gpu
    from embodied.physics.gpu import GpuWorld


@dataclass(frozen=True)
class DeviceTransition:
    """What one control step led to, on the device, (W,) or (W, …) each."""

    observation: Observation
    terms: Tensor
    """(terms, W) float32: the reward's terms, in the order of `DeviceEnv.term_names`."""
    terminated: Tensor
    unhealthy: Tensor
    """Among the terminated: worlds whose physics failed or whose observation left its space."""


class DeviceEnv(PlayedTask["GpuWorld", DeviceObservationSpec]):
    """W worlds on a device in which one task is played. It never resets by itself."""

    def __init__(
        self, task: Task, bodies: Mapping[str, Body], num_worlds: int, device: str = "cuda", seed: int = 0
    ) -> None:
        """Composes the scene and makes the worlds.

        Args:
            task: must not serve another environment.
            bodies: one per agent of the task, by its name.
            num_worlds: W.
            device: ``cuda``, ``cuda:N`` or ``warp-cpu``; see `embodied.physics.devices`.
            seed: of everything random in here.

        Raises:
            UserError: there is no such device, or it cannot hold the scene's model.
            ValueError: the device is the CPU, whose threads are for an `Env`.
        """
        if not is_gpu_world(device):
            raise ValueError(f"an Env is for worlds on {device}, not a DeviceEnv")
        self.task, self._device_name = task, device
        super().__init__(task, self._scene(bodies), lambda _: self._world(num_worlds), DeviceObservationSpec, seed)
        self.device = self.world.device
        self.not_finite = torch.zeros(len(self.term_names), dtype=torch.int64, device=self.device)
        """(terms,) How often each term of the reward was not finite in a healthy world."""

    def _scene(self, bodies: Mapping[str, Body]) -> Scene:
        return self.task.scene(bodies)

    def _world(self, num_worlds: int) -> GpuWorld:
        return cast("GpuWorld", open_world(self.scene, num_worlds, self.scene.varying, self._device_name))

    def reset(self, mask: Tensor) -> Observation:
        """Begins an episode where the mask holds; returns the observation of all worlds.

        The forward pass it takes is one of all worlds, whatever the mask: a quarter of a control step.
        """
        self.world.reset(mask)
        self.task.reset(mask)
        self.world.forward(mask)
        self.task.begin(mask)
        return self._show(mask, self.spec.read())

    def start_pool(self, size: int) -> DeviceStartPool:
        """A pool of starts for `begin_at`, for a task that says its starts are alike."""
        return DeviceStartPool(copy.deepcopy(self._unstarted), self.scene, self._world(size), self.generator)

    def begin_at(self, mask: Tensor, starts: DeviceStarts) -> Observation:
        """Begins episodes at given starts, one per world, where the mask holds; returns the observation of all worlds.

        Derived fields of those worlds follow at the next step.
        """
        self.world.set_state(starts.state, mask, derive=False)
        _write(mask, starts.memory, self.task.memory)
        _write(mask, starts.parameters, {**self.world.parameters, **self.world.constants})
        return self._show(mask, starts.observation)

    def _show(self, mask: Tensor, observation: Observation) -> Observation:
        # The others keep what they last showed: what they feel may since have been restored from a checkpoint.
        if self._latest:
            observation = {
                name: torch.where(mask[:, None], group, self._latest[name]) for name, group in observation.items()
            }
        self._latest = observation
        return observation

    def advance(self, actions: Tensor) -> DeviceTransition:
        """One control step with actions (W, n).

        A world whose physics failed, or whose observation is not finite or out of its space, is terminated: its
        reward is 0 and its observation the last healthy one. It must be reset before it is of use again. A reward
        that is not finite elsewhere counts as 0 and in `not_finite`.
        """
        expected = (self.num_worlds, *self.action_space.shape)
        if actions.shape != expected:
            raise ValueError(f"actions have shape {tuple(actions.shape)}; expected {expected}")
        self.task.act(actions)
        self.world.step(self.scene.decimation)
        terms = torch.stack(tuple(self.task.rewards().values())).float()
        terminated = self.task.terminated()
        observation = self.spec.read()  # last: a goal that was reached has made way for the next one
        unhealthy = self.world.unhealthy | self.spec.outside(observation)
        given = terms.masked_fill_(unhealthy, 0.0)
        terms = given.nan_to_num(0.0, 0.0, 0.0)
        self.not_finite += (terms != given).sum(dim=1)
        self._latest = {
            name: torch.where(unhealthy[:, None], self._latest[name], group) for name, group in observation.items()
        }
        return DeviceTransition(self._latest, terms, terminated | unhealthy, unhealthy)

    def metrics(self) -> dict[str, Tensor]:
        """What the task measures, (W,) each, float32 and nobody else's."""
        named = self.task.metrics()
        return dict(zip(named, torch.stack(tuple(named.values())).float().unbind(), strict=True)) if named else {}


def _write(mask: Tensor, rows: Mapping[str, Tensor], into: Mapping[str, Tensor]) -> None:
    """Writes rows (W, …) into the tensors of the same names where the mask holds."""
    for name, values in into.items():
        torch.where(mask.view(-1, *[1] * (values.dim() - 1)), rows[name], values, out=values)
