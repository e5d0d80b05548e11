"""Environments from elsewhere behind the VectorEnv protocol: any Gymnasium id, and dm_control's through shimmy."""

from __future__ import annotations

import difflib
import math
import warnings
from typing import Any

import gymnasium
import numpy as np
import torch
from gymnasium.spaces import Box, Dict
from gymnasium.spaces.utils import flatten, flatten_space
from torch import Tensor

from embodied.runs.errors import UserError
from embodied.vector_env import Observation

GYMNASIUM, DM_CONTROL = "gymnasium:", "dm_control:"
ONLY_GROUP = "observation"
"""The group's name where the foreign observation is no dictionary."""


def is_foreign(task: object) -> bool:
    """Whether a task's name stands for an environment from elsewhere."""
    return isinstance(task, str) and task.startswith((GYMNASIUM, DM_CONTROL))


class ForeignEnv:
    """W copies of a foreign environment as a `VectorEnv`, stepped one after the other in this process.

    Observations are flattened to one row of float32 per group: an entry of a Dict space is a group, anything else is
    the group ``observation``. Actions are clipped to the action space. A world whose observation or reward is not
    finite is ended as unhealthy. The reward has the one term ``reward``. Their own time limits hold; where they are
    known, so do those of an age that was written to `episode_length`.

    Foreign simulators cannot be stored: taken up from `state_dict`, all worlds begin new episodes. A training that is
    resumed is therefore repeatable but not the one that was never stopped.
    """

    def __init__(self, name: str, num_worlds: int = 1, seed: int = 0, render_mode: str | None = None) -> None:
        """Makes the copies.

        Args:
            name: ``gymnasium:<id>``, the id as ``gymnasium.make`` takes it, or ``dm_control:<domain>-<task>``.
            num_worlds: W.
            seed: of the episodes until `reset` is given one.
            render_mode: as for ``gymnasium.make``.

        Raises:
            UserError: there is no such environment, something it needs is missing, or its spaces fit no policy here.
        """
        self.name = name
        self._id = _gymnasium_id(name)
        self._envs = [_made(name, self._id, render_mode) for _ in range(num_worlds)]
        first = self._envs[0]
        self.num_worlds = num_worlds
        self._action = _continuous(name, first.action_space)
        self.action_space = _row_of_floats(self._action)
        self.observation_space = _groups(name, first.observation_space)
        self.control_dt = _control_dt(first)
        """Time between two steps, s; nan where the environment does not tell."""
        self.episode_steps = _episode_steps(first)
        """See `VectorEnv.episode_steps`; None where the environment does not tell."""
        self.device = torch.device("cpu")
        self._seed = seed
        self._steps = 0
        self._steps_each = np.zeros((2, num_worlds), dtype=np.int64)
        self._age, self._length = self._steps_each
        self._return = np.zeros(num_worlds)
        self._latest: dict[str, np.ndarray] = {}

    @property
    def episode_length(self) -> Tensor:
        """(W,) int64, live and writable: the age of each world's episode; see `VectorEnv.episode_length`."""
        return torch.from_numpy(self._age)

    def reset(self, seed: int | None = None) -> tuple[Observation, dict[str, Any]]:
        """Begins an episode in every world; each gets a seed of its own from this one."""
        if seed is None and self._latest:
            seeds: list[int | None] = [None] * self.num_worlds
        else:
            self._seed, self._steps = self._seed if seed is None else seed, 0
            seeds = self._world_seeds()
        return self._begin(seeds), {}

    def _world_seeds(self) -> list[int | None]:
        """Drawn from the seed and how many steps were made since: the same episodes never come twice."""
        return np.random.SeedSequence((self._seed, self._steps)).generate_state(self.num_worlds).tolist()

    def _begin(self, seeds: list[int | None]) -> Observation:
        self._steps_each[:] = 0
        self._return[:] = 0.0
        rows = [self._flat(env.reset(seed=seed)[0]) for env, seed in zip(self._envs, seeds, strict=True)]
        self._latest = {name: np.stack([row[name] for row in rows]) for name in self.observation_space.spaces}
        return self._shown()

    def _flat(self, observation: Any) -> dict[str, np.ndarray]:
        """One world's observation by group, a row each."""
        space = self._envs[0].observation_space
        named = {**space.spaces} if isinstance(space, Dict) else {ONLY_GROUP: space}
        values = observation if isinstance(space, Dict) else {ONLY_GROUP: observation}
        return {name: np.asarray(flatten(part, values[name]), dtype=np.float32) for name, part in named.items()}

    def step(self, actions: Tensor) -> tuple[Observation, Tensor, Tensor, Tensor, dict[str, Any]]:
        """One control step; see `VectorEnv.step`."""
        expected = (self.num_worlds, *self.action_space.shape)
        if tuple(actions.shape) != expected:
            raise ValueError(f"actions have shape {tuple(actions.shape)}; expected {expected}")
        rewards = np.zeros(self.num_worlds)
        terminated, truncated, unhealthy = np.zeros((3, self.num_worlds), dtype=bool)
        latest = {name: group.copy() for name, group in self._latest.items()}
        clipped = np.clip(actions.detach().numpy(), self.action_space.low, self.action_space.high)
        self._steps += 1
        self._steps_each += 1
        late = self._age >= (math.inf if self.episode_steps is None else self.episode_steps)
        for world, env in enumerate(self._envs):
            action = clipped[world].reshape(self._action.shape).astype(self._action.dtype)
            observation, reward, ended, cut, _ = env.step(action)
            row = self._flat(observation)
            unhealthy[world] = not (math.isfinite(reward) and all(np.isfinite(group).all() for group in row.values()))
            terminated[world] = ended or unhealthy[world]
            truncated[world] = (cut or late[world]) and not terminated[world]
            if not unhealthy[world]:
                rewards[world] = reward
                for name, group in row.items():
                    latest[name][world] = group
        self._return += rewards
        finished = (terminated | truncated).nonzero()[0]
        episode = self._figures(finished)
        final = {name: group.copy() for name, group in latest.items()} if len(finished) else latest
        for world in finished:
            for name, group in self._flat(self._envs[world].reset()[0]).items():
                latest[name][world] = group
        self._steps_each[:, finished] = 0
        self._return[finished] = 0.0
        self._latest = latest
        info = {
            "final_obs": {name: torch.from_numpy(group) for name, group in final.items()},
            "terms": {"reward": torch.from_numpy(rewards)},
            "unhealthy": torch.from_numpy(unhealthy),
            "episode": episode,
        }
        reward = torch.from_numpy(rewards.astype(np.float32))
        return self._shown(), reward, torch.from_numpy(terminated), torch.from_numpy(truncated), info

    def _shown(self) -> Observation:
        return {name: torch.from_numpy(group) for name, group in self._latest.items()}

    def _figures(self, finished: np.ndarray) -> dict[str, Any]:
        """Of the episodes that ended in these worlds."""
        total = torch.from_numpy(self._return[finished])
        return {
            "world": torch.from_numpy(finished),
            "return": total,
            "length": torch.from_numpy(self._length[finished]),
            "terms": {"reward": total.clone()},
            "metrics": {},
        }

    def render(self) -> Any:
        """The first world, as its own ``render`` draws it."""
        return self._envs[0].render()

    def state_dict(self) -> dict[str, Tensor]:
        """The seed and how many steps were made: not the worlds, which begin anew; see the class."""
        return {"seed": torch.tensor(self._seed), "steps": torch.tensor(self._steps)}

    def load_state_dict(self, state: dict[str, Tensor]) -> Observation:
        """Begins new episodes, the same ones each time this state is taken up."""
        self._seed, self._steps = int(state["seed"]), int(state["steps"])
        return self._begin(self._world_seeds())

    def close(self) -> None:
        """Closes the copies."""
        for env in self._envs:
            env.close()
        self._envs = []


def _gymnasium_id(name: str) -> str:
    if name.startswith(GYMNASIUM):
        return name.removeprefix(GYMNASIUM)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # without a screen, GLFW complains though nothing is drawn
            import dm_control  # noqa: F401
            import shimmy  # noqa: F401
    except ImportError as error:
        raise UserError(f"{name} needs dm_control and shimmy: pip install 'embodied[foreign]' ({error})") from None
    return f"dm_control/{name.removeprefix(DM_CONTROL)}-v0"


def _made(name: str, gymnasium_id: str, render_mode: str | None) -> gymnasium.Env:
    drawn: dict[str, Any] = {} if render_mode is None else {"render_mode": render_mode}  # not every constructor's word
    try:
        return gymnasium.make(gymnasium_id, disable_env_checker=True, **drawn)
    except gymnasium.error.UnregisteredEnv as error:
        close = _close_to(name)
        hint = f"; did you mean {' or '.join(close)}?" if close else f": {error}"
        raise UserError(f"there is no environment {name!r}{hint}") from None
    except Exception as error:  # whatever a stranger's constructor raises
        raise UserError(f"the environment {name!r} cannot be made: {error}") from None


def _close_to(name: str) -> list[str]:
    """Registered names like it."""
    if name.startswith(DM_CONTROL):
        ours = [known for known in gymnasium.registry if known.startswith("dm_control/")]
        names = [DM_CONTROL + known.removeprefix("dm_control/").removesuffix("-v0") for known in ours]
    else:
        names = [GYMNASIUM + known for known in gymnasium.registry]
    lower = {known.lower(): known for known in names}
    return [lower[known] for known in difflib.get_close_matches(name.lower(), lower, n=3, cutoff=0.6)]


def _continuous(name: str, space: gymnasium.Space) -> Box:
    if not isinstance(space, Box):
        raise UserError(f"{name} has the action space {space}; policies here act in continuous spaces (Box) only")
    return space


def _groups(name: str, space: gymnasium.Space) -> Dict:
    """A one-dimensional float32 Box per group."""
    named = space.spaces if isinstance(space, Dict) else {ONLY_GROUP: space}
    groups = {}
    for group, part in named.items():
        flat = flatten_space(part) if part.is_np_flattenable else None
        if not isinstance(flat, Box) or "." in group:
            raise UserError(f"{name} has the observation {group!r} in {part}, which cannot be laid out as numbers")
        groups[group] = _row_of_floats(flat)
    return Dict(groups)


def _row_of_floats(space: Box) -> Box:
    with np.errstate(over="ignore"):  # bounds beyond float32 become infinite
        low, high = (bound.ravel().astype(np.float32) for bound in (space.low, space.high))
    return Box(low, high, dtype=np.float32)


def _control_dt(env: gymnasium.Env) -> float:
    dt = getattr(env.unwrapped, "dt", None)
    if isinstance(dt, float | int) and dt > 0:
        return float(dt)
    rate = env.metadata.get("render_fps")
    return 1.0 / rate if rate else math.nan


def _episode_steps(env: gymnasium.Env) -> int | None:
    declared = env.spec.max_episode_steps if env.spec else None
    limit = getattr(getattr(env.unwrapped, "_env", None), "_step_limit", math.inf) if declared is None else declared
    return int(limit) if math.isfinite(limit) else None
