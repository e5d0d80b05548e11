"""What `play` and `eval` act with: a trained policy, or one that does nothing or anything."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from embodied.cli.commanded import commanding_actor
from embodied.envs import is_foreign
from embodied.learning.evaluate import Actor, mean_actor, random_actor, zero_actor
from embodied.learning.limits import refuse_impossible_seed
from embodied.learning.load import load
from embodied.report.figures import run_figures
from embodied.runs.errors import UserError
from embodied.runs.folder import read_run_config
from embodied.runs.seeds import generator_seed, stream
from embodied.tasks import find_task
from embodied.vector_env import VectorEnv
from morphologies import Body, body_from_genome, find_body, from_json, read_genome
from morphologies.read import kept_robot

ROBOT = "robot.bin"
"""In a training's folder: the robot it was trained on, where that came from a file."""
ACTOR = 1
"""Stream of a random actor's draws below the seed, which is the environment's own."""


@dataclass(frozen=True)
class Given:
    """What both commands take."""

    policy: Literal["trained", "zero", "random"] = "trained"
    """Who acts."""
    task: str | None = None
    """Registered name, or that of an environment from elsewhere, where no run is named."""
    body: str | None = None
    """Name, genome file or robot's file, where no run is named."""
    asset_root: Path | None = None
    """Folder that all files of a robot must lie in; by default its ROS package, or its own folder."""
    seed: int = 0
    """Of the episodes."""


@dataclass(frozen=True)
class Subject:
    """A body in a task, and where its policy lies."""

    task: str
    body: Body | None
    """None where the task is an environment from elsewhere."""
    policy: Path | None


def resolve(given: Given, run: Path | None) -> Subject:
    """What a run, or a task and a body, stand for.

    Raises:
        UserError: neither is there, or the run has no policy to show.
    """
    refuse_impossible_seed(given.seed)
    if run is None:
        if given.policy == "trained":
            raise UserError("name a run, or say --policy zero or --policy random with --task and --body")
        task = given.task or "flat"
        if is_foreign(task):
            if given.body:
                raise UserError(f"{task} brings a body of its own; leave --body out")
            return Subject(task, None, None)
        return Subject(task, find_body(given.body or find_task(task).default_body, asset_root=given.asset_root), None)
    if given.task or given.body:
        raise UserError("a run has its own task and body: name either a run, or --task and --body")
    if (run / "genome.json").exists():  # one lifetime of an evolution or a transfer
        evolution = next((p for p in run.resolve().parents if (p / "config.yaml").exists()), None)
        if evolution is None:
            raise UserError(f"{run} is a lifetime's folder outside of any run, so its task is not known")
        transferred = read_run_config(evolution)["kind"] == "transfer"  # there every task has a folder of lifetimes
        return Subject(run.resolve().parent.name if transferred else _field(evolution, "task"), _lifetime(run), run)
    config = read_run_config(run)
    if config["kind"] == "evolve":
        best = run_figures(run)["best_lifetime"]
        if best is None:
            raise UserError(f"no lifetime of {run} is finished yet")
        folder = run / "lifetimes" / f"{best:06d}"
        return Subject(_field(run, "task"), _lifetime(folder), folder)
    if config["kind"] != "train":
        raise UserError(f"{run} holds a run of {config['kind']!r}, which has no policy")
    if is_foreign(config.get("task")):
        return Subject(_field(run, "task"), None, run)
    task = _field(run, "task")
    # A run that was given no body names none: it is the task's own.
    genome, name = config.get("genome"), _field(run, "body") if config.get("body") else find_task(task).default_body
    if genome:
        body = body_from_genome(from_json(genome), name)
    else:
        body = kept_robot(run / ROBOT) if (run / ROBOT).exists() else find_body(name)
    return Subject(task, body, run)


def _field(run: Path, name: str) -> str:
    value = read_run_config(run).get(name)
    if not isinstance(value, str):
        raise UserError(f"{run / 'config.yaml'} is damaged: it names no {name}")
    return value


def _lifetime(folder: Path) -> Body:
    return body_from_genome(read_genome(folder / "genome.json"), f"lifetime {folder.name}")


def actor_for(given: Given, subject: Subject, env: VectorEnv) -> Actor:
    """Who acts, for an environment of the subject."""
    if given.policy == "zero":
        return zero_actor(env.action_space)
    if given.policy == "random":
        return random_actor(env.action_space, generator_seed(stream(given.seed, ACTOR)))
    assert subject.policy is not None
    policy = load(subject.policy)
    if (commanding := commanding_actor(policy, subject.policy, env)) is not None:
        return commanding
    if not policy.shape.fits(env.observation_space, env.action_space):
        raise UserError(f"the policy in {subject.policy} is not one for its body: it was trained on another")
    return mean_actor(policy.to(getattr(env, "device", "cpu")))
