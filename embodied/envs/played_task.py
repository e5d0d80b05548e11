"""PlayedTask: a Task that has its World. What `Env` and `DeviceEnv` have in common: how they begin, and their state."""

from __future__ import annotations

import copy
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from typing import Generic, TypeVar

import torch
from torch import Tensor

from embodied.envs.contract import refuse_broken_play, refuse_broken_scene, refuse_broken_senses
from embodied.physics.world import World
from embodied.scenes import Scene
from embodied.senses import ObservationSpec
from embodied.tasks import Task
from embodied.vector_env import Observation

AnyWorld = TypeVar("AnyWorld", bound=World)
AnySpec = TypeVar("AnySpec", bound=ObservationSpec)


class PlayedTask(ABC, Generic[AnyWorld, AnySpec]):
    """W worlds in which one task is played."""

    def __init__(
        self, task: Task, scene: Scene, make_world: Callable[[Scene], AnyWorld], spec: type[AnySpec], seed: int
    ) -> None:
        """Makes the worlds, refuses a task that cannot be played in them, and begins.

        Args:
            task: must not serve another environment.
            scene: the task's.
            make_world: gives the worlds of a scene that is well.
            spec: how their observations are read.
            seed: of everything random in here.
        """
        self.task, self.scene = task, scene
        refuse_broken_scene(task, scene)
        self._unstarted = copy.deepcopy(task)
        self.world = make_world(scene)
        self.num_worlds = self.world.num_worlds
        self.generator = torch.Generator(self.world.device).manual_seed(seed)
        task.start(scene, self.world, self.generator)
        self.spec = spec(task.senses(), self.world.device)
        refuse_broken_senses(task, self.spec, self.num_worlds)
        self.action_space = task.action_space()
        everywhere = torch.ones(self.num_worlds, dtype=torch.bool, device=self.world.device)
        self._latest: Observation = {}
        self.reset(everywhere)
        self.term_names = tuple(refuse_broken_play(task, self.num_worlds, self.action_space.shape[0]))
        """Of the reward."""
        self.generator.manual_seed(seed)
        task.restart()
        self.reset(everywhere)

    @abstractmethod
    def reset(self, mask: Tensor) -> Observation:
        """Begins an episode where the mask holds; returns the observation of all worlds."""

    def state_dict(self) -> dict[str, Tensor]:
        """Everything that determines what follows, by name."""
        state = {"world": self.world.state(), "generator": self.generator.get_state()}
        state |= {f"memory/{name}": value.clone() for name, value in self.task.memory.items()}
        state |= {f"parameters/{name}": value.clone() for name, value in self.world.parameters.items()}
        return state | {f"observation/{name}": group.clone() for name, group in self._latest.items()}

    def load_state_dict(self, state: Mapping[str, Tensor]) -> Observation:
        """Restores `state_dict`, whose tensors may lie elsewhere; returns the observation at that moment."""
        device = self.world.device
        for name, value in self.world.parameters.items():
            value.copy_(state[f"parameters/{name}"])
        if self.world.parameters:
            self.world.refresh_constants()
        self.world.set_state(state["world"].to(device))
        self.generator.set_state(state["generator"].cpu())
        for name, value in self.task.memory.items():
            value.copy_(state[f"memory/{name}"])
        # Forces and accelerations are not part of the state, so the observation is restored, not read again.
        self._latest = {name: state[f"observation/{name}"].to(device, copy=True) for name in self._latest}
        return self._latest

    def close(self) -> None:
        """Frees the worlds."""
        self.world.close()
