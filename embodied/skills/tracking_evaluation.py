"""How well a policy tracks every clip of a library: each from its beginning to its end, by the mean action."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from embodied.envs import make
from embodied.learning.evaluate import Actor, evaluate
from embodied.runs.table import aligned
from embodied.skills.tracking import TrackingTask
from morphologies import Body

MAX_JOINT_ERROR = 0.15
"""Mean |Δq| up to which a clip counts as tracked well, rad."""
MAX_ROOT_ERROR = 0.15
"""Mean distance of the root links up to which it does, m."""


@dataclass(frozen=True)
class ClipResult:
    """One clip, tracked from its beginning; a looped one for a cycle."""

    clip: str
    seconds: float
    """How long it was tracked."""
    duration: float
    """s."""
    to_its_end: bool
    """Whether it was not lost on the way."""
    joint_error: float
    """Mean |Δq| over joints and steps, rad."""
    root_error: float
    """Mean |Δp| of the root link in the world's frame, m."""

    @property
    def good(self) -> bool:
        """Tracked to its end within the errors that count."""
        return self.to_its_end and self.joint_error < MAX_JOINT_ERROR and self.root_error < MAX_ROOT_ERROR


@dataclass(frozen=True)
class TrackingResult:
    """All clips."""

    clips: tuple[ClipResult, ...]

    @property
    def share_to_end(self) -> float:
        """Part of the clips that were tracked to their end."""
        return sum(each.to_its_end for each in self.clips) / len(self.clips)

    @property
    def share_good(self) -> float:
        """Part of the clips that were tracked to their end within the errors that count."""
        return sum(each.good for each in self.clips) / len(self.clips)

    @property
    def joint_error(self) -> float:
        """Mean over the clips, rad."""
        return sum(each.joint_error for each in self.clips) / len(self.clips)

    @property
    def root_error(self) -> float:
        """Mean over the clips, m."""
        return sum(each.root_error for each in self.clips) / len(self.clips)

    def as_dict(self) -> dict[str, Any]:
        """Plain data for a JSON file."""
        return {
            "share_to_end": self.share_to_end,
            "share_good": self.share_good,
            "joint_error": self.joint_error,
            "root_error": self.root_error,
            "max_joint_error": MAX_JOINT_ERROR,
            "max_root_error": MAX_ROOT_ERROR,
            "clips": [{**asdict(each), "good": each.good} for each in self.clips],
        }

    def __str__(self) -> str:
        """A table, the worst clips last, and a sentence."""
        rows = [("clip", "tracked", "joint error", "root error", "")]
        for each in sorted(self.clips, key=lambda each: (not each.good, not each.to_its_end, each.clip)):
            verdict = "" if each.good else "lost" if not each.to_its_end else "off"
            rows.append(
                (
                    each.clip,
                    f"{each.seconds:.2f} of {each.duration:.2f} s",
                    f"{each.joint_error:.3f} rad",
                    f"{each.root_error:.3f} m",
                    verdict,
                )
            )
        count = len(self.clips)
        return (
            f"{aligned(rows)}\n\n{round(self.share_to_end * count)} of {count} clips were tracked to their end, "
            f"{round(self.share_good * count)} of them with mean errors below {MAX_JOINT_ERROR:g} rad and "
            f"{MAX_ROOT_ERROR:g} m; over all clips {self.joint_error:.3f} rad and {self.root_error:.3f} m."
        )


def evaluate_tracking(task: TrackingTask, body: Body, actor: Actor, threads: int | None = None) -> TrackingResult:
    """Tracks every clip once.

    Args:
        task: with ``each``, fresh.
        body: the robot.
        actor: chooses its actions; the mean of a policy's.
        threads: for the physics.
    """
    if not task.each:
        raise ValueError("an evaluation is of every clip from its beginning: make the TrackingTask with each=True")
    library = task.load(body)
    env = make(task, body, len(library), threads=threads)
    try:
        found = evaluate(env, actor, seed=0)
    finally:
        env.close()
    return TrackingResult(
        tuple(
            ClipResult(
                clip=name,
                seconds=found.lengths[number] * env.control_dt,
                duration=library.clips[number].duration,
                to_its_end=bool(found.metrics["tracked"][number]),
                joint_error=found.metrics["joint_error"][number],
                root_error=found.metrics["root_error"][number],
            )
            for number, name in enumerate(library.names)
        )
    )
