"""LatentEnv: an environment that is commanded through the latent of a skill prior. Peng et al. (2022), section 7.

A high-level policy says a latent, the prior turns it into actions for some control steps, and the next latent is
asked for. LatentEnv is a `VectorEnv` over a `VectorEnv`, so priors may be stacked: the outer one's actions are then
latents of the inner one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Literal, Protocol

import gymnasium
import numpy as np
import torch
from torch import Tensor

from embodied.runs.errors import UserError
from embodied.vector_env import Observation, VectorEnv

Memory = tuple[Tensor, ...]
LONGEST_HOLD = 10_000
"""Control steps."""
TASK_WEIGHT, STYLE_WEIGHT = 0.9, 0.1
"""Of the task's reward and of the prior's, where style is rewarded. Peng et al., appendix A."""
STYLE, STYLE_TERM = "style", "style"


class Prior(Protocol):
    """What is needed of a prior here; `embodied.skills.prior.SkillPrior` says all of it."""

    @property
    def latent_space(self) -> gymnasium.spaces.Box: ...  # noqa: D102
    @property
    def action_space(self) -> gymnasium.spaces.Box: ...  # noqa: D102
    @property
    def observation_spec(self) -> Mapping[str, tuple[Any, ...]]: ...  # noqa: D102
    @property
    def control_dt(self) -> float: ...  # noqa: D102
    def project(self, latent: Tensor) -> Tensor: ...  # noqa: D102
    def decode(self, obs: Observation, latent: Tensor, memory: Memory = ()) -> tuple[Tensor, Memory]: ...  # noqa: D102
    def initial_memory(self, num_worlds: int) -> Memory: ...  # noqa: D102
    def clear(self, memory: Memory, mask: Tensor) -> Memory: ...  # noqa: D102


class Freezable(VectorEnv, Protocol):
    """A `VectorEnv` whose worlds can be put back to where they were."""

    world: Any
    decimation: int
    observation_spec: Any

    def standing(self, worlds: np.ndarray) -> Any:
        """All that worlds with these numbers (k,) go on from, for `put_back`."""
        ...

    def put_back(self, worlds: np.ndarray, standing: Any) -> Observation:
        """Puts these worlds where `standing` found them; returns the observation of all worlds."""
        ...


class LatentEnv:
    """W worlds whose actions are a prior's latents, held for ``hold`` control steps.

    A world whose episode ends within the hold is frozen until the hold is over: its next episode begins with the next
    latent. ``terminated``, ``truncated``, ``final_obs`` and the reward are those of the episode that ended.

    Time limits are those of the wrapped environment, in its control steps; a hold that meets one ends there. The
    figures of ended episodes, ``info["episode"]``, are the wrapped environment's too: returns and terms in its own
    reward, summed over its control steps, and lengths in these, so that they compare with a controller without prior.
    """

    def __init__(
        self,
        env: Freezable,
        prior: Prior,
        hold: int = 5,
        reward: Literal["mean", "sum"] = "mean",
        style: bool = False,
    ) -> None:
        """Wraps an environment.

        Args:
            env: whose actions the prior gives and whose observation has the groups it reads; not used otherwise.
            prior: frozen.
            hold: control steps; 5, at 30 Hz, in Peng et al.; 6 Hz are 8 steps at 50 Hz.
            reward: whether rewards of the steps that were made are averaged, as in Peng et al., or summed.
            style: whether 0.1 times the prior's own reward is added to 0.9 times the task's. The observation then needs
                a group ``style``, and the prior a ``style_reward``.

        Raises:
            UserError: the prior does not fit the environment; it says why.
        """
        _refuse_misfit(env, prior, hold, style)
        self.env, self.prior, self.hold, self.reward = env, prior, hold, reward
        self.num_worlds = env.num_worlds
        self.observation_space = env.observation_space
        self.action_space = prior.latent_space
        self.observation_spec = env.observation_spec
        self.control_dt = env.control_dt * hold
        self.decimation = env.decimation * hold
        self.world = env.world
        self._observation: Observation = {}
        self._memory = prior.initial_memory(env.num_worlds)
        self._windows = _Windows(env, prior) if style else None

    def reset(self, seed: int | None = None) -> tuple[Observation, dict[str, Any]]:
        """Begins an episode in every world."""
        self._observation, info = self.env.reset(seed)
        self._memory = self.prior.initial_memory(self.num_worlds)
        if self._windows is not None:
            self._windows.begin(np.arange(self.num_worlds), self._observation[STYLE])
        return self._observation, info

    def step(self, actions: Tensor) -> tuple[Observation, Tensor, Tensor, Tensor, dict[str, Any]]:
        """One latent, for as many control steps as it is held; see `VectorEnv.step`."""
        expected = (self.num_worlds, *self.action_space.shape)
        if actions.shape != expected:
            raise ValueError(f"latents have shape {tuple(actions.shape)}; expected {expected}")
        if not self._observation:
            raise RuntimeError("reset the environment before its first step")
        latent = self.prior.project(actions)
        gathered = _Gathered(self.num_worlds)
        frozen: list[tuple[np.ndarray, Any]] = []
        observation, memory = self._observation, self._memory
        for _ in range(self.hold):
            low, memory = self.prior.decode(observation, latent, memory)
            observation, _, terminated, truncated, info = self.env.step(low)
            if self._windows is not None:
                info = self._windows.judged(info)
            ended = gathered.take(observation, terminated, truncated, info)
            if len(ended):
                memory = self.prior.clear(memory, terminated | truncated)
                frozen.append((ended, self.env.standing(ended)))
                if gathered.all_ended:
                    break
        for worlds, standing in frozen:
            observation = self.env.put_back(worlds, standing)
        if frozen:
            begun = np.concatenate([worlds for worlds, _ in frozen])
            memory = self.prior.clear(memory, torch.from_numpy(gathered.over))
            if self._windows is not None:
                self._windows.begin(begun, observation[STYLE][torch.from_numpy(begun)])
        self._observation, self._memory = observation, memory
        return gathered.step(observation, self.reward)

    def standing(self, worlds: np.ndarray) -> Any:
        """See `Freezable`."""
        rows = torch.from_numpy(worlds)
        windows = self._windows.frames[rows].clone() if self._windows is not None else None
        return self.env.standing(worlds), tuple(part[rows].clone() for part in self._memory), windows

    def put_back(self, worlds: np.ndarray, standing: Any) -> Observation:
        """See `Freezable`."""
        inner, memory, windows = standing
        rows = torch.from_numpy(worlds)
        self._observation = self.env.put_back(worlds, inner)
        self._memory = tuple(part.clone() for part in self._memory)
        for part, kept in zip(self._memory, memory, strict=True):
            part[rows] = kept
        if self._windows is not None:
            self._windows.frames[rows] = windows
        return self._observation

    def state_dict(self) -> dict[str, Tensor]:
        """All that determines what follows, the current observation included."""
        state = {f"inner/{name}": value for name, value in self.env.state_dict().items()}
        state |= {f"memory/{number}": value.clone() for number, value in enumerate(self._memory)}
        if self._windows is not None:
            state["windows"] = self._windows.frames.clone()
        return state

    def load_state_dict(self, state: dict[str, Tensor]) -> Observation:
        """Restores `state_dict` and returns the observation to go on from."""
        inner = {name.removeprefix("inner/"): value for name, value in state.items() if name.startswith("inner/")}
        self._observation = self.env.load_state_dict(inner)
        self._memory = tuple(state[f"memory/{number}"].clone() for number in range(len(self._memory)))
        if self._windows is not None:
            self._windows.frames.copy_(state["windows"])
        return self._observation

    def close(self) -> None:
        """Frees the worlds."""
        self.env.close()


class _Gathered:
    """What the control steps of one hold came to, each world's up to the end of its episode."""

    def __init__(self, num_worlds: int) -> None:
        self.over = np.zeros(num_worlds, dtype=bool)
        self._terminated, self._truncated = np.zeros(num_worlds, dtype=bool), np.zeros(num_worlds, dtype=bool)
        self._unhealthy = np.zeros(num_worlds, dtype=bool)
        self._steps = np.zeros(num_worlds)
        self._terms: dict[str, np.ndarray] = {}
        self._final: dict[str, np.ndarray] = {}
        self._episodes: list[tuple[np.ndarray, Mapping[str, Any]]] = []

    @property
    def all_ended(self) -> bool:
        """Whether no world is left to go on."""
        return bool(self.over.all())

    def take(
        self, observation: Observation, terminated: Tensor, truncated: Tensor, info: Mapping[str, Any]
    ) -> np.ndarray:
        """One control step; returns the numbers of the worlds whose episodes ended in it."""
        on = ~self.over
        self._steps += on
        for name, term in info["terms"].items():
            total = self._terms.setdefault(name, np.zeros(len(on)))
            total += np.where(on, term.numpy(), 0.0)
        ended = on & (terminated | truncated).numpy()
        self._terminated |= ended & terminated.numpy()
        self._truncated |= ended & truncated.numpy()
        if not ended.any():
            return np.empty(0, dtype=np.int64)
        worlds = ended.nonzero()[0]
        self._unhealthy |= ended & info["unhealthy"].numpy()
        for name, group in info["final_obs"].items():
            kept = self._final.setdefault(name, np.zeros(group.shape, dtype=group.numpy().dtype))
            kept[worlds] = group.numpy()[worlds]
        counted = np.isin(info["episode"]["world"].numpy(), worlds)
        self._episodes.append((counted, info["episode"]))
        self.over |= ended
        return worlds

    def step(self, observation: Observation, reward: str) -> tuple[Observation, Tensor, Tensor, Tensor, dict[str, Any]]:
        """What `VectorEnv.step` returns."""
        share = 1.0 / self._steps if reward == "mean" else np.ones_like(self._steps)
        terms = {name: total * share for name, total in self._terms.items()}
        final = observation
        if self.over.any():
            final = {name: group.clone() for name, group in observation.items()}
            for name, group in final.items():
                group.numpy()[self.over] = self._final[name][self.over]
        info = {
            "terms": {name: torch.from_numpy(term) for name, term in terms.items()},
            "unhealthy": torch.from_numpy(self._unhealthy),
            "final_obs": final,
            "episode": _Episodes(self._episodes),
        }
        total = sum(terms.values(), np.zeros(len(self.over))).astype(np.float32)
        terminated, truncated = torch.from_numpy(self._terminated), torch.from_numpy(self._truncated)
        return observation, torch.from_numpy(total), terminated, truncated, info


class _Episodes(Mapping[str, Any]):
    """``info["episode"]`` of several control steps, one after the other; worlds that were frozen left out."""

    def __init__(self, parts: list[tuple[np.ndarray, Mapping[str, Any]]]) -> None:
        self._parts = [(torch.from_numpy(counted), episode) for counted, episode in parts]

    def __getitem__(self, name: str) -> Any:
        if name not in tuple(self):
            raise KeyError(name)
        if name in ("terms", "metrics"):
            names = self._parts[0][1][name] if self._parts else ()
            return {each: self._joined(lambda episode, each=each: episode[name][each]) for each in names}
        kind = torch.float64 if name == "return" else torch.int64
        return self._joined(lambda episode: episode[name], kind)

    def _joined(self, of: Callable[[Mapping[str, Any]], Tensor], kind: torch.dtype = torch.float64) -> Tensor:
        found = [of(episode)[counted] for counted, episode in self._parts]
        return torch.cat(found) if found else torch.empty(0, dtype=kind)

    def __iter__(self) -> Iterator[str]:
        return iter(("world", "return", "length", "terms", "metrics"))

    def __len__(self) -> int:
        return 5


class _Windows:
    """The last control steps of each world, judged by the prior."""

    def __init__(self, env: VectorEnv, prior: Any) -> None:
        self._prior = prior
        features = env.observation_space[STYLE].shape or ()
        self.frames = torch.zeros(env.num_worlds, prior.window_steps, *features)
        """(W, steps, F), the latest last."""

    def begin(self, worlds: np.ndarray, style: Tensor) -> None:
        """Episodes begin at rest: their first frame, (k, F), fills the window."""
        self.frames[torch.from_numpy(worlds)] = style[:, None].expand(-1, self.frames.shape[1], -1)

    def judged(self, info: dict[str, Any]) -> dict[str, Any]:
        """The info of a control step, its terms weighed and with the prior's own reward."""
        rows = self.frames.numpy()
        rows[:, :-1] = rows[:, 1:]
        rows[:, -1] = info["final_obs"][STYLE].numpy()
        style = self._prior.style_reward(self.frames).double()
        terms = {name: TASK_WEIGHT * term for name, term in info["terms"].items()}
        if STYLE_TERM in terms:
            raise UserError("the task has a term named style of its own; leave style out")
        return {**info, "terms": {**terms, STYLE_TERM: STYLE_WEIGHT * style.masked_fill(info["unhealthy"], 0.0)}}


def _refuse_misfit(env: Any, prior: Prior, hold: int, style: bool) -> None:
    if not isinstance(hold, int) or not 1 <= hold <= LONGEST_HOLD:
        raise UserError(
            f"hold must be a whole number of control steps, 1 or more, at most {LONGEST_HOLD:,}; not {hold}"
        )
    if not hasattr(env, "put_back"):
        raise UserError(f"worlds of {type(env).__name__} cannot be frozen: LatentEnv needs an environment on the CPU")
    spaces = env.observation_space.spaces
    for group, terms in prior.observation_spec.items():
        size = sum(term.size for term in terms)
        if group not in spaces or spaces[group].shape != (size,):
            found = spaces[group].shape if group in spaces else "not there"
            raise UserError(
                f"the prior reads a group {group} of {size} numbers; that of this environment is {found}: "
                "it is for another robot or task"
            )
        named = [(term.name, term.size) for term in terms]
        shown = [(term.name, term.size) for term in env.observation_spec.groups[group]]
        if named != shown:
            raise UserError(f"the prior reads {group} as {named}, and this environment shows {shown}")
    if env.action_space.shape != prior.action_space.shape:
        raise UserError(
            f"the prior gives {prior.action_space.shape[0]} actions and this environment takes "
            f"{env.action_space.shape[0]}: it is for another robot"
        )
    if abs(env.control_dt - prior.control_dt) > 1e-6:
        raise UserError(f"the prior decides every {prior.control_dt:g} s, this environment every {env.control_dt:g} s")
    if style and not (STYLE in spaces and hasattr(prior, "style_reward")):
        raise UserError("style can be rewarded where the observation has a group style and the prior judges it")
