"""How fast the bare engine, a World and an environment repeat a rollout that training has just made.

All three make the same simulation: they start from the same state, take the same actions, and set the same worlds to
the same states at the same steps. So their times differ only by what each adds.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field

import mujoco
import numpy as np
import torch
from mujoco.batch import Batch
from torch import Tensor

from embodied.envs import AutoresetEnv
from embodied.physics.cpu import CpuWorld


@dataclass
class Tape:
    """One rollout as it was played."""

    before: dict[str, Tensor]
    """State of the environment at its start."""
    actions: list[Tensor] = field(default_factory=list)
    begun: list[tuple[np.ndarray, np.ndarray]] = field(default_factory=list)
    """Per step the worlds that began an episode, and their full states."""
    after: np.ndarray = field(default_factory=lambda: np.empty(0))
    """(W, n) Full state at the end."""


class Recorder:
    """An environment that writes down what is done to it. It adds copies of a few rows to each step."""

    def __init__(self, env: AutoresetEnv) -> None:
        self._env = env
        self.num_worlds = env.num_worlds
        self.observation_space, self.action_space = env.observation_space, env.action_space
        self.control_dt, self.device, self.episode_steps = env.control_dt, env.device, env.episode_steps
        self.tape = Tape(env.state_dict())
        self.seconds = 0.0
        """Spent on writing down, to be taken off."""

    @property
    def episode_length(self) -> Tensor:
        """As the environment's."""
        return self._env.episode_length

    def step(self, actions: Tensor):
        """As the environment's."""
        result = self._env.step(actions)
        began = time.perf_counter()
        worlds = result[4]["episode"]["world"]
        self.tape.actions.append(actions.clone())
        self.tape.begun.append((worlds.numpy(), self._env.world.rows(worlds)))
        self.seconds += time.perf_counter() - began
        return result

    def rewind(self) -> Tape:
        """The tape so far; a new one begins."""
        done, self.tape = self.tape, Tape(self._env.state_dict())
        done.after = self._env.world.state().numpy()
        self.seconds = 0.0
        return done

    def reset(self, seed: int | None = None):
        """As the environment's."""
        result = self._env.reset(seed)
        self.tape = Tape(self._env.state_dict())
        return result

    def state_dict(self) -> dict[str, Tensor]:
        """As the environment's."""
        return self._env.state_dict()

    def load_state_dict(self, state: dict[str, Tensor]):
        """As the environment's."""
        return self._env.load_state_dict(state)

    def close(self) -> None:
        """As the environment's."""
        self._env.close()


class BareReplay:
    """mujoco.batch alone."""

    def __init__(self, model: mujoco.MjModel, num_worlds: int, threads: int, decimation: int) -> None:
        self._batch = Batch(model, num_worlds, threads, persistent=True)
        self._ctrl = self._batch.bind("ctrl")
        self._decimation = decimation

    def run(self, tape: Tape) -> float:
        """Seconds for the rollout."""
        self._batch.state[:] = tape.before["world"].numpy()
        actions = [step.numpy() for step in tape.actions]
        began = time.perf_counter()
        for step, (worlds, rows) in zip(actions, tape.begun, strict=True):
            self._ctrl[:] = step
            self._batch.step(nstep=self._decimation)
            if len(worlds):
                self._batch.state[worlds] = rows
        seconds = time.perf_counter() - began
        _same(self._batch.state, tape)
        return seconds


class WorldReplay:
    """A World, stepped and with rows of state set by hand."""

    def __init__(self, env: AutoresetEnv) -> None:
        self._world = CpuWorld(env.env.scene, env.num_worlds, threads=env.world.threads)
        self._ctrl = self._world.field("ctrl")
        for name in env.world.fields:
            self._world.field(name)
        self._decimation = env.decimation
        self._nothing = torch.zeros(env.num_worlds, dtype=torch.bool)

    def run(self, tape: Tape) -> float:
        """Seconds for the rollout."""
        self._world.set_state(tape.before["world"])
        began = time.perf_counter()
        for step, (worlds, rows) in zip(tape.actions, tape.begun, strict=True):
            self._ctrl.copy_(step)
            self._world.step(self._decimation)
            if len(worlds):
                self._world.set_rows(worlds, rows)
        seconds = time.perf_counter() - began
        _same(self._world.state().numpy(), tape)
        return seconds


class EnvReplay:
    """The environment: senses, rewards, ends and resets included."""

    def __init__(self, env: AutoresetEnv) -> None:
        self._env = env

    def run(self, tape: Tape) -> float:
        """Seconds for the rollout."""
        self._env.load_state_dict(tape.before)
        began = time.perf_counter()
        for step in tape.actions:
            self._env.step(step)
        seconds = time.perf_counter() - began
        _same(self._env.world.state().numpy(), tape)
        return seconds


def _same(state: np.ndarray, tape: Tape) -> None:
    if not np.array_equal(state, tape.after):
        raise RuntimeError("a replay did not repeat its rollout: its times would mean nothing")
