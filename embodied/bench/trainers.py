"""Trainings as ``embodied train`` begins them, on the CPU and on a GPU."""

from __future__ import annotations

import torch

from embodied.envs import make
from embodied.learning.ppo import PPOConfig
from embodied.learning.stacked.trainer import StackedTrainer
from embodied.learning.trainer import Trainer
from embodied.physics.devices import is_gpu_world

ENDLESS = 10**9
"""Environment steps of a training that is watched for a while and then left."""
BATCH = 4096
"""Samples of a rollout on the CPU, whatever the number of worlds. DERL."""
GPU_STEPS, GPU_MINIBATCHES, GPU_EPOCHS = 24, 4, 5
"""On a GPU: of a rollout, in control steps; into how many minibatches it is split; and passes over it. rsl_rl."""


def usual_ppo(worlds: int, device: str = "cpu") -> PPOConfig:
    """Hyperparameters that go with a number of worlds on a device."""
    if is_gpu_world(device):
        minibatch = max(1, worlds * GPU_STEPS // GPU_MINIBATCHES)
        return PPOConfig(rollout_steps=GPU_STEPS, minibatch=minibatch, epochs=GPU_EPOCHS)
    return PPOConfig(rollout_steps=max(1, BATCH // worlds))


def begin_training(
    task: str,
    body: str,
    worlds: int,
    ppo: PPOConfig,
    threads: int,
    steps: int = ENDLESS,
    seed: int = 0,
    device: str = "cpu",
) -> Trainer | StackedTrainer:
    """A training at its beginning; its environment is ``trainer.env``, to be closed by who began it."""
    torch.set_num_threads(1)
    env = make(task, body, worlds, device, threads=threads)
    if is_gpu_world(device):
        return StackedTrainer(env, ppo, steps, [seed])
    return Trainer(env, ppo, steps, seed, threads=min(threads, worlds))
