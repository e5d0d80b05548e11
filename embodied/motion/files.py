"""Motion files of any known format: told apart by what is in them, whatever they are called."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from importlib import resources
from pathlib import Path
from types import ModuleType

from embodied.motion.clip import MotionClip, MotionError
from embodied.motion.formats import amp, ase, dm_control, lifelike, mjlab, motion_imitation, own
from embodied.motion.formats.reading import HEAD, Told

FORMATS: tuple[ModuleType, ...] = (own, lifelike, motion_imitation, amp, ase, dm_control, mjlab)
"""Each has `recognises(head, path)` and `read(path, told)`, some `write(path, clip)`. CSV shows least: it is last."""


def format_of(path: Path) -> ModuleType:
    """The module that reads a file.

    Raises:
        MotionError: it is no file, or of no format that is known.
    """
    if path.exists() and not path.is_file():
        raise MotionError(f"{path} is no file with a beginning and an end")  # a pipe would be waited for
    try:
        with path.open("rb") as file:
            head = file.read(HEAD)
    except OSError as error:
        raise MotionError(f"{path} cannot be read: {error.strerror or error}") from None
    for module in FORMATS:
        if module.recognises(head, path):
            return module
    what = "is empty" if not head else "is no motion file of a known format"
    raise MotionError(f"{path} {what}; known are {', '.join(module.NAME for module in FORMATS)}")


def read_motion(path: Path, told: Told | None = None) -> list[MotionClip]:
    """The clips of a file, as they are in it: with what `repair` is for.

    Args:
        path: of the file.
        told: what it does not say itself.

    Raises:
        MotionError: it is damaged, foreign, or of another robot than was told.
    """
    told = told or Told()
    clips = format_of(path).read(path, told)
    return [clip if told.licence is None else replace(clip, licence=told.licence) for clip in clips]


def read_clips(places: str | Path | Sequence[str | Path]) -> list[MotionClip]:
    """All clips of our own files in folders, of single such files, or those that ship for a robot, by its name.

    Args:
        places: one of these or several.

    Raises:
        MotionError: there are none there, or one cannot be read.
    """
    given = [places] if isinstance(places, str | Path) else list(places)
    files = [file for place in given for file in clip_files(place)]
    for file in files:
        if (found := format_of(file)) is not own:
            raise MotionError(f"{file} is a file of {found.NAME}; embodied motion import makes clips of such files")
    return [own.read_clip(file) for file in files]


def clip_files(place: str | Path) -> list[Path]:
    """Our own motion files in a folder and its folders, a file itself, or those that ship for a robot, by its name.

    Raises:
        MotionError: there are none.
    """
    path = Path(place)
    shipped = motion_folder() / str(place)
    if not path.exists() and "/" not in str(place) and shipped.is_dir():
        path = shipped
    if path.is_file():
        return [path]
    files = sorted(each for each in path.rglob(f"*{own.SUFFIX}") if each.is_file()) if path.is_dir() else []
    if not files:
        names = ", ".join(shipped_motions()) or "none"
        what = "has no motion clips" if path.is_dir() else "is neither a file nor a folder, nor a robot with clips"
        raise MotionError(f"{place} {what}; clips ship for: {names}")
    return files


def shipped_motions() -> list[str]:
    """Robots that clips ship for."""
    folder = motion_folder()
    return sorted(each.name for each in folder.iterdir() if each.is_dir()) if folder.is_dir() else []


def motion_folder() -> Path:
    """Where the shipped clips lie: inside an installed wheel, or in the checkout's ``assets``."""
    installed = Path(str(resources.files("morphologies"))) / "_assets" / "motions"
    return installed if installed.is_dir() else Path(__file__).parent.parent.parent / "assets" / "motions"


def writers() -> Iterable[str]:
    """Names of the formats that can be written."""
    return [module.NAME for module in FORMATS if hasattr(module, "write")]
