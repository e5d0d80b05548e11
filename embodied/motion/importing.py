"""Import: a file of any known format becomes clips that their robot can do, each with a verdict and its reasons."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from embodied.motion.clip import MotionClip, MotionError
from embodied.motion.files import format_of, read_motion
from embodied.motion.formats.reading import Told
from embodied.motion.repair import Verdict, repair
from embodied.motion.retarget import Method, retarget
from embodied.motion.skeleton import Skeleton, known_skeleton, skeleton_of


def motion_files(places: tuple[Path, ...]) -> tuple[list[Path], int]:
    """Files that are named, and those in folders that look like motion; and how many others there are in the folders.

    Raises:
        MotionError: a place does not exist.
    """
    files, others = [], 0
    for place in places:
        if place.is_dir():
            for path in sorted(each for each in place.rglob("*") if each.is_file()):
                try:
                    format_of(path)
                    files.append(path)
                except MotionError:
                    others += 1
        elif place.exists():
            files.append(place)
        else:
            raise MotionError(f"{place} does not exist")
    return files, others


def import_file(
    path: Path, told: Told | None = None, target: Skeleton | None = None, method: Method = "feet"
) -> list[Verdict]:
    """What becomes of each clip of a file.

    Args:
        path: of the file.
        told: what it does not say itself.
        target: the robot that clips are retargeted to; by default they stay with their own.
        method: how they are.
    """
    told = told or Told()
    try:
        clips = read_motion(path, told)
    except MotionError as error:
        return [Verdict(path.stem, "refused", (_sentence(str(error)),), None)]
    return [_import_clip(clip, told, target, method) for clip in clips]


def _import_clip(clip: MotionClip, told: Told, target: Skeleton | None, method: Method) -> Verdict:
    try:
        # A robot that was named by its file is not known by the name that its clips have.
        asked = skeleton_of(told.robot) if told.robot is not None else None
        own = asked if asked is not None and asked.name == clip.robot else known_skeleton(clip.robot)
        verdict = repair(clip, own)
        if target is None or verdict.clip is None or target.name == clip.robot:
            return verdict
        if own is None:
            raise MotionError(f"nothing is known of {clip.robot}, from which motion clip {clip.name!r} is")
        fitted = repair(retarget(verdict.clip, own, target, method).clip, target)
        return fitted if fitted.clip is None else replace(fitted, kind="repaired", findings=fitted.clip.notes)
    except MotionError as error:
        return Verdict(clip.name, "refused", (_sentence(str(error)),), None)


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:] + ("" if text.endswith(".") else ".")
