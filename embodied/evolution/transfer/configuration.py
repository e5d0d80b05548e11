"""What can be chosen of a transfer, and what none can have."""

from __future__ import annotations

from dataclasses import dataclass, field

from embodied.evolution.configuration import refuse_impossible_work
from embodied.learning.limits import refuse_impossible_learning
from embodied.learning.ppo import PPOConfig
from embodied.networks import PolicyConfig
from embodied.runs.configuration import require_positive
from embodied.runs.errors import UserError
from embodied.tasks import find_task

TEST_TASKS = (
    "patrol",
    "point_nav",
    "obstacle",
    "escape",
    "incline",
    "push_box_incline",
    "manipulate_ball",
    "exploration",
)
"""The eight that Gupta et al. (2021) judge evolved bodies by: agility, stability and manipulation."""


@dataclass(frozen=True)
class TransferConfig:
    """How the bodies of one evolution learn other tasks."""

    top: int = 10
    """Best bodies, each genome once. DERL, 10."""
    initial: int = 1
    """Best bodies of the initial population, which are what chance alone had found; 0 for none."""
    tasks: tuple[str, ...] = TEST_TASKS
    """Registered names."""
    steps: int = 1_000_000
    """Environment steps of one training. DERL, 5,000,000."""
    worlds: int = 64
    """Worlds of one training."""
    episodes: int = 16
    """Of the evaluation, mean action, on the same seeds for all bodies."""
    seed: int = 0
    """Of everything random."""
    workers: int | None = None
    """Processes; as many as there are usable cores by default."""
    device: str = "cpu"
    """Where bodies are trained."""
    checkpoint_seconds: float = 10.0
    """Between two checkpoints of a training."""
    patience: float = 300.0
    """Seconds without a sign of life after which a worker counts as hanging."""
    memory: float | None = None
    """GiB that one worker may use; by default a worker's share of nine tenths of the machine."""
    ppo: PPOConfig = field(default_factory=lambda: PPOConfig(rollout_steps=64))
    """Hyperparameters of learning."""
    policy: PolicyConfig = field(default_factory=PolicyConfig)
    """Its networks."""


def refuse_impossible(config: TransferConfig) -> None:
    """Raises UserError or UnknownTask for a configuration that no transfer can have."""
    require_positive(config, "top", "steps", "episodes", "workers")
    if config.initial < 0:
        raise UserError(f"--initial must be at least 0, not {config.initial}")
    refuse_impossible_learning(config)
    refuse_impossible_work(config)
    if not config.tasks or len(set(config.tasks)) < len(config.tasks):
        raise UserError("--tasks must be one or several different ones")
    for name in config.tasks:
        find_task(name)
