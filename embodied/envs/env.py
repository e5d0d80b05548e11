"""Env: a Task played in a World, one control step at a time. It never resets by itself."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from embodied.envs.contract import refuse_infinite_rewards
from embodied.envs.played_task import PlayedTask
from embodied.envs.start_pool import StartPool, Starts
from embodied.physics.cpu import CpuWorld
from embodied.scenes import Scene
from embodied.senses import ObservationSpec
from embodied.tasks import Task
from embodied.vector_env import Observation
from morphologies import Body


@dataclass(slots=True)
class Transition:
    """What one control step led to, (W,) or (W, …) each."""

    observation: Observation
    terms: Tensor
    """(terms, W) The reward's terms, in the order of `Env.term_names`."""
    terminated: Tensor
    unhealthy: Tensor
    """Among the terminated: worlds whose physics failed or whose observation left its space."""
    any_unhealthy: bool


class Env(PlayedTask[CpuWorld, ObservationSpec]):
    """W worlds in which one task is played."""

    def __init__(
        self, task: Task, bodies: Mapping[str, Body], num_worlds: int, seed: int = 0, threads: int | None = None
    ) -> None:
        """Composes the scene and makes the worlds.

        Args:
            task: must not serve another Env.
            bodies: one per agent of the task, by its name.
            num_worlds: W.
            seed: of everything random in here.
            threads: for the physics; by default all usable cores.
        """

        def worlds(scene: Scene) -> CpuWorld:
            return CpuWorld(scene, num_worlds, scene.varying, threads)

        super().__init__(task, task.scene(bodies), worlds, ObservationSpec, seed)

    def reset(self, mask: Tensor) -> Observation:
        """Begins an episode where the mask holds; returns the observation of all worlds."""
        self.world.reset(mask)
        self.task.reset(mask)
        self.world.forward(mask)
        self.task.begin(mask)
        if not self._latest:
            self._latest = self.spec.read()
            return self._latest
        worlds = mask.numpy().nonzero()[0]
        return self._show(worlds, {name: group.numpy() for name, group in self.spec.read(worlds).items()})

    def start_pool(self, size: int) -> StartPool:
        """A pool of starts for `begin_at`, for a task that says its starts are alike."""
        return StartPool(copy.deepcopy(self._unstarted), self.scene, size, self.world.threads, self.generator)

    def begin_at(self, worlds: np.ndarray, starts: Starts) -> Observation:
        """Begins episodes at given starts in the worlds with these numbers; returns the observation of all worlds.

        Derived fields of those worlds follow at the next step.
        """
        self.world.set_rows(worlds, starts.state)
        for name, value in self.task.memory.items():
            value.numpy()[worlds] = starts.memory[name]
        for name, value in self.world.parameters.items():
            value.numpy()[worlds] = starts.parameters[name]
        return self._show(worlds, starts.observation)

    def starts_of(self, worlds: np.ndarray) -> Starts:
        """Where worlds with these numbers stand, as starts: `begin_at` puts them back there."""
        return Starts(
            self.world.state().numpy()[worlds],
            {name: group.numpy()[worlds] for name, group in self._latest.items()},
            {name: value.numpy()[worlds] for name, value in self.task.memory.items()},
            {name: value.numpy()[worlds] for name, value in self.world.parameters.items()},
        )

    def _show(self, worlds: np.ndarray, rows: Mapping[str, np.ndarray]) -> Observation:
        # The others keep what they last showed: what they feel may since have been restored from a checkpoint.
        shown = {name: group.numpy().copy() for name, group in self._latest.items()}
        for name, group in shown.items():
            group[worlds] = rows[name]
        self._latest = {name: torch.from_numpy(group) for name, group in shown.items()}
        return self._latest

    def advance(self, actions: Tensor) -> Transition:
        """One control step with actions (W, n).

        A world whose physics failed, or whose observation is not finite or out of its space, is terminated: its
        reward is 0 and its observation the last healthy one. It must be reset before it is of use again.

        Raises:
            RewardNotFinite: the task's reward is not finite in a healthy world.
        """
        expected = (self.num_worlds, *self.action_space.shape)
        if actions.shape != expected:
            raise ValueError(f"actions have shape {tuple(actions.shape)}; expected {expected}")
        self.task.act(actions)
        self.world.step(self.scene.decimation)
        named = self.task.rewards()
        terms = np.empty((len(named), self.num_worlds))
        for row, term in zip(terms, named.values(), strict=True):
            row[:] = term.numpy()
        terminated = self.task.terminated()
        observation = self.spec.read()  # last: a goal that was reached has made way for the next one
        unhealthy = self.world.unhealthy
        outside = self.spec.outside(observation)
        any_unhealthy = outside is not None or self.world.in_trouble
        if any_unhealthy:
            unhealthy = unhealthy if outside is None else unhealthy | outside
            terminated = terminated | unhealthy
            terms[:, unhealthy.numpy()] = 0.0
            observation = {
                name: torch.where(unhealthy[:, None], self._latest[name], group) for name, group in observation.items()
            }
        refuse_infinite_rewards(self.task, self.term_names, terms)
        self._latest = observation
        return Transition(observation, torch.from_numpy(terms), terminated, unhealthy, any_unhealthy)
