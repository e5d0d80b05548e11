"""What can be chosen of an evolution, and what no evolution can have."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from embodied.learning.limits import refuse_impossible_learning
from embodied.learning.ppo import PPOConfig
from embodied.networks import PolicyConfig
from embodied.physics.devices import is_gpu_world
from embodied.runs.configuration import require_positive
from embodied.runs.errors import UserError
from embodied.tasks import find_task

OBJECTIVES = {"fitness": 1.0, "speed": 1.0, "cost_of_transport": -1.0, "limbs": -1.0}
"""What can be selected for, and whether more of it is better."""


@dataclass(frozen=True)
class LivingConfig:
    """How lifetimes are lived: what evolutions and transfers have in common."""

    steps: int = 250_000
    """Environment steps of one lifetime. DERL, 5,000,000."""
    worlds: int = 64
    """Worlds of one lifetime."""
    episodes: int = 16
    """Of the evaluation after a lifetime, mean action, on the same seeds for all bodies."""
    seed: int = 0
    """Of everything random."""
    workers: int | None = None
    """Processes on the CPU; as many as there are usable cores by default, beside a GPU three quarters of them."""
    device: str = "cpu"
    """Where lifetimes are lived. Of an evolution: cpu; cuda, or cuda:1 and so on, where bodies of one topology learn
    together, beside the CPU workers; or warp-cpu, the GPU's code on the CPU, slow."""
    checkpoint_seconds: float = 10.0
    """Between two checkpoints of a lifetime."""
    patience: float = 300.0
    """Seconds without a sign of life after which a worker counts as hanging."""
    memory: float | None = None
    """GiB that one worker may use; by default a worker's share of nine tenths of the machine."""
    ppo: PPOConfig = field(default_factory=lambda: PPOConfig(rollout_steps=64))
    """Hyperparameters of learning."""
    policy: PolicyConfig = field(default_factory=PolicyConfig)
    """Its networks."""


@dataclass(frozen=True)
class EvolveConfig(LivingConfig):
    """One evolution."""

    task: str = "flat"
    """Registered name."""
    search: Literal["tournament", "random", "nsga2", "map-elites"] = "tournament"
    """Where bodies after the initial ones come from: mutated winners of DERL's tournament with ageing, anew at random,
    mutated winners of NSGA-II, or mutated elites of an archive over body descriptors."""
    objectives: tuple[str, ...] = ("fitness",)
    """What nsga2 selects on: of fitness, speed, cost_of_transport, limbs. The other searches know fitness alone."""
    lifetimes: int = 64
    """In all, the initial population included. DERL, 4,000."""
    population: int = 16
    """Initial bodies, and the number of most recent ones that tournaments are held among. DERL, 576."""
    tournament: int = 4
    """Bodies drawn, with replacement, of which the best becomes a parent. DERL."""
    space: Literal["unimal", "splayed"] = "unimal"
    """Design space: the paper's, or with limbs that splay on mirrored limbs."""
    budget: Literal["fixed", "halving"] = "fixed"
    """Whether every lifetime gets all its steps, or hopeless ones are cut short by asynchronous successive halving."""
    halving_factor: int = 3
    """Part of the lifetimes, one in so many, that a rung of successive halving lets through."""
    batch: int = 128
    """On a GPU: bodies bred at a time, after the initial ones."""
    brood: int = 1
    """On a GPU: children in a row, of those whose mutation changes numbers alone, that share a parent. DERL, 1."""
    bucket_min: int = 2
    """On a GPU: bodies of one topology that learn there together, at least; fewer learn on the CPU workers."""
    bucket_max: int = 32
    """The same, at most."""


def refuse_impossible(config: EvolveConfig) -> None:
    """Raises UserError for a configuration that no evolution can have."""
    require_positive(config, "lifetimes", "population", "tournament", "steps", "episodes")
    require_positive(config, "batch", "brood", "bucket_min", "bucket_max")
    if not is_gpu_world(config.device):
        require_positive(config, "workers")
    else:
        _refuse_impossible_on_device(config)
    refuse_impossible_living(config)
    if unknown := [name for name in config.objectives if name not in OBJECTIVES]:
        raise UserError(f"there is no objective {unknown[0]!r}; known are {', '.join(OBJECTIVES)}")
    if not config.objectives or len(set(config.objectives)) < len(config.objectives):
        raise UserError("--objectives must be one or several different ones")
    if config.objectives != ("fitness",) and config.search != "nsga2":
        raise UserError(f"--search {config.search} selects on fitness alone; --objectives are for nsga2")
    if config.halving_factor < 2:
        raise UserError(f"--halving-factor must be at least 2, not {config.halving_factor}")


def _refuse_impossible_on_device(config: EvolveConfig) -> None:
    if config.workers is not None and config.workers < 0:
        raise UserError(f"--workers must be at least 0, not {config.workers}: those of the CPU, beside the device's")
    if config.bucket_max < config.bucket_min:
        raise UserError(f"--bucket-max must be at least --bucket-min, {config.bucket_min}, not {config.bucket_max}")
    if config.budget != "fixed":
        raise UserError(
            f"--budget {config.budget} is for the CPU: on {config.device} a bucket's lifetimes end together"
        )
    if find_task(config.task).body_constants is None:
        raise UserError(
            f"--task {config.task} cannot be learned by several bodies at once, as evolution does on {config.device}; "
            "use --device cpu"
        )
    from embodied.physics.gpu_limits import refuse_missing

    refuse_missing(config.device)


def refuse_impossible_living(config: LivingConfig) -> None:
    """Raises UserError naming the first field by which no lifetime can be lived."""
    refuse_impossible_learning(config)
    for name in ("checkpoint_seconds", "patience"):
        if not getattr(config, name) >= 0:
            raise UserError(f"--{name.replace('_', '-')} must be a time in seconds, not {getattr(config, name)}")
    if config.patience < 10:
        raise UserError(f"--patience must be at least 10 seconds, not {config.patience}: a worker needs some to start")
    if config.memory is not None and not config.memory >= 0.5:
        raise UserError(f"--memory must be at least 0.5 GiB, not {config.memory}: a worker at rest uses that much")
