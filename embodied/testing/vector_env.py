"""What every VectorEnv promises: the protocol that learners see, held by playing it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor

from embodied.vector_env import Observation, VectorEnv, WaitlessEnv

NEAR = 1e-4
"""Within which sums of rewards agree, which may be in single precision; and numbers from one seed, on a GPU."""
FIGURES = {"world", "return", "length", "terms", "metrics"}


def check_vector_env(make_env: Callable[[], VectorEnv], steps: int = 60) -> None:
    """Asserts that an environment shows, gives and remembers what `VectorEnv` says; of a `WaitlessEnv` that too.

    Args:
        make_env: gives a fresh environment each time.
        steps: control steps to play; episodes should end within them.
    """
    env, twin = make_env(), make_env()
    actions = _actions(env, steps)
    _check_beginning(env)
    _check_play(env, actions)
    if isinstance(env, WaitlessEnv):
        _check_counters(env)
    first, _ = env.reset(seed=3)
    same, _ = twin.reset(seed=3)
    _check_alike(env, twin, first, same, actions[:5], "two runs of one seed differ")
    state = {name: value.clone() for name, value in env.state_dict().items()}
    twin.reset(seed=11)
    first, same = env.load_state_dict(state), twin.load_state_dict(state)
    _check_alike(env, twin, first, same, actions[5:10], "what follows a stored state differs")
    if env.episode_steps is not None:
        _check_ages(env, env.episode_steps, actions[0])
    env.close()
    twin.close()


def _actions(env: VectorEnv, steps: int) -> Tensor:
    """(steps, W, n) within the limits, and within one unit."""
    low, high = (torch.from_numpy(limit).clamp(-1.0, 1.0) for limit in (env.action_space.low, env.action_space.high))
    chance = torch.rand(max(steps, 10), env.num_worlds, *low.shape, generator=torch.Generator().manual_seed(0))
    return (low + (high - low) * chance).to(env.device)


def _check_beginning(env: VectorEnv) -> None:
    observation, info = env.reset(seed=7)
    assert isinstance(info, dict)
    assert env.episode_steps is None or env.episode_steps >= 1
    _check_one_each(env, env.episode_length, torch.int64, "episode_length")
    assert not bool(env.episode_length.any()), "an episode that has just begun has an age"
    _check_groups(env, observation)


def _check_one_each(env: VectorEnv, values: Tensor, kind: torch.dtype, name: str) -> None:
    assert values.shape == (env.num_worlds,), f"{name} is {tuple(values.shape)}, not one number per world"
    assert values.dtype == kind, f"{name} is {values.dtype}, not {kind}"
    assert values.device == env.device, f"{name} does not lie on the environment's device"


def _check_groups(env: VectorEnv, observation: Observation) -> None:
    assert observation.keys() == env.observation_space.spaces.keys(), "groups are not those of the space"
    for name, group in observation.items():
        assert tuple(group.shape) == (env.num_worlds, *(env.observation_space[name].shape or ())), name
        assert group.dtype == torch.float32, f"group {name} is {group.dtype}, not float32"
        assert group.device == env.device, f"group {name} does not lie on the environment's device"


def _check_play(env: VectorEnv, actions: Tensor) -> None:
    """Figures of episodes are looked into at the end alone: they stay what they are."""
    returns = torch.zeros(env.num_worlds, dtype=torch.float64)
    lengths = torch.zeros(env.num_worlds, dtype=torch.int64)
    told: list[tuple[Mapping[str, Any], Mapping[str, Tensor]]] = []
    for action in actions:
        age = env.episode_length.clone()
        observation, reward, terminated, truncated, info = env.step(action)
        _check_step(env, observation, reward, terminated, truncated, info)
        done = terminated | truncated
        assert torch.equal(env.episode_length, (age + 1).masked_fill(done, 0)), "episode_length does not count steps"
        if env.episode_steps is not None:
            late = age + 1 >= env.episode_steps
            assert torch.equal(truncated, late & ~terminated), "truncated, but not by the time limit"
        if isinstance(env, WaitlessEnv):
            assert torch.equal(info["finished"], done), "finished is not where episodes ended"
        returns += reward.cpu()
        lengths += 1
        ended = done.cpu().nonzero().flatten()
        told.append((info, {"world": ended, "return": returns[ended], "length": lengths[ended]}))
        returns[ended], lengths[ended] = 0.0, 0
    for info, expected in told:
        _check_figures(info, expected, isinstance(env, WaitlessEnv))


def _check_step(
    env: VectorEnv,
    observation: Observation,
    reward: Tensor,
    terminated: Tensor,
    truncated: Tensor,
    info: Mapping[str, Any],
) -> None:
    _check_groups(env, observation)
    _check_groups(env, info["final_obs"])
    _check_one_each(env, reward, torch.float32, "reward")
    for name, flags in {"terminated": terminated, "truncated": truncated, "unhealthy": info["unhealthy"]}.items():
        _check_one_each(env, flags, torch.bool, name)
    assert not bool((terminated & truncated).any()), "an episode both terminated and was truncated"
    assert not bool((info["unhealthy"] & ~terminated).any()), "a world with failed physics went on"
    on = ~(terminated | truncated)
    for name, group in observation.items():
        assert torch.equal(group[on], info["final_obs"][name][on]), "final_obs differs where no episode ended"
    total = torch.stack(tuple(info["terms"].values())).sum(dim=0).float()
    torch.testing.assert_close(reward, total, rtol=NEAR, atol=NEAR, msg="the reward is not the sum of its terms")


def _check_figures(info: Mapping[str, Any], expected: Mapping[str, Tensor], waitless: bool) -> None:
    episode = info["episode"]
    assert isinstance(episode, Mapping)
    assert set(episode) == FIGURES, f"episode holds {sorted(episode)}; expected {sorted(FIGURES)}"
    worlds = expected["world"]
    assert torch.equal(episode["world"], worlds), "episode does not name the worlds whose episodes ended, in order"
    assert torch.equal(episode["length"], expected["length"]), "an episode's length is not that of the steps made"
    assert episode["terms"].keys() == info["terms"].keys(), "episode's terms are not the reward's"
    total = torch.stack(tuple(episode["terms"].values())).double().sum(dim=0)
    for found in (episode["return"].double(), total):
        message = "an episode's return is not the sum of its rewards"
        torch.testing.assert_close(found, expected["return"], rtol=NEAR, atol=NEAR, msg=message)
    assert all(values.shape == worlds.shape for values in episode["metrics"].values()), "a metric is not one a world"
    if waitless:
        for kind in ("terms", "metrics"):
            assert info[f"episode_{kind}"].keys() == episode[kind].keys(), f"episode_{kind} has other names"
        flat = {**episode["terms"], **episode["metrics"], "return": episode["return"], "length": episode["length"]}
        own = {**info["episode_terms"], **info["episode_metrics"]}
        own |= {"return": info["episode_return"], "length": info["episode_length"]}
        for name, values in flat.items():
            assert torch.equal(own[name].cpu()[worlds], values), f"{name} on the device differs from episode's"


def _check_counters(env: WaitlessEnv) -> None:
    assert all(count.shape == () and count.device == env.device for count in env.counters.values())
    env.judge()
    env.judge({name: float(count) for name, count in env.counters.items()})


def _check_alike(
    env: VectorEnv, twin: VectorEnv, first: Observation, same: Observation, actions: Tensor, message: str
) -> None:
    """Both show the same, now and through the actions."""
    for action in (None, *actions):
        if action is not None:
            first, same = env.step(action)[0], twin.step(action)[0]
        for name, group in first.items():
            torch.testing.assert_close(same[name], group, rtol=NEAR, atol=NEAR, msg=f"{message}: {name}")


def _check_ages(env: VectorEnv, limit: int, action: Tensor) -> None:
    """An episode one step before its limit is truncated by the next one, and lasted for one step."""
    env.reset(seed=5)
    env.episode_length.fill_(limit - 1)
    _, _, terminated, truncated, info = env.step(action)
    assert bool((terminated | truncated).all()), "writing episode_length does not change when episodes are truncated"
    assert info["episode"]["length"].tolist() == [1] * env.num_worlds, "an age counts as steps made"
    assert not bool(env.episode_length.any())
