"""A tape of walking: the full states and controls of worlds in which a policy walks, and what replays it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import mujoco
import numpy as np
import torch
from mujoco.batch import Batch

from embodied.envs import AutoresetEnv
from embodied.learning.evaluate import Actor
from embodied.runs.errors import UserError

BLOCK = 10
"""Control steps that are replayed from a recorded state before the next one is taken: a changed model cannot walk off
to states that were never walked in."""


@dataclass(frozen=True)
class Tape:
    """What T control steps of W worlds were."""

    model: mujoco.MjModel
    decimation: int
    """Physics steps of a control step."""
    states: np.ndarray
    """(T + 1, W, n) Full states, at the beginning of each control step and at the end."""
    controls: np.ndarray
    """(T, W, nu)"""
    parameters: Mapping[str, np.ndarray]
    """(W, …) Model fields that differ between the worlds."""

    @property
    def steps(self) -> int:
        """T."""
        return len(self.controls)

    @property
    def worlds(self) -> int:
        """W."""
        return self.states.shape[1]

    def some(self, worlds: np.ndarray) -> Tape:
        """Some of the worlds, by number."""
        parameters = {name: values[worlds] for name, values in self.parameters.items()}
        return replace(self, states=self.states[:, worlds], controls=self.controls[:, worlds], parameters=parameters)


def record(env: AutoresetEnv, actor: Actor, worlds: int, warm_up: int, steps: int, seed: int) -> Tape:
    """Lets the actor walk, and keeps the worlds in which nothing happens meanwhile but physics: what a replay repeats.

    Args:
        env: has more worlds than are wanted, since in some an episode will end or a robot be pushed.
        actor: chooses actions.
        worlds: how many are wanted.
        warm_up: control steps after the start that are not recorded: a start is no walk.
        steps: control steps that are.
        seed: of the episodes.

    Raises:
        UserError: too few worlds are left.
    """
    world = env.world
    observation, _ = env.reset(seed)
    states, controls = [], []
    with torch.no_grad():
        for step in range(warm_up + steps):
            if step >= warm_up:
                states.append(world.state().numpy())
            observation, *_ = env.step(actor(observation))
            if step >= warm_up:
                controls.append(world.field("ctrl").numpy().copy())
    states.append(world.state().numpy())
    parameters = {name: value.numpy().copy() for name, value in world.parameters.items()}
    tape = Tape(env.env.scene.model, env.decimation, np.stack(states), np.stack(controls), parameters)
    repeated = Replay(tape, tape.model, tape.decimation).repeats().nonzero()[0]
    if len(repeated) < worlds:
        raise UserError(
            f"of {env.num_worlds} worlds only {len(repeated)} went on for {steps} control steps without the end of an "
            f"episode or a push, and {worlds} are needed; record fewer steps, or a policy that stays up for longer"
        )
    return tape.some(repeated[:worlds])


class Replay:
    """A tape's worlds under a model that may be another, on one thread, as a `CpuWorld` steps them."""

    def __init__(self, tape: Tape, model: mujoco.MjModel, decimation: int, geoms: np.ndarray | None = None) -> None:
        """Makes the worlds.

        Args:
            tape: what is replayed.
            model: that it is replayed with.
            decimation: physics steps of a control step.
            geoms: which geoms of the tape's model this one has, by number; None for all.
        """
        self.tape = tape
        self.decimation = decimation
        self.batch = Batch(model, tape.worlds, 1, persistent=True)
        for name, values in tape.parameters.items():
            fewer = geoms is not None and name.startswith("geom_")
            self.batch.expand(name)[...] = values[:, geoms] if fewer else values
        if tape.parameters:
            self.batch.set_const()
        self._controls = self.batch.bind("ctrl")
        for name in ("sensordata", "xpos", "xmat", "qfrc_actuator"):  # what senses and rewards read
            self.batch.bind(name)

    def go_on(self, start: int, steps: int) -> None:
        """Makes so many control steps with the tape's controls from there on."""
        for controls in self.tape.controls[start : start + steps]:
            self._controls[...] = controls
            self.batch.step(nstep=self.decimation, stage=mujoco.mjtStage.mjSTAGE_VEL)

    def play(self, start: int, steps: int, shaken: float = 0.0) -> tuple[np.ndarray, np.ndarray]:
        """Positions (W, nq) and velocities (W, nv) after so many control steps from a recorded state.

        Args:
            start: number of the control step on the tape that it begins with.
            steps: control steps.
            shaken: velocities at the start are off by up to so much, m/s or rad/s.
        """
        self.batch.state[...] = self.tape.states[start]
        positions, velocities = self.batch.bind("qpos"), self.batch.bind("qvel")
        if shaken:
            velocities += shaken * np.random.default_rng(0).uniform(-1.0, 1.0, velocities.shape)
        self.go_on(start, steps)
        return positions.copy(), velocities.copy()

    def repeats(self) -> np.ndarray:
        """(W,) bool: which worlds end in the tape's last state, bit for bit."""
        self.batch.state[...] = self.tape.states[0]
        self.go_on(0, self.tape.steps)
        return (self.batch.state == self.tape.states[-1]).all(axis=1)

    def whole(self) -> int:
        """Plays the whole tape, block by block; gives the number of control steps made, of all worlds."""
        blocks = range(0, self.tape.steps - BLOCK + 1, BLOCK)
        for start in blocks:
            self.batch.state[...] = self.tape.states[start]
            self.go_on(start, BLOCK)
        return len(blocks) * BLOCK * self.tape.worlds
