"""``embodied motion import | list | check | view | synthesise``: clips brought in, listed, checked, watched, made."""

from __future__ import annotations

import difflib
import math
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from tyro.conf import Positional

from embodied.cli.arguments import parse
from embodied.cli.motion_synthesise import Synthesise, synthesise
from embodied.cli.output import refuse_no_file, write_json
from embodied.motion.clip import MotionClip, MotionError
from embodied.motion.files import clip_files, motion_folder, read_motion, shipped_motions
from embodied.motion.formats import own
from embodied.motion.formats.reading import Told
from embodied.motion.importing import import_file, motion_files
from embodied.motion.repair import Verdict, shortcomings
from embodied.motion.skeleton import known_skeleton, skeleton_of
from embodied.runs.errors import UserError
from embodied.runs.table import aligned

MAX_SECONDS = 3600.0
DEFAULT_OUT = Path("motions")
LONGEST_NAME = 200
"""Bytes of a clip's name that its file is named by: file systems take 255 of the whole."""


@dataclass(frozen=True)
class Import:
    """Read motion files of any known format, repair or refuse them, and keep what is fit."""

    files: Positional[tuple[Path, ...]] = ()
    """Motion files, or folders of them."""
    robot: str | None = None
    """Whose motion it is, a name or a robot file, where the files do not say."""
    retarget: str | None = None
    """The robot, a name or a robot file, that clips are fitted to; their own by default."""
    method: Literal["feet", "joints"] = "feet"
    """What retargeting keeps: where feet are, or angles."""
    rate: float | None = None
    """Frames in a second, where the files do not say."""
    licence: str | None = None
    """What is written down as the clips' licence, in place of what is known of the format."""
    out: Path = DEFAULT_OUT
    """Folder for the clips."""
    json: Path | None = None
    """Also writes the verdicts to this file."""


@dataclass(frozen=True)
class List:
    """List the clips in folders, in files, or that ship for a robot."""

    places: Positional[tuple[str, ...]] = ()
    """Folders, files or names of robots; all clips that ship by default."""


@dataclass(frozen=True)
class Check:
    """Hold clips against their robot: ranges, speeds, the floor. Exit status 2 where one does not fit."""

    places: Positional[tuple[str, ...]] = ()
    """Folders, files or names of robots; all clips that ship by default."""
    robot: str | None = None
    """The robot, a name or a robot file, that they must be for."""
    json: Path | None = None
    """Also writes what was found to this file."""


@dataclass(frozen=True)
class View:
    """Make a video of clips, one after another, as their robot would do them without physics."""

    places: Positional[tuple[str, ...]] = ()
    """Motion files of any format, folders, or names of robots."""
    clip: tuple[str, ...] = ()
    """Names of the clips that are shown; all by default."""
    robot: str | None = None
    """Whose motion it is, where the files do not say."""
    rate: float | None = None
    """Frames in a second, where the files do not say."""
    seconds: float = 6.0
    """Of each clip at most."""
    video: Path = Path("motion.mp4")
    """MP4 file."""
    width: int = 640
    """Pixels; a multiple of 16."""
    height: int = 480
    """Pixels; a multiple of 16."""


def run(arguments: list[str]) -> None:
    """The command."""
    if not arguments or arguments[0] in ("-h", "--help"):
        width = max(map(len, ACTIONS))
        lines = "\n".join(f"  {name.ljust(width)}  {kind.__doc__}" for name, (kind, _) in ACTIONS.items())
        print(f"usage: embodied motion ACTION [--help] …\n\n{lines}")
        raise SystemExit(0 if arguments else 2)
    name, *rest = arguments
    if name not in ACTIONS:
        close = difflib.get_close_matches(name, ACTIONS, n=2)
        hint = f"did you mean {' or '.join(close)}?" if close else f"known are {', '.join(ACTIONS)}"
        raise UserError(f"there is no embodied motion {name!r}; {hint}")
    kind, action = ACTIONS[name]
    action(parse(f"motion {name}", kind, rest, kind.__doc__ or ""))


def bring_in(given: Import) -> None:
    """``import``."""
    if not given.files:
        raise UserError("name motion files or folders: embodied motion import FILES --out FOLDER")
    if given.rate is not None and not 1.0 <= given.rate <= 10_000.0:
        raise UserError(f"--rate is frames in a second, 1 to 10,000; not {given.rate:g}")
    if given.out.exists() and not given.out.is_dir():
        raise UserError(f"{given.out} is a file; name a folder with --out")
    if given.json is not None:
        refuse_no_file(given.json)
    told = Told(given.robot, given.rate, given.licence)
    if given.robot is not None:
        skeleton_of(given.robot)  # an unknown robot is told at once, and by its name
    target = None if given.retarget is None else skeleton_of(given.retarget)
    files, others = motion_files(given.files)
    if not files:
        raise UserError(f"there is no motion file in {', '.join(map(str, given.files))}")
    found: list[tuple[Path, Verdict, Path | None]] = []
    taken: set[str] = set()
    for path in files:
        for verdict in import_file(path, told, target, given.method):
            place = None if verdict.clip is None else given.out / _file_name(verdict.name, taken)
            if place is not None and verdict.clip is not None:
                own.write(place, verdict.clip)
            print(_said(verdict), flush=True)
            found.append((path, verdict, place))
    counts = Counter(verdict.kind for _, verdict, _ in found)
    print(", ".join(f"{counts[kind]} {kind}" for kind in ("accepted", "repaired", "refused")), end="")
    print(f"; {others} other files left out" if others else "")
    if given.json is not None:
        write_json(given.json, {"clips": [_plain(*each) for each in found]})
    if counts["refused"] == len(found):
        raise UserError("no clip could be used; nothing was written")
    print(given.out)


def list_clips(given: List) -> None:
    """``list``."""
    rows = [("clip", "robot", "seconds", "rate", "ends", "speed", "licence")]
    total = 0.0
    for path in _files(given.places):
        clip = own.read_clip(path)
        total += clip.duration
        speed = f"{max(map(math.hypot, *clip.root_velocity[:, :2].T)):.1f} m/s"
        ends = "looped" if clip.loop else "ends"
        rows.append(
            (clip.name, clip.robot, f"{clip.duration:.1f}", f"{clip.frame_rate:g}", ends, speed, _line(clip.licence))
        )
    print(aligned(rows))
    print(f"{len(rows) - 1} clips, {total:.0f} s")


def check(given: Check) -> None:
    """``check``."""
    if given.json is not None:
        refuse_no_file(given.json)
    wanted = None if given.robot is None else skeleton_of(given.robot)
    rows, wrong = [("clip", "robot", "seconds", "finding")], 0
    for path in _files(given.places):
        name, robot, seconds = path.stem, "-", "-"
        try:
            clip = own.read_clip(path)
            name, robot, seconds = clip.name, clip.robot, f"{clip.duration:.1f}"
            skeleton = wanted or known_skeleton(clip.robot)
            if skeleton is None:
                said = f"nothing is known of {clip.robot}"
            else:
                skeleton.refuse_other(clip)
                faults = shortcomings(clip, skeleton)
                wrong += bool(faults)
                said = "; ".join(faults) or "fits"
        except MotionError as error:
            wrong, said = wrong + 1, str(error)
        rows.append((name, robot, seconds, said))
    print(aligned(rows))
    if given.json is not None:
        heading, *others = rows
        write_json(given.json, {"clips": [dict(zip(heading, row, strict=True)) for row in others], "wrong": wrong})
    if wrong:
        raise UserError(f"{wrong} of {len(rows) - 1} clips do not fit; embodied motion import repairs what can be")


def view(given: View) -> None:
    """``view``."""
    if not given.places:
        raise UserError("name motion files, a folder or a robot: embodied motion view PLACES --video FILE")
    if not 0 < given.seconds <= MAX_SECONDS:
        raise UserError(f"--seconds must be above 0 and at most {MAX_SECONDS:g}, not {given.seconds}")
    if any(size % 16 or not 16 <= size <= 4096 for size in (given.width, given.height)):
        raise UserError(f"a video's sides are multiples of 16 up to 4096, not {given.width} and {given.height}")
    refuse_no_file(given.video)
    told = Told(given.robot, given.rate)
    clips = [clip for path in _files(given.places) for clip in read_motion(path, told)]
    if strange := set(given.clip) - {clip.name for clip in clips}:
        raise UserError(f"there is no clip {', '.join(strange)}; there are {', '.join(clip.name for clip in clips)}")
    shown = [clip for clip in clips if not given.clip or clip.name in given.clip]
    robots = sorted({clip.robot for clip in shown})
    if len(robots) > 1:
        raise UserError(
            f"these are clips of {' and '.join(robots)}; a video shows one robot: name its clips with --clip"
        )
    skeleton = skeleton_of(given.robot) if given.robot is not None else known_skeleton(robots[0])
    if skeleton is None:
        raise UserError(f"nothing is known of {robots[0]}, whose clips these are; name its file with --robot")
    for clip in shown:
        skeleton.refuse_other(clip)
    from embodied.report.motion_film import film_clips

    seconds = film_clips(shown, skeleton.body, given.video, given.seconds, (given.width, given.height))
    print(f"{len(shown)} clips of {robots[0]}, {seconds:.1f} s\nVideo  {given.video}")


ACTIONS = {
    "import": (Import, bring_in),
    "list": (List, list_clips),
    "check": (Check, check),
    "view": (View, view),
    "synthesise": (Synthesise, synthesise),
}
"""What is asked for, and what does it."""


def _files(places: tuple[str, ...]) -> list[Path]:
    """Files of clips at the places; those that ship where none is named."""
    if not places and not shipped_motions():
        raise UserError(f"no clips ship in {motion_folder()}; name a folder or a file")
    return [file for place in places or tuple(shipped_motions()) for file in clip_files(place)]


def _file_name(name: str, taken: set[str]) -> str:
    """A file name for a clip that no clip before it has."""
    plain = "".join(each if each.isalnum() or each in "-_." else "_" for each in name).lstrip(".")
    plain = plain.encode(errors="replace")[:LONGEST_NAME].decode(errors="ignore") or "clip"
    number, free = 2, plain
    while free.lower() in taken:
        free, number = f"{plain}-{number}", number + 1
    taken.add(free.lower())
    return free + own.SUFFIX


def _line(text: str) -> str:
    """What of a text goes into a line of a table."""
    return "".join(each if each.isprintable() else " " for each in text)[:LONGEST_NAME] or "-"


def _said(verdict: Verdict) -> str:
    clip: MotionClip | None = verdict.clip
    length = "" if clip is None else f" {clip.duration:.1f} s"
    return "\n".join((f"{verdict.name}: {verdict.kind}{length}", *(f"    {each}" for each in verdict.findings)))


def _plain(path: Path, verdict: Verdict, place: Path | None) -> dict[str, object]:
    clip = verdict.clip
    return {
        "file": str(path),
        "clip": verdict.name,
        "verdict": verdict.kind,
        "findings": list(verdict.findings),
        "robot": None if clip is None else clip.robot,
        "seconds": None if clip is None else clip.duration,
        "written": None if place is None else str(place),
    }
