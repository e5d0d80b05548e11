"""``embodied train``: train a controller for one body, in a run folder that survives being killed."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from embodied.cli.actors import ROBOT
from embodied.cli.arguments import Place, parse, run_config
from embodied.cli.commanded import wanted_prior
from embodied.cli.training_loop import train_to_the_end
from embodied.envs import ForeignEnv, is_foreign, make
from embodied.envs.ages import spread_ages
from embodied.envs.latent import LatentEnv
from embodied.export.load import keep_prior
from embodied.learning.evaluate import Actor, Evaluation, evaluate, mean_actor
from embodied.learning.limits import refuse_impossible_learning
from embodied.learning.load import POLICY, save_policy
from embodied.learning.ppo import PPOConfig
from embodied.learning.stacked.trainer import StackedTrainer
from embodied.learning.symmetry import SymmetricLearning, SymmetryConfig, mirror_for
from embodied.learning.trainer import Trainer
from embodied.networks import PolicyConfig, PolicyShape
from embodied.physics.cpu import usable_cores
from embodied.physics.devices import is_gpu_world
from embodied.runs.checkpoint import latest_checkpoint
from embodied.runs.configuration import require_positive
from embodied.runs.errors import UserError
from embodied.runs.files import write_atomically
from embodied.runs.folder import RunFolder
from embodied.runs.seeds import generator_seed, stream, torch_generator
from embodied.skills.command import HOLD, HeldLatents
from embodied.tasks import find_task
from embodied.vector_env import VectorEnv
from morphologies import Body, body_from_genome, find_body, from_json, to_json
from morphologies.read import SUFFIXES, Reading, keep, kept_robot, read

EVALUATION, AGES = 100, 101
"""Streams of randomness below the run's seed: the evaluation's, and that of the ages of first episodes."""


@dataclass(frozen=True)
class Train(Place):
    """Train a controller for one body."""

    task: str = "flat"
    """Registered name, or gymnasium:ID or dm_control:DOMAIN-TASK for an environment from elsewhere."""
    body: str | None = None
    """Name, genome file, or robot's file (MJCF, URDF); the task's own body by default."""
    asset_root: Path | None = None
    """Folder that all files of a robot must lie in; by default its ROS package, or its own folder."""
    genome: str | None = None
    """The body's genome as JSON; a run fills it in itself, so that it does not depend on a file."""
    steps: int = 1_000_000
    """Environment steps in all."""
    worlds: int = 128
    """Worlds stepped together."""
    prior: Path | None = None
    """Run of embodied pretrain ase, prior file, bundle of a prior, or name of one that ships: the policy commands it
    through latents."""
    hold: int | None = None
    """Control steps that a latent is held for; 8 by default, 6 Hz at 50 Hz."""
    style: bool | None = None
    """Whether a tenth of the reward is the prior's own, for movements like the clips'; it is not by default."""
    seed: int = 0
    """Of everything random."""
    device: str = "cpu"
    """Where worlds are simulated and policies learn: cpu; cuda, or cuda:1 and so on; or warp-cpu, the GPU's code on the
    CPU, slow."""
    threads: int | None = None
    """For the physics on the CPU; all usable cores by default."""
    spread_ages: bool | None = None
    """Whether first episodes begin at random ages, so that time limits do not end all of them at once, ever after; by
    default they do on a GPU, where a rollout is short beside an episode."""
    episodes: int = 32
    """Of the evaluation at the end."""
    checkpoint_every: int = 20
    """Iterations between checkpoints."""
    ppo: PPOConfig = field(default_factory=PPOConfig)
    """Hyperparameters."""
    policy: PolicyConfig = field(default_factory=PolicyConfig)
    """Its networks."""
    symmetry: SymmetryConfig = field(default_factory=SymmetryConfig)
    """What is made of mirror images, for bodies and tasks whose left is as good as their right."""


def run(arguments: list[str]) -> None:
    """The command."""
    train(parse("train", Train, arguments, "Train a controller for one body."))


def train(config: Train) -> Path:
    """Trains, evaluates, and returns the run's folder."""
    torch.set_num_threads(1)
    require_positive(config, "steps", "threads", "episodes", "checkpoint_every")
    refuse_impossible_learning(config)
    path = config.out or Path("runs") / _folder_name(config)
    body, robot = _body(config, path)
    if body is not None:
        genome = to_json(body.genome) if body.genome is not None else None
        config = replace(config, body=body.name if genome else config.body, genome=genome)
    # What cannot be learned is refused before a folder is made.
    prior = wanted_prior(config.prior, config.hold, config.style, path)
    env: Any = make(config.task, body, config.worlds, config.device, threads=config.threads)
    if prior is not None:
        if body is None or body.name != prior.robot:
            raise UserError(f"the prior is for {prior.robot}, not for {body.name if body else config.task}")
        if config.symmetry.wanted or config.spread_ages:
            raise UserError("what a latent's mirror image is, is not known: leave --symmetry and --spread-ages out")
        env = LatentEnv(env, prior, HOLD if config.hold is None else config.hold, style=bool(config.style))
    trainer = _trainer(config, env)
    if ages_are_spread(config):
        spread_ages(env, torch_generator(stream(config.seed, AGES)))
    with RunFolder.open(path, "train", run_config(config), config.resume) as folder:
        if robot is not None:
            write_atomically(path / ROBOT, keep(robot))
            for problem in robot.problems:
                print(f"{robot.name}: {problem}")
        if prior is not None:
            keep_prior(prior, path)
        stored = None if folder.fresh else latest_checkpoint(path / "checkpoints")
        if stored:
            take_up(trainer, *stored, path, config.device)
        if (path / "evaluation.json").exists() and trainer.finished:
            env.close()
            print(f"{path} is finished already; embodied eval {path} evaluates it again.")
            return path
        (path / "evaluation.json").unlink(missing_ok=True)
        who = body.name if body else "a policy"
        print(
            f"Training {who} on {config.task}: {trainer.iterations * trainer.samples:,} steps in {config.worlds} "
            f"worlds into {path}" + (f", from step {trainer.steps:,} on" if stored else "")
        )
        _loop(config, trainer, path)
        if is_gpu_world(config.device) and (warnings := env.world.warnings):
            said = ", ".join(f"{name} {count:,}" for name, count in warnings.items())
            print(f"The physics warned, in worlds x control steps: {said}.")
        save_policy(trainer.policy, path / POLICY)
        env.close()
        hold = HOLD if config.hold is None else config.hold
        actor = mean_actor(trainer.policy) if prior is None else HeldLatents(trainer.policy, prior, hold)
        result = evaluate_actor(config.task, body, actor, config.episodes, config.seed, config.threads)
        write_atomically(path / "evaluation.json", json.dumps({**result.summary(), "returns": result.returns}))
        print(describe_evaluation(result))
        print(f"Policy  {path / POLICY}\nCurves  {path / 'metrics.jsonl'}\nVideo   embodied play {path}")
    return path


def _trainer(config: Train, env: VectorEnv) -> Trainer | StackedTrainer:
    """On a device the learner of many policies, with one: nothing in it waits for the device."""
    symmetry = _symmetry(config, env)
    if is_gpu_world(config.device):
        return StackedTrainer(env, config.ppo, config.steps, [config.seed], config.policy, symmetry=symmetry)
    threads = min(config.threads or usable_cores(), config.worlds)
    return Trainer(env, config.ppo, config.steps, config.seed, config.policy, threads, symmetry)


def _symmetry(config: Train, env: Any) -> SymmetricLearning | None:
    """What is made of mirror images; refuses a body, or an observation, that has none."""
    if not config.symmetry.wanted:
        return None
    if is_foreign(config.task):
        raise UserError(f"{config.task} brings a body whose mirror image is not known; leave --symmetry out")
    groups = PolicyShape.for_spaces(env.observation_space, env.action_space, config.policy).groups
    (agent,) = env.env.task.agents
    mirror = mirror_for(env.env.scene.entities[agent], env.observation_spec.groups, groups)
    return SymmetricLearning(mirror, config.symmetry)


def ages_are_spread(config: Train) -> bool:
    """Whether first episodes of this training begin at random ages."""
    return is_gpu_world(config.device) if config.spread_ages is None else config.spread_ages


def take_up(
    trainer: Trainer | StackedTrainer, tensors: dict[str, Tensor], facts: dict[str, Any], path: Path, device: str
) -> None:
    """Loads a checkpoint into a trainer that has just begun.

    Worlds of one kind of device mean nothing to another: what was learned goes on there, in new episodes.

    Raises:
        UserError: it is not one of this training.
    """
    try:
        if facts.get("device", "cpu") != _kind(device):
            begun, _ = trainer.state()
            learned = {name: tensor for name, tensor in tensors.items() if name.startswith(("policy/", "ppo/"))}
            tensors = begun | learned
        trainer.load_state(tensors, facts)
    except (KeyError, TypeError, ValueError, RuntimeError, AttributeError):
        raise UserError(f"{path / 'checkpoints'} holds a checkpoint that is none of this training's") from None


def _kind(device: str) -> str:
    """Of a device: its name without the number."""
    return device.partition(":")[0]


def _loop(config: Train, trainer: Trainer | StackedTrainer, path: Path) -> None:
    train_to_the_end("train", trainer, path, config.checkpoint_every, {"device": _kind(config.device)})


def _folder_name(config: Train) -> str:
    body = None if is_foreign(config.task) else config.body or find_task(config.task).default_body
    what = "-".join(["train", config.task, *([Path(body).stem] if body else [])])
    return f"{re.sub(r'[:/]', '-', what)}-{config.seed}"


def _body(config: Train, path: Path) -> tuple[Body | None, Reading | None]:
    """The body, and what was read of it where it is a robot's file.

    No body where the environment comes from elsewhere, and with a body of its own.
    """
    if is_foreign(config.task):
        if config.body is not None or config.genome is not None:
            raise UserError(f"{config.task} brings a body of its own; leave --body out")
        env = ForeignEnv(config.task)  # a wrong name is refused before a folder is made
        env.close()
        if config.spread_ages and env.episode_steps is None:
            raise UserError(f"the time limit of {config.task} is not known; leave --spread-ages out")
        return None, None
    if config.genome is not None:
        return body_from_genome(from_json(config.genome), config.body or "body"), None
    if config.body is not None and Path(config.body).suffix.lower() in SUFFIXES:
        if config.resume and (path / ROBOT).exists():  # the run goes on with the robot it began with
            return kept_robot(path / ROBOT), None
        reading = read(config.body, config.asset_root)
        return reading.body(), reading
    return find_body(config.body if config.body is not None else find_task(config.task).default_body), None


def evaluate_actor(
    task: str, body: Body | None, actor: Actor, episodes: int, seed: int, threads: int | None = None
) -> Evaluation:
    """Full episodes, one world each, on the CPU wherever the policy was trained."""
    env = make(task, body, episodes, threads=threads)
    result = evaluate(env, actor, generator_seed(stream(seed, EVALUATION)))
    env.close()
    return result


def describe_evaluation(result: Evaluation) -> str:
    """``return 812.3 ± 31.0 over 32 episodes (95 % interval of the mean 801.1 to 823.0), length 1000``."""
    figures = result.summary()
    total, length = figures["return"], figures["length"]
    failed = f"; the physics failed, or a sense left its limits, in {result.unhealthy}" if result.unhealthy else ""
    return (
        f"return {total['mean']:,.1f} ± {total['std']:,.1f} over {figures['episodes']} episodes "
        f"(95 % interval of the mean {total['low']:,.1f} to {total['high']:,.1f}), "
        f"mean length {length['mean']:,.0f}{failed}"
    )
