"""``embodied pretrain ase``: a repertoire from motion clips, in a run folder that survives being killed."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path

import torch

from embodied.cli.arguments import Place, parse, run_config
from embodied.cli.pretrain_imitate import tracker
from embodied.cli.train import take_up
from embodied.cli.training_loop import train_to_the_end
from embodied.envs import AutoresetEnv, make
from embodied.learning.evaluate import Actor
from embodied.learning.limits import MAX_WORLDS, refuse_impossible_seed
from embodied.motion.library import MotionLibrary
from embodied.runs.checkpoint import latest_checkpoint, save_checkpoint
from embodied.runs.configuration import require_positive
from embodied.runs.errors import UserError
from embodied.runs.files import write_atomically
from embodied.runs.folder import RunFolder
from embodied.runs.progress import Progress
from embodied.runs.seeds import stream, torch_generator
from embodied.skills.ase.cells import Cells, unlikeness
from embodied.skills.ase.cloning import CloningConfig, as_taught, clone
from embodied.skills.ase.config import ASEConfig
from embodied.skills.ase.evaluation import THRESHOLD, RepertoireFigures, evaluate_repertoire
from embodied.skills.ase.prior import PRIOR, save_prior
from embodied.skills.ase.rehearsal import RehearsalTask
from embodied.skills.ase.trainer import TEACHING, ASETrainer
from embodied.skills.motion_task import MotionTask
from embodied.skills.tracking_run import hold_to_clips, tracking_run
from morphologies import Body, find_body

CLIPS = "clips.json"
"""In the run's folder: the clips it learns from, with a checksum each."""
EVALUATION = "evaluation.json"
CLONING = "cloning.json"
"""In the folder of a run with a teacher: how well the decoder did what it was taught, over environment steps."""


@dataclass(frozen=True)
class PretrainASE(Place):
    """Learn a repertoire from motion clips."""

    robot: str = "go1"
    """Name or file of the robot, with position actuators and feet."""
    motions: tuple[str, ...] = ()
    """Folders of clips, files, or names of robots that clips ship for; by default those for the robot."""
    steps: int = 100_000_000
    """Environment steps in all."""
    worlds: int = 256
    """Worlds stepped together."""
    seed: int = 0
    """Of everything random."""
    threads: int | None = None
    """For the physics; all usable cores by default."""
    update_threads: int = 1
    """Of torch during updates. More pay where nothing else wants the cores; where something does, they wait for each
    other, and updates take many times as long."""
    reference_starts: float = 0.8
    """Share of episodes that begin in the midst of a clip. ASE 0.5."""
    dropped_starts: float = 0.0
    """Share of episodes that begin with a drop in any posture, from which to get up. ASE 0.1."""
    teacher: Path | None = None
    """Run of ``embodied pretrain imitate`` with the same robot, whose policy teaches the decoder first."""
    checkpoint_every: int = 50
    """Iterations between checkpoints."""
    latents: int = 128
    """That the evaluation at the end tries."""
    ase: ASEConfig = field(default_factory=ASEConfig)
    """Hyperparameters."""
    cloning: CloningConfig = field(default_factory=CloningConfig)
    """How a teacher teaches."""


def run(arguments: list[str]) -> None:
    """The command."""
    pretrain(parse("pretrain ase", PretrainASE, arguments, "Learn a repertoire from motion clips."))


def pretrain(config: PretrainASE) -> Path:
    """Trains, evaluates, and returns the run's folder."""
    torch.set_num_threads(1)
    _refuse_impossible(config)
    path = config.out or Path("runs") / f"ase-{Path(config.robot).stem}-{config.seed}"
    body = find_body(config.robot)
    places = config.motions or (body.name,)
    library = MotionLibrary.load(places, robot=body.name)

    def task() -> MotionTask:
        return MotionTask(library, config.reference_starts, config.dropped_starts)

    taught = config.teacher is not None and latest_checkpoint(path / "checkpoints") is None
    lesson = _lesson(config.teacher, config, body, library) if config.teacher and taught else None
    env = make(task(), body, config.worlds, threads=config.threads)
    trainer = ASETrainer(env, config.ase, config.steps, config.seed, config.update_threads)
    with RunFolder.open(path, "ase", run_config(config), config.resume) as folder:
        hold_to_clips(path / CLIPS, places)
        stored = None if folder.fresh else latest_checkpoint(path / "checkpoints")
        if config.teacher:
            trainer.resting = config.cloning.resting
            trainer.learner.hold_to_present(config.cloning.anchor)
        if stored:
            take_up(trainer, *stored, path, "cpu")  # type: ignore[arg-type]
        if (path / EVALUATION).exists() and trainer.finished:
            env.close()
            print(f"{path} is finished already; embodied report {path} shows it.")
            return path
        (path / EVALUATION).unlink(missing_ok=True)
        print(
            f"Pre-training {body.name} on {len(library)} clips, {float(library.durations.sum()):,.0f} s of motion: "
            f"{trainer.iterations * trainer.samples:,} steps in {config.worlds} worlds into {path}"
            + (f", from step {trainer.steps:,} on" if stored else "")
        )
        if lesson:
            _learn(lesson, trainer, config, path)
        every, facts = config.checkpoint_every, {"device": "cpu"}
        train_to_the_end("pretrain ase", trainer, path, every, facts, lambda: ({}, trainer.told))
        env.close()
        prior = trainer.prior()
        save_prior(prior, path / PRIOR)
        figures = evaluate_repertoire(prior, task(), body, config.latents, config.seed, config.threads)
        write_atomically(path / EVALUATION, json.dumps(figures.summary(), indent=2) + "\n")
        print(
            f"{describe(figures)}\n\nPrior   {path / PRIOR}\nCurves  {path / 'metrics.jsonl'}\n"
            f"Film    embodied report {path}"
        )
    return path


def _lesson(teacher: Path, config: PretrainASE, body: Body, library: MotionLibrary) -> tuple[AutoresetEnv, Actor]:
    """Where the teacher teaches, and what it does there.

    Raises:
        UserError: it tracks clips with another robot, or is no run of a policy that tracks clips.
    """
    began = tracking_run(teacher)
    if began.body.name != body.name:
        raise UserError(f"{teacher} tracks clips with {began.body.name}; it cannot teach {body.name}")
    env = make(RehearsalTask(library, began.config), body, config.worlds, threads=config.threads)
    actor = tracker(teacher)
    actor(as_taught(env.reset(config.seed)[0]))
    return env, actor


def _learn(lesson: tuple[AutoresetEnv, Actor], trainer: ASETrainer, config: PretrainASE, path: Path) -> None:
    """The decoder is taught; what it is then is the run's first checkpoint. Killed before, it begins anew."""
    env, actor = lesson
    generator = torch_generator(stream(config.seed, TEACHING))
    unlike = unlikeness(trainer.sightings.repertoire.between_clips(), trainer.clips.library)
    cells = Cells(unlike, config.ase.latent, generator)
    lessons = clone(
        env, trainer.policy, actor, cells, config.cloning, config.ase.action_std, generator, config.update_threads
    )
    curve = []
    with Progress(f"embodied pretrain ase · {path} · taught by {config.teacher}") as progress:
        progress.begin(0, f"{path.name} (taught)", config.cloning.steps)
        for figures in lessons:
            curve.append(figures)
            note = f"off by {figures['error']:.2f} of an action, {figures['led']:.0%} led"
            progress.advance(0, int(figures["steps"]), None, note)
    env.close()
    trainer.learner.hold_to_present(config.cloning.anchor)
    write_atomically(path / CLONING, json.dumps({name: [row[name] for row in curve] for name in curve[0]}) + "\n")
    tensors, facts = trainer.state()
    save_checkpoint(path / "checkpoints", 0, tensors, {**facts, "device": "cpu"})


def describe(figures: RepertoireFigures) -> str:
    """What an evaluation found, in sentences."""
    count = len(figures.distances)
    covered = sum(distance < THRESHOLD for distance in figures.distances.values())
    return (
        f"{covered} of {count} clips ({figures.coverage:.0%}) are reproduced by some of {len(figures.latents)} latents "
        f"within {THRESHOLD}; mean agreement of encoder and latent {figures.agreement:.2f}; joint targets differ by "
        f"{figures.diversity:.3f} rad between latents; {figures.transitions:.0%} of switches lead to another clip, "
        f"{figures.pairs} different ways. The discriminator tells {figures.right_on_agent:.0%} of the agent's windows "
        f"and {figures.right_on_clips:.0%} of the clips'; {figures.falls} falls."
    )


def _refuse_impossible(config: PretrainASE) -> None:
    require_positive(config, "steps", "worlds", "threads", "update_threads", "checkpoint_every", "latents")
    refuse_impossible_seed(config.seed)
    config.ase.check()
    config.cloning.check()
    if config.worlds > MAX_WORLDS:
        raise UserError(f"--worlds must be at most {MAX_WORLDS}, not {config.worlds}")
    samples = config.worlds * config.ase.rollout_steps
    if config.steps <= samples:
        raise UserError(
            f"--steps must be above one rollout, {config.worlds} worlds x {config.ase.rollout_steps} steps = "
            f"{samples}: the first only fills the normalisers, and {config.steps} steps would learn nothing"
        )
