"""Record: what the framework itself does from a number of starts, for a bundle to be held to."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import torch

from embodied.envs.env import Env
from embodied.export.deployable import Act
from embodied.export.raw_readings import array_of, given_of, measured_of
from embodied.export.readings import LAST_ACTION
from embodied.export.robot import ActionMeaning
from embodied.senses import Term
from embodied.vector_env import Observation

STARTS = 20
SECONDS = 10.0
ROUNDING = 1e-6
"""Uniform ± on the actions of a second play of the same starts: about what two runtimes' float32 differ by. What
becomes of it is what cannot be asked of any other runtime."""
MARGIN, SIGMAS, ELSEWHERE = 100.0, 4.0, 0.05
"""What a second play allows for, see `chance_of`; m from which a start ended elsewhere."""
CLOSE = 0.5
"""s for which joint positions are compared: longer, and the smallest difference grows as contacts come and go."""
UPRIGHT = 0.5
"""Of the root link's z axis, the upward part that counts as upright: 60° from the vertical."""


@dataclass(frozen=True)
class Recording:
    """Of S starts."""

    vectors: dict[str, np.ndarray]
    """Test vectors, (S, T, …): ``reading/…``, ``observation/…``, ``action`` and, of a prior, ``latent``; and the
    ``last_action`` (S, n) before each."""
    closed_loop: dict[str, np.ndarray]
    """``start/…`` (S, n), ``given/…`` (S, N, n); after each step ``joint_pos`` (S, T, J), ``root_pose`` (S, N, 7)."""
    again: dict[str, np.ndarray]
    """``joint_pos`` and ``root_pose`` of the second play."""


def record(
    env: Env,
    actor: Callable[[int], Act],
    groups: dict[str, tuple[Term, ...]],
    seed: int,
    clip: float | None,
    meaning: ActionMeaning | None = None,
) -> Recording:
    """Plays from one start a world to the end of the time, falls or not; and the same once more.

    Args:
        env: its first agent is the robot.
        actor: chooses actions, in so many worlds.
        groups: the terms of the observation groups that are read.
        seed: of starts, and of commands.
        clip: magnitude to which actions are cut.
        meaning: of actions, where they are relative to a reading.
    """
    play = _Play(env, groups, np.inf if clip is None else clip, meaning)
    play(actor(env.num_worlds), seed)
    went = {"joint_pos": play.joints, "root_pose": play.roots}
    start = {f"start/{name}": values for name, values in play.start.items()}
    given = {f"given/{name}": np.stack(values, axis=1) for name, values in play.given.items()}
    vectors = {name: np.stack(values, axis=1) for name, values in play.seen.items()}
    vectors[LAST_ACTION] = play.start[LAST_ACTION]
    loop = {**start, **given, **went}
    play(actor(env.num_worlds), seed, torch.Generator().manual_seed(seed))
    return Recording(vectors, loop, {"joint_pos": play.joints, "root_pose": play.roots})


class _Play:
    """One play of all worlds; what it went like stays with it until the next."""

    def __init__(
        self, env: Env, groups: dict[str, tuple[Term, ...]], limit: float, meaning: ActionMeaning | None
    ) -> None:
        self._env, self._groups, self._limit, self._meaning = env, groups, limit, meaning
        self._robot = env.scene.entities[env.task.agents[0]].view(env.world)

    def __call__(self, act: Act, seed: int, noise: torch.Generator | None = None) -> None:
        """Begins anew; actions are off by `ROUNDING` where there is noise."""
        env, robot = self._env, self._robot
        env.generator.manual_seed(seed)
        env.task.restart()
        observation = env.reset(torch.ones(env.num_worlds, dtype=torch.bool))
        steps, close = round(SECONDS / env.scene.control_dt), round(CLOSE / env.scene.control_dt)
        self.start = {
            "root_pose": array_of(robot.root_pose),
            "root_velocity": array_of(robot.root_velocity),
            "joint_pos": array_of(robot.joint_pos),
            "joint_vel": array_of(robot.joint_vel),
            "last_action": _last_action(observation, self._groups, env.action_space.shape[0]),
        }
        self.seen: dict[str, list[np.ndarray]] = {}
        self.given: dict[str, list[np.ndarray]] = {}
        joints, roots = [], []
        for step in range(steps):
            told = given_of(env.task, robot, observation, self._groups)
            measured = measured_of(robot, self._groups)
            action, latent = act(observation, step)
            if latent is not None:
                told["latent"] = array_of(latent)
            if noise is not None:
                action = action + ROUNDING * (2.0 * torch.rand(action.shape, generator=noise) - 1.0)
            shown = {f"observation/{name}": array_of(observation[name]) for name in self._groups}
            observation = env.advance(action).observation
            taken = np.clip(array_of(action), -self._limit, self._limit)
            if self._meaning is not None and self._meaning.about is not None:
                told[self._meaning.about] = array_of(robot.controls) - self._meaning.scale * taken
            _append(self.given, told)
            if step < close:
                readings = {n if n == "latent" else f"reading/{n}": each for n, each in {**measured, **told}.items()}
                _append(self.seen, {**readings, **shown, "action": taken})
                joints.append(array_of(robot.joint_pos))
            roots.append(array_of(robot.root_pose))
        self.joints, self.roots = np.stack(joints, axis=1), np.stack(roots, axis=1)


def _append(kept: dict[str, list[np.ndarray]], values: dict[str, np.ndarray]) -> None:
    for name, value in values.items():
        kept.setdefault(name, []).append(value)


def _last_action(observation: Observation, groups: dict[str, tuple[Term, ...]], size: int) -> np.ndarray:
    """(W, n) What an observation shows of the action before it; zeros where it shows none."""
    for group, terms in groups.items():
        start = 0
        for term in terms:
            start += term.size
            if term.name == LAST_ACTION:
                return array_of(observation[group][:, start - size : start])
    return np.zeros((len(next(iter(observation.values()))), size), dtype=np.float32)


@dataclass(frozen=True)
class Apart:
    """How far two plays of the same starts come apart."""

    joint_pos: float
    """Largest difference in the first half second, rad or m."""
    upright: float
    """Difference of the shares that stand upright."""
    speed: float
    """Difference of the mean speeds, as a part of the first."""


def apart(
    one: Mapping[str, np.ndarray], other: Mapping[str, np.ndarray], start: np.ndarray, control_dt: float
) -> Apart:
    """Of two plays' ``joint_pos`` and ``root_pose``; see `figures_of` for the rest."""
    a, b = (figures_of(each["root_pose"], start, control_dt) for each in (one, other))
    return Apart(_joints_apart(one, other), abs(a.upright - b.upright), abs(b.speed - a.speed) / max(a.speed, 1e-9))


def _joints_apart(one: Mapping[str, np.ndarray], other: Mapping[str, np.ndarray]) -> float:
    return float(np.abs(one["joint_pos"] - other["joint_pos"]).max())


def chance_of(recording: Recording, control_dt: float) -> Apart:
    """How far any other runtime may come apart from the first play, for all that its second play tells.

    Differences that grow all the time are `MARGIN` times as large as they happened to be; a start that ended elsewhere
    than the first time may have ended any way, if any start fell at all; and mean speeds differ by `SIGMAS` standard
    errors at most.
    """
    one, other, start = recording.closed_loop, recording.again, recording.closed_loop["start/root_pose"]
    ends = np.linalg.norm(one["root_pose"][:, -1, :3] - other["root_pose"][:, -1, :3], axis=-1)
    standing = {figures_of(each["root_pose"], start, control_dt).upright for each in (one, other)}
    falls = 0.0 if standing == {1.0} else float((ends > ELSEWHERE).mean())
    a, b = (_speeds(each["root_pose"], start, control_dt) for each in (one, other))
    error = float((b - a).std() / np.sqrt(len(a)))
    speed = SIGMAS * error / max(float(a.mean()), 1e-9)
    return Apart(MARGIN * _joints_apart(one, other), falls, speed)


@dataclass(frozen=True)
class Figures:
    """What becomes of a robot in closed loop."""

    upright: float
    """Share of starts after which it stands upright at the end."""
    speed: float
    """Mean horizontal speed of the root link, m/s."""


def figures_of(root_pose: np.ndarray, start: np.ndarray, control_dt: float) -> Figures:
    """From root poses after each control step, (S, N, 7), and at the start, (S, 7)."""
    upright = upward(root_pose[:, -1, 3:]) > UPRIGHT
    return Figures(float(upright.mean()), float(_speeds(root_pose, start, control_dt).mean()))


def upward(quaternions: np.ndarray) -> np.ndarray:
    """(…) The upward part of the z axes of links that are turned so, (…, 4) w, x, y, z."""
    return 1.0 - 2.0 * (quaternions[..., 1] ** 2 + quaternions[..., 2] ** 2)


def _speeds(root_pose: np.ndarray, start: np.ndarray, control_dt: float) -> np.ndarray:
    """(S,) Mean horizontal speed of each start, m/s."""
    path = np.diff(np.concatenate((start[:, None, :2], root_pose[:, :, :2]), axis=1), axis=1)
    return np.linalg.norm(path, axis=-1).mean(axis=1) / control_dt
