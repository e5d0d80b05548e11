"""Write: synthesised motions as files, for the robots whose clips ship and for any other quadruped."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from embodied.motion.clip import MotionClip
from embodied.motion.formats import own
from embodied.motion.synthesise.quadruped import read_quadruped
from embodied.motion.synthesise.realise import realise
from embodied.motion.synthesise.repertoire import clip_names, plan_of
from morphologies import Body

ROBOTS = ("go1", "max")
"""Those whose motions ship, in ``assets/motions``, a folder each."""


def write_clips(body: Body, folder: Path, names: Sequence[str] = ()) -> Iterator[tuple[Path, MotionClip]]:
    """Synthesises motions for a robot and writes each to a file under its name, one at a time.

    Args:
        body: the robot.
        folder: is made; files of the same names in it are replaced.
        names: of `clip_names`; all of them where none are given.

    Raises:
        MotionError: it is no such robot, or a name is unknown.
    """
    robot = read_quadruped(body)
    for name in names or clip_names():
        clip = realise(robot, plan_of(robot, name), name)
        path = folder / f"{name}{own.SUFFIX}"
        own.write(path, clip)
        yield path, clip
