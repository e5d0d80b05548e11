"""What can be chosen of a transfer, and what none can have."""

from __future__ import annotations

from dataclasses import dataclass

from embodied.envs import is_foreign
from embodied.evolution.configuration import LivingConfig, refuse_impossible_living
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
class TransferConfig(LivingConfig):
    """How the bodies of one evolution learn other tasks."""

    top: int = 10
    """Best bodies, each genome once. DERL, 10."""
    initial: int = 1
    """Best bodies of the initial population, which are what chance alone had found; 0 for none."""
    tasks: tuple[str, ...] = TEST_TASKS
    """Registered names."""
    steps: int = 1_000_000
    """Environment steps of one training. DERL, 5,000,000."""


def refuse_impossible(config: TransferConfig) -> None:
    """Raises UserError or UnknownTask for a configuration that no transfer can have."""
    require_positive(config, "top", "steps", "episodes", "workers")
    if config.initial < 0:
        raise UserError(f"--initial must be at least 0, not {config.initial}")
    refuse_impossible_living(config)
    if config.device != "cpu":
        raise UserError(f"bodies are trained on other tasks on cpu alone, not on {config.device!r}")
    if not config.tasks or len(set(config.tasks)) < len(config.tasks):
        raise UserError("--tasks must be one or several different ones")
    for name in config.tasks:
        if is_foreign(name):
            raise UserError(f"{name} brings a body of its own: no evolved body can be trained on it")
        find_task(name)
