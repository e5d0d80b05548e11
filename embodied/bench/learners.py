"""Our PPO against Stable-Baselines3's and rsl_rl's on our environment, with the same network, batch and settings.

Each run is a training of its own from nothing, behind one rollout of warm-up: all of them see a body that has learned
as little. Needs the extra ``bench``.
"""

from __future__ import annotations

import contextlib
import io
import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from importlib.util import find_spec
from typing import Any

import gymnasium
import torch

from embodied.bench.setting import Measure, OnTask
from embodied.bench.trainers import begin_training
from embodied.bench.turns import compared, in_turn, rows_of
from embodied.envs import make
from embodied.envs.device_vector import DeviceVectorEnv
from embodied.envs.vector import AutoresetEnv
from embodied.learning.ppo import PPOConfig
from embodied.networks import PolicyConfig
from embodied.runs.progress import Progress

OURS = "ours"
DUMMY_WORLDS = 32
"""Of Stable-Baselines3's DummyVecEnv."""
ONE_WORLD_SHARE, DUMMY_SHARE = 5, 2
"""Those feeds are slow, and get one step in so many."""
NETWORK = list(PolicyConfig.hidden)


@dataclass(frozen=True)
class Learners(OnTask):
    """Our PPO, rsl_rl's and Stable-Baselines3's on our environment."""

    steps: int = 100_000
    """Environment steps of one training; fewer where an environment is fed world by world."""
    runs: int = 3
    """Of each, in turn."""
    ppo: PPOConfig = field(default_factory=PPOConfig)
    """Hyperparameters, for all of them as far as they have them."""

    @property
    def rollout(self) -> int:
        """Samples."""
        return self.worlds * self.ppo.rollout_steps


def bench_learners(config: Learners, progress: Progress) -> dict[str, Any]:
    """Medians and ratios."""
    torch.set_num_threads(1)
    contenders: dict[str, Callable[[], float]] = {OURS: lambda: our_rate(config)}
    for threads in sorted({1, config.cores}):
        torch_on = f"torch on {threads} thread" + "s" * (threads > 1)
        if find_spec("rsl_rl"):
            contenders[f"rsl_rl, {torch_on}"] = partial(_on, threads, lambda: rsl_rl_rate(config))
        if find_spec("stable_baselines3"):
            contenders[f"Stable-Baselines3, batched door, {torch_on}"] = partial(
                _on, threads, lambda: _stable_baselines3_rate(config, "batched", 1)
            )
    if find_spec("stable_baselines3"):
        contenders[f"Stable-Baselines3, DummyVecEnv of {DUMMY_WORLDS}"] = lambda: _stable_baselines3_rate(
            config, "dummy", DUMMY_SHARE
        )
        contenders["Stable-Baselines3, one Gymnasium environment"] = lambda: _stable_baselines3_rate(
            config, "gymnasium", ONE_WORLD_SHARE
        )
    for package, name in {"rsl_rl": "rsl_rl", "stable_baselines3": "Stable-Baselines3"}.items():
        if not find_spec(package):
            progress.say(f"{name} is missing and left out; pip install 'embodied[bench]' brings it.")
    progress.say(
        f"PPO of {config.body} on {config.task}: trainings of {config.steps:,} steps, {config.worlds} worlds "
        f"{config.on_threads}, rounds of all in turn:"
    )
    return compared(in_turn(contenders, config.runs, progress.say), OURS)


def _on(threads: int, rate: Callable[[], float]) -> float:
    """A rate while torch has so many threads: theirs have them all the time, ours chooses for itself."""
    torch.set_num_threads(threads)
    try:
        return rate()
    finally:
        torch.set_num_threads(1)


def learners_rows(figures: dict[str, Any]) -> list[tuple[str, ...]]:
    """As a table."""
    return [("learner", "steps/s", "ours times as fast"), *rows_of(figures, OURS)]


def our_rate(config: Learners) -> float:
    """Environment steps a second of our PPO."""
    steps = config.steps + config.rollout
    trainer = begin_training(config.task, config.body, config.worlds, config.ppo, config.cores, steps, config.seed)
    trainer.iterate()
    began = time.perf_counter()
    while not trainer.finished:
        trainer.iterate()
    seconds = time.perf_counter() - began
    trainer.env.close()
    return (trainer.iterations - 1) * trainer.samples / seconds


def rsl_rl_rate(config: Learners) -> float:
    """Environment steps a second of rsl_rl's PPO through our door; its messages are thrown away."""
    env = _env(config)
    runner = rsl_rl_runner(env, config.ppo)
    iterations = math.ceil(config.steps / config.rollout)
    with contextlib.redirect_stdout(io.StringIO()):
        runner.learn(1)
        began = time.perf_counter()
        runner.learn(iterations)
        seconds = time.perf_counter() - began
    env.close()
    return iterations * config.rollout / seconds


def rsl_rl_runner(env: AutoresetEnv | DeviceVectorEnv, ppo: PPOConfig) -> Any:
    """rsl_rl's runner with our settings; it need not look for NaNs, because our environments do."""
    from rsl_rl.runners import OnPolicyRunner

    from embodied.envs.doors.rsl_rl import RslRlEnv

    groups = list(env.observation_space.spaces)
    model = {"class_name": "MLPModel", "hidden_dims": NETWORK, "activation": "tanh", "obs_normalization": True}
    settings = {
        "num_steps_per_env": ppo.rollout_steps,
        "check_for_nan": False,
        "obs_groups": {"actor": groups, "critic": groups},
        "algorithm": {
            "class_name": "PPO",
            "num_learning_epochs": ppo.epochs,
            "num_mini_batches": max(1, env.num_worlds * ppo.rollout_steps // ppo.minibatch),
            "clip_param": ppo.clip,
            "gamma": ppo.gamma,
            "lam": ppo.gae_lambda,
            "value_loss_coef": ppo.value_coefficient,
            "entropy_coef": ppo.entropy_coefficient,
            "learning_rate": ppo.learning_rate,
            "max_grad_norm": ppo.max_gradient_norm,
            "use_clipped_value_loss": True,
            "schedule": "fixed",
        },
        "actor": {**model, "distribution_cfg": {"class_name": "GaussianDistribution"}},
        "critic": model,
    }
    with contextlib.redirect_stdout(io.StringIO()):  # it prints its networks
        return OnPolicyRunner(RslRlEnv(env), settings, log_dir=None, device=str(env.device))


def _stable_baselines3_rate(config: Learners, feed: str, share: int) -> float:
    """Environment steps a second over a training of one step in ``share``.

    Feeds: ``gymnasium`` (one environment), ``dummy`` (DummyVecEnv) or ``batched`` (our door).
    """
    from stable_baselines3 import PPO
    from stable_baselines3.common.vec_env import DummyVecEnv

    from embodied.envs.doors.stable_baselines3 import StableBaselines3Env

    makers: dict[str, Callable[[], Any]] = {
        "gymnasium": lambda: DummyVecEnv([_flat(config)]),
        "dummy": lambda: DummyVecEnv([_flat(config)] * DUMMY_WORLDS),
        "batched": lambda: StableBaselines3Env(_env(config)),
    }
    env = makers[feed]()
    ppo = config.ppo
    each = max(1, config.rollout // env.num_envs)
    model = PPO(
        "MultiInputPolicy" if isinstance(env.observation_space, gymnasium.spaces.Dict) else "MlpPolicy",
        env,
        n_steps=each,
        batch_size=ppo.minibatch,
        n_epochs=ppo.epochs,
        gamma=ppo.gamma,
        gae_lambda=ppo.gae_lambda,
        clip_range=ppo.clip,
        clip_range_vf=ppo.clip,
        ent_coef=ppo.entropy_coefficient,
        vf_coef=ppo.value_coefficient,
        max_grad_norm=ppo.max_gradient_norm,
        learning_rate=ppo.learning_rate,
        policy_kwargs={"net_arch": {"pi": NETWORK, "vf": NETWORK}},
        seed=config.seed,
        device="cpu",
    )
    rollout = each * env.num_envs
    model.learn(rollout)
    iterations = math.ceil(config.steps / share / rollout)
    began = time.perf_counter()
    model.learn(iterations * rollout, reset_num_timesteps=False)
    seconds = time.perf_counter() - began
    env.close()
    return iterations * rollout / seconds


def _env(config: Learners) -> AutoresetEnv:
    return make(config.task, config.body, config.worlds, threads=config.cores)


def _flat(config: Learners) -> Callable[[], Any]:
    """One world whose dictionary observation is flattened, as Stable-Baselines3's MlpPolicy wants it."""
    from gymnasium.wrappers import FlattenObservation

    from embodied.envs.doors.gymnasium import GymnasiumEnv

    return lambda: FlattenObservation(GymnasiumEnv(config.task, config.body))


BENCH = Measure(Learners, bench_learners, learners_rows, brief=Learners(steps=40_000, runs=1))
