"""The limit on a GPU: mujoco_warp's own step, captured in a graph, and nothing around it."""

from __future__ import annotations

import mujoco_warp as mjw
import warp as wp
from torch import Tensor

from embodied.envs.device_vector import DeviceVectorEnv
from embodied.physics.gpu import GpuWorld
from embodied.physics.gpu_graphs import Graphs, can_capture


class BareWarp:
    """mujoco_warp alone: its data, and a graph of one control step."""

    def __init__(self, env: DeviceVectorEnv) -> None:
        """As much room for contacts and constraints as the environment has."""
        world = env.world
        assert isinstance(world, GpuWorld)
        self._device = wp.device_from_torch(world.device)
        self._fields = [name for name in ("qpos", "qvel", "qacc_warmstart", "ctrl") if world.field(name).numel()]
        self._decimation = env.decimation
        with wp.ScopedDevice(self._device):
            self._model = mjw.put_model(world.model)
            self._model.opt.warn_overflow = 0
            self._data = mjw.make_data(
                world.model, env.num_worlds, nconmax=world.buffers.contacts, njmax=world.buffers.constraints
            )
        self.views = {name: wp.to_torch(getattr(self._data, name)).view_as(world.field(name)) for name in self._fields}
        self._graphs = Graphs(self._device, can_capture(self._device), self._model, self._data)

    def place(self, env: DeviceVectorEnv) -> None:
        """Takes the states of the worlds of an environment."""
        for name, view in self.views.items():
            view.copy_(env.world.field(name))

    def step(self, actions: Tensor) -> None:
        """A control step."""
        self.views["ctrl"].copy_(actions)
        self._graphs.run("step", self._steps)

    def _steps(self) -> None:
        for _ in range(self._decimation):
            mjw.step(self._model, self._data)
