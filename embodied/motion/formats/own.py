"""Clips in this package's own files: a .npz that holds everything of a `MotionClip` exactly, and never any code."""

from __future__ import annotations

import io
import tokenize
import zipfile
import zlib
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np

from embodied.motion.clip import MotionClip, MotionError
from embodied.motion.formats.reading import Told
from embodied.runs.files import write_atomically

NAME = "embodied"
SUFFIX = ".npz"
FORMAT = "embodied.motion"
VERSION = 1
LARGEST = 1 << 30
"""Bytes that a file may unpack to."""
DAMAGE = (
    zipfile.BadZipFile,
    zlib.error,
    tokenize.TokenError,
    EOFError,
    KeyError,
    MemoryError,
    RuntimeError,
    SyntaxError,
    ValueError,
)
"""What zipfile and numpy raise, between them, on an archive that was cut, changed or made to harm."""

_NAMES = ("joint_names", "foot_names", "notes")
_SCALARS = ("name", "robot", "frame_rate", "loop", "licence", "source")


def recognises(head: bytes, path: Path) -> bool:
    """Whether a file that begins like this is one of these."""
    if not head.startswith(b"PK"):
        return False
    try:
        with zipfile.ZipFile(path) as archive:
            return "format.npy" in archive.namelist()
    except (zipfile.BadZipFile, OSError):
        # Cut short, an archive has no list of what it holds; the beginning still says that it is one.
        return b".npy" in head


def write(path: Path, clip: MotionClip) -> None:
    """Writes a clip, whole or not at all; the same clip always gives the same bytes."""
    arrays = {each.name: np.asarray(getattr(clip, each.name)) for each in fields(clip)}
    for name in _NAMES:
        arrays[name] = np.asarray(getattr(clip, name), dtype=np.str_)
    buffer = io.BytesIO()
    np.savez_compressed(buffer, allow_pickle=False, format=np.asarray(FORMAT), version=np.asarray(VERSION), **arrays)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(path, buffer.getvalue())


def read(path: Path, told: Told) -> list[MotionClip]:
    """The one clip of a file.

    Raises:
        MotionError: as `read_clip`, or it is of another robot or rate than was told.
    """
    clip = read_clip(path)
    told.robot_of(path, clip.robot)
    told.rate_of(path, clip.frame_rate)
    return [clip]


def read_clip(path: Path) -> MotionClip:
    """The clip of a file.

    Raises:
        MotionError: it is cut short, foreign, of a newer version, or holds no clip.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            size = sum(member.file_size for member in archive.infolist())
            if size > LARGEST:
                raise MotionError(f"{path} unpacks to {size:,} bytes; a clip has at most {LARGEST:,}")
            # Each is unpacked whole before numpy sees it, so that its check sum is known to be right.
            files = {name.removesuffix(".npy"): io.BytesIO(archive.read(name)) for name in archive.namelist()}
        arrays = {name: np.lib.format.read_array(file, allow_pickle=False) for name, file in files.items()}
    except MotionError:
        raise
    except DAMAGE as error:
        raise MotionError(f"{path} is damaged or cut short: {error}") from None
    if "format" not in arrays or arrays["format"].ndim or str(arrays["format"]) != FORMAT:
        raise MotionError(f"{path} is an archive of arrays, but no motion clip of this package")
    if (version := _whole(arrays.get("version"))) != VERSION:
        raise MotionError(f"{path} is of version {version} of the format; this package reads version {VERSION}")
    if missing := {each.name for each in fields(MotionClip)} - arrays.keys():
        raise MotionError(f"{path} is damaged: it lacks {', '.join(sorted(missing))}")
    given: dict[str, Any] = {each.name: arrays[each.name] for each in fields(MotionClip)}
    if strange := [name for name in _NAMES if given[name].ndim != 1 or given[name].dtype.kind != "U"]:
        raise MotionError(f"{path} is damaged: its {strange[0]} are no list of names")
    try:
        for name in _SCALARS:
            given[name] = given[name].item()
        for name in (*_NAMES, "cycle"):
            given[name] = tuple(given[name].tolist())
        return MotionClip(**given)
    except MotionError as error:
        raise MotionError(f"{path}: {error}") from None
    except (ValueError, TypeError) as error:
        raise MotionError(f"{path} is damaged: {error}") from None


def _whole(value: np.ndarray | None) -> int | str:
    return int(value) if value is not None and value.ndim == 0 and value.dtype.kind in "iu" else "an unknown kind"
