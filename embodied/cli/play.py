"""``embodied play``: a video of a trained, idle or random body."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from tyro.conf import Positional

from embodied.cli.actors import Given, actor_for, resolve
from embodied.cli.arguments import parse
from embodied.cli.pretrain_imitate import is_imitation, one_clip
from embodied.envs import ForeignEnv, make
from embodied.export.manifest import is_bundle
from embodied.report.foreign_film import film_foreign
from embodied.report.video import film, viewing_distance
from embodied.runs.errors import UserError

MAX_SECONDS = 3600.0
MAX_SIZE = 4096
"""Pixels."""


@dataclass(frozen=True)
class Play(Given):
    """Make a video."""

    run: Positional[Path | None] = None
    """A training run, a lifetime's folder of an evolution, or an evolution, whose best body is shown."""
    video: Path | None = None
    """MP4 file; video.mp4 in the run's folder by default."""
    seconds: float = 20.0
    """At most; the video also ends with the episode."""
    width: int = 640
    """Pixels; environments from elsewhere have a size of their own."""
    height: int = 480
    """Pixels."""
    clip: str | None = None
    """Of an imitation, the name of the clip that is tracked; the longest by default."""


def run(arguments: list[str]) -> None:
    """The command."""
    given = parse("play", Play, arguments, "Make a video of a trained, idle or random body.")
    if not 0 < given.seconds <= MAX_SECONDS:
        raise UserError(f"--seconds must be above 0 and at most {MAX_SECONDS:g}, not {given.seconds}")
    for name in ("width", "height"):
        size = getattr(given, name)
        if size % 16 or not 16 <= size <= MAX_SIZE:
            raise UserError(f"--{name} must be a multiple of 16 from 16 to {MAX_SIZE}, not {size}")
    if given.video is not None and (not given.video.name or given.video.is_dir()):
        raise UserError(f"{given.video} is a folder; name a file for --video")
    if given.run is not None and is_bundle(given.run):
        play_bundle(given, given.run)
        return
    if given.run is not None and is_imitation(given.run):
        play_imitation(given, given.run)
        return
    if given.clip is not None:
        raise UserError("--clip is for runs of pretrain imitate")
    subject = resolve(given, given.run)
    path = given.video or ((given.run or Path("runs")) / "video.mp4")
    if subject.body is None:
        foreign = ForeignEnv(subject.task, render_mode="rgb_array")
        length, total = film_foreign(foreign, actor_for(given, subject, foreign), path, given.seed, given.seconds)
        foreign.close()
        print(f"{subject.task} gave {total:,.1f} in {length:.1f} s\nVideo  {path}")
        return
    env = make(subject.task, subject.body, num_worlds=1, threads=1)
    shown = film(
        env,
        actor_for(given, subject, env),
        path,
        given.seed,
        given.seconds,
        (given.width, given.height),
        distance=viewing_distance(subject.body),
    )
    lengths = shown.distance / max(subject.body.description.length, 1e-6)
    print(
        f"{subject.body.name} moved {shown.distance:.1f} m forward, {lengths:.1f} body lengths, in "
        f"{shown.seconds:.1f} s ({shown.speed:.2f} m/s)\nVideo  {shown.path}"
    )


def play_bundle(given: Play, bundle: Path) -> None:
    """A video of a bundle in its own simulation: the starts it was recorded from, one after the other."""
    from embodied.export.film import film_bundle
    from embodied.export.opening import open_bundle

    path = given.video or Path("runs") / f"{bundle.resolve().name}.mp4"  # a bundle is whole as it is
    opened = open_bundle(bundle)
    seconds = film_bundle(opened, path, given.seed, given.seconds, (given.width, given.height))
    print(f"{opened.manifest['name']} moved {opened.manifest['robot']['name']} for {seconds:.1f} s\nVideo  {path}")


def play_imitation(given: Play, run: Path) -> None:
    """A video of one clip, tracked from its beginning to its end or until it is lost."""
    task, body, actor = one_clip(run, given.clip)
    path = given.video or run / "video.mp4"
    env = make(task, body, num_worlds=1, threads=1)
    size = (given.width, given.height)
    shown = film(env, actor, path, given.seed, given.seconds, size, distance=viewing_distance(body))
    duration = task.library.clips[0].duration
    print(
        f"{body.name} tracked {task.library.names[0]} for {shown.seconds:.1f} of {duration:.1f} s\nVideo  {shown.path}"
    )
