"""``embodied pretrain imitate``: one policy that tracks every clip of a library, in a run folder."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass, field
from pathlib import Path

import torch
from torch import Tensor

from embodied.cli.arguments import Place, parse, run_config
from embodied.cli.train import take_up
from embodied.cli.training_loop import train_to_the_end
from embodied.envs import AutoresetEnv, make
from embodied.learning.evaluate import Actor, mean_actor
from embodied.learning.limits import refuse_impossible_learning
from embodied.learning.load import POLICY, load, save_policy, warm_start
from embodied.learning.ppo import PPOConfig
from embodied.learning.symmetry import SymmetricLearning, SymmetryConfig, mirror_for
from embodied.learning.trainer import Trainer
from embodied.motion.library import MotionLibrary
from embodied.networks import PolicyConfig, PolicyShape
from embodied.runs.checkpoint import latest_checkpoint
from embodied.runs.configuration import require_positive
from embodied.runs.errors import UserError
from embodied.runs.files import write_atomically
from embodied.runs.folder import CONFIG, RunFolder, read_run_config
from embodied.skills.tracking import TrackingConfig, TrackingTask
from embodied.skills.tracking_evaluation import TrackingResult, evaluate_tracking
from embodied.skills.tracking_run import CLIPS, EVALUATION, KIND, hold_to_clips, tracking_run
from embodied.vector_env import Observation
from morphologies import Body, find_body


def _ppo() -> PPOConfig:
    return PPOConfig(
        rollout_steps=24,
        minibatch=768,
        epochs=4,
        gamma=0.97,
        learning_rate=5e-4,
        final_learning_rate=5e-5,
        entropy_coefficient=0.0,
        max_gradient_norm=1.0,
        kl_stop=0.05,
    )


def _policy() -> PolicyConfig:
    return PolicyConfig(
        hidden=(256, 128),
        initial_log_std=-0.5,
        actor_groups=("proprio", "goal"),
        critic_groups=("proprio", "goal", "privileged"),
    )


@dataclass(frozen=True)
class Imitate(Place):
    """Learn to track motion clips."""

    robot: str = "go1"
    """Name or file of the robot, with position actuators and feet."""
    motions: tuple[str, ...] = ()
    """Folders of clips, files, or names of robots that clips ship for; by default those for the robot."""
    warm_start: Path | None = None
    """Run, or policy file, whose policy this one begins as: where clips were added to those that it tracks."""
    steps: int = 30_000_000
    """Environment steps in all."""
    worlds: int = 128
    """Worlds stepped together."""
    seed: int = 0
    """Of everything random."""
    threads: int | None = None
    """For the physics; all usable cores by default."""
    update_threads: int = 1
    """Of torch during updates. More pay where nothing else wants the cores; where something does, they wait for each
    other, and updates take many times as long."""
    checkpoint_every: int = 20
    """Iterations between checkpoints."""
    tracking: TrackingConfig = field(default_factory=TrackingConfig)
    """Of the task."""
    ppo: PPOConfig = field(default_factory=_ppo)
    """Hyperparameters."""
    policy: PolicyConfig = field(default_factory=_policy)
    """Its networks."""
    symmetry: SymmetryConfig = field(default_factory=SymmetryConfig)
    """What is made of mirror images; it pays where the clips come in pairs, as those that ship do."""


def run(arguments: list[str]) -> None:
    """The command."""
    imitate(parse("pretrain imitate", Imitate, arguments, "Learn to track motion clips."))


def imitate(config: Imitate) -> Path:
    """Trains, tracks every clip once, and returns the run's folder."""
    torch.set_num_threads(1)
    require_positive(config, "steps", "threads", "update_threads", "checkpoint_every")
    refuse_impossible_learning(config)
    path = config.out or Path("runs") / f"imitate-{Path(config.robot).stem}-{config.seed}"
    body = find_body(config.robot)
    places = config.motions or (body.name,)
    library = MotionLibrary.load(places, robot=body.name)
    task = TrackingTask(library, config.tracking)
    env = make(task, body, config.worlds, threads=config.threads)
    symmetry = _symmetry(config, env)
    trainer = Trainer(env, config.ppo, config.steps, config.seed, config.policy, config.update_threads, symmetry)
    if config.warm_start is not None and not (path / CONFIG).exists():
        warm_start(trainer.policy, config.warm_start)
    with RunFolder.open(path, KIND, run_config(config), config.resume) as folder:
        hold_to_clips(path / CLIPS, places)
        stored = None if folder.fresh else latest_checkpoint(path / "checkpoints")
        if stored:
            take_up(trainer, *stored, path, "cpu")
        if (path / EVALUATION).exists() and trainer.finished:
            env.close()
            print(f"{path} is finished already; embodied eval {path} evaluates it again.")
            return path
        (path / EVALUATION).unlink(missing_ok=True)
        seconds = float(library.durations.sum())
        print(
            f"Training {body.name} to track {len(library)} clips, {seconds:,.0f} s of motion: "
            f"{trainer.iterations * trainer.samples:,} steps in {config.worlds} worlds into {path}"
            + (f", from step {trainer.steps:,} on" if stored else "")
        )
        train_to_the_end(
            "pretrain imitate", trainer, path, config.checkpoint_every, {"device": "cpu"}, lambda: live_figures(task)
        )
        env.close()
        save_policy(trainer.policy, path / POLICY)
        played = TrackingTask(library, config.tracking, each=True)
        result = evaluate_tracking(played, body, mean_actor(trainer.policy), config.threads)
        write_result(path / EVALUATION, result)
        print(f"{result}\n\nPolicy  {path / POLICY}\nCurves  {path / 'metrics.jsonl'}\nClips   {path / EVALUATION}")
    return path


def _symmetry(config: Imitate, env: AutoresetEnv) -> SymmetricLearning | None:
    """What is made of mirror images; refuses a body that has none."""
    if not config.symmetry.wanted:
        return None
    groups = PolicyShape.for_spaces(env.observation_space, env.action_space, config.policy).groups
    return SymmetricLearning(
        mirror_for(env.env.scene.entities["robot"], env.observation_spec.groups, groups), config.symmetry
    )


def is_imitation(path: Path) -> bool:
    """Whether a folder holds a run of this command."""
    return (path / CONFIG).exists() and read_run_config(path)["kind"] == KIND


def tracked(path: Path) -> TrackingResult:
    """Every clip tracked once, from its beginning, by the policy of a run; one not finished gives its latest.

    Raises:
        UserError: the run is damaged, has no policy yet, or its clips are gone.
    """
    run = tracking_run(path)
    threads = read_run_config(path).get("threads")
    return evaluate_tracking(TrackingTask(run.library, run.config, each=True), run.body, tracker(path), threads)


def one_clip(path: Path, clip: str | None) -> tuple[TrackingTask, Body, Actor]:
    """A run's robot and policy, and the task to track one of its clips from the beginning; the longest by default.

    Raises:
        MotionError: there is no clip of that name.
        UserError: as `tracked`.
    """
    run = tracking_run(path)
    number = run.library.index(clip) if clip else int(run.library.durations.argmax())
    task = TrackingTask(MotionLibrary([run.library.clips[number]]), run.config, each=True)
    return task, run.body, tracker(path)


def tracker(path: Path) -> Actor:
    """What the policy of a run does in the mean; UserError at its first observation where it reads another."""
    policy = load(path)
    actor, sizes = mean_actor(policy), policy.shape.actor_sizes

    def act(observation: Observation) -> Tensor:
        if any(name not in observation or observation[name].shape[1:] != (size,) for name, size in sizes.items()):
            raise UserError(f"the policy in {path} does not track clips: it was trained on something else")
        return actor(observation)

    return act


def live_figures(task: TrackingTask) -> tuple[dict[str, float], str]:
    """Means over the clips of what their recent episodes were like, sampled actions and starts anywhere in them."""
    averages = torch.as_tensor(task.scores.averages())
    seen = averages[averages[:, 0].isfinite()]
    if not len(seen):
        return {}, ""
    score, tracked, joints, root = seen.mean(dim=0).tolist()
    figures = {"score": score, "share_to_end": tracked, "joint_error": joints, "root_error": root}
    figures["clips_seen"] = float(len(seen))
    each = {f"clip/{name}": float(row[1]) for name, row in zip(task.library.names, averages, strict=True)}
    named = {f"tracking/{name}": value for name, value in figures.items()}
    note = f"{tracked:.0%} tracked to their end, joints off by {joints:.3f} rad, roots by {root:.3f} m"
    return {**named, **{name: value for name, value in each.items() if math.isfinite(value)}}, note


def write_result(path: Path, result: TrackingResult) -> None:
    """As JSON."""
    write_atomically(path, json.dumps(result.as_dict(), indent=2) + "\n")
