"""Stable-Baselines3's PPO on our environment, fed three ways. Needs the extra ``bench``."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import torch

from embodied.envs import make
from embodied.learning.ppo import PPOConfig

ROLLOUT = 4096
"""Samples, whatever the number of environments."""


def stable_baselines3_rate(feed: str, task: str, body: str, steps: int, worlds: int, config: PPOConfig) -> float:
    """Environment steps a second over a training of ``steps``, with our network, minibatch and epochs.

    Args:
        feed: ``gymnasium`` (one environment), ``dummy`` (DummyVecEnv of 32) or ``batched`` (our adapter).
        task, body: as for `make`.
        steps: environment steps, after one rollout of warm-up.
        worlds: of the batched adapter.
        config: minibatch, epochs and coefficients are taken from it.
    """
    from stable_baselines3 import PPO
    from stable_baselines3.common.vec_env import DummyVecEnv

    from embodied.envs.doors.stable_baselines3 import StableBaselines3Env

    makers: dict[str, Callable[[], Any]] = {
        "gymnasium": lambda: DummyVecEnv([_flat(task, body)]),
        "dummy": lambda: DummyVecEnv([_flat(task, body)] * 32),
        "batched": lambda: StableBaselines3Env(make(task, body, worlds)),
    }
    torch.set_num_threads(1)
    env = makers[feed]()
    model = PPO(
        "MlpPolicy",
        env,
        n_steps=ROLLOUT // env.num_envs,
        batch_size=config.minibatch,
        n_epochs=config.epochs,
        gamma=config.gamma,
        gae_lambda=config.gae_lambda,
        clip_range=config.clip,
        clip_range_vf=config.clip,
        ent_coef=config.entropy_coefficient,
        vf_coef=config.value_coefficient,
        max_grad_norm=config.max_gradient_norm,
        learning_rate=config.learning_rate,
        policy_kwargs={"net_arch": {"pi": [64, 64], "vf": [64, 64]}},
        seed=0,
        device="cpu",
    )
    model.learn(ROLLOUT)
    began = time.perf_counter()
    model.learn(steps, reset_num_timesteps=False)
    seconds = time.perf_counter() - began
    env.close()
    return -(-steps // ROLLOUT) * ROLLOUT / seconds


def _flat(task: str, body: str) -> Callable[[], Any]:
    """One world whose dictionary observation is flattened, as Stable-Baselines3's MlpPolicy wants it."""
    from gymnasium.wrappers import FlattenObservation

    from embodied.envs.doors.gymnasium import GymnasiumEnv

    return lambda: FlattenObservation(GymnasiumEnv(task, body))
