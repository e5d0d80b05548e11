"""``embodied motion synthesise``: motions of our own for a robot dog, made from its geometry and from physics."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from tyro.conf import Positional

from embodied.motion.skeleton import skeleton_of
from embodied.motion.synthesise import clip_names, write_clips
from embodied.runs.errors import UserError
from embodied.runs.table import aligned


@dataclass(frozen=True)
class Synthesise:
    """Make gaits, postures and jumps of our own for a robot with four legs of three joints each."""

    clips: Positional[tuple[str, ...]] = ()
    """Names of the motions; all there are by default."""
    robot: str | None = None
    """The robot, a name or a robot file."""
    out: Path | None = None
    """Folder for the clips; motions/ROBOT by default."""


def synthesise(given: Synthesise) -> None:
    """``synthesise``."""
    if given.robot is None:
        raise UserError(
            f"name a robot: embodied motion synthesise --robot go1; the motions are {', '.join(clip_names())}"
        )
    if given.out is not None and given.out.exists() and not given.out.is_dir():
        raise UserError(f"{given.out} is a file; name a folder with --out")
    skeleton = skeleton_of(given.robot)
    folder = given.out or Path("motions") / skeleton.name
    rows = [("clip", "seconds", "ends", "mean speed", "joint speed")]
    total = 0.0
    for _, clip in write_clips(skeleton.body, folder, given.clips):
        speed = np.linalg.norm(clip.root_velocity[:, :2], axis=1).mean()
        ends = "looped" if clip.loop else "ends"
        fastest = np.abs(clip.joint_vel).max()
        rows.append((clip.name, f"{clip.duration:.1f}", ends, f"{speed:.2f} m/s", f"{fastest:.1f} rad/s"))
        total += clip.duration
    print(aligned(rows))
    print(f"{len(rows) - 1} clips of {skeleton.name}, {total:.0f} s, in {folder}")
