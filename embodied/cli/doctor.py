"""``embodied doctor``: what was understood of a robot file or a body, what was guessed, and what looks wrong."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path

from embodied.cli.arguments import parse
from embodied.cli.output import refuse_no_file, write_json
from embodied.graphics import NoGraphics
from embodied.report.checkup import Standing, picture, stand
from embodied.runs.errors import UserError
from embodied.runs.table import aligned
from morphologies import Body, find_body
from morphologies.read import SUFFIXES, Reading, read
from morphologies.read.examine import Examination, examine
from morphologies.robots import read_named, robot_names


@dataclass(frozen=True)
class Doctor:
    """Say what was understood of a body."""

    body: str = ""
    """An MJCF or URDF file, a genome file, or a name."""
    out: Path | None = None
    """PNG file; <body>.png in this folder by default."""
    asset_root: Path | None = None
    """Folder that all files of the robot must lie in; its ROS package, or its own folder, by default."""
    json: Path | None = None
    """Also writes what was found to this file."""


def run(arguments: list[str]) -> None:
    """The command."""
    given = parse("doctor", Doctor, arguments, "Say what was understood of a robot file or body, and what is wrong.")
    if not given.body:
        raise UserError("name a robot file or a body with --body; `embodied list` has the names")
    if given.out is not None and given.out.suffix.lower() != ".png":
        raise UserError(f"--out is for a picture, a file that ends in .png; not {given.out}")
    for path in (given.out, given.json):
        if path is not None:
            refuse_no_file(path)
    body, reading = _find(given)
    found = examine(body)
    standing = stand(body)
    guesses = reading.guesses if reading else []
    problems = [*(reading.problems if reading else []), *found.problems, *standing.problems]
    problems = list(dict.fromkeys(problems))
    print(_report(body, found, standing, guesses, problems, reading))
    out = given.out or Path(f"{body.name}.png")
    try:
        picture(body, out)
        print(f"\nPicture  {out}: left as it looks, right what is solid (feet orange, root blue)")
    except NoGraphics as error:
        print(f"\nNo picture: {error}")
    if given.json is not None:
        write_json(
            given.json,
            {
                "body": body.name,
                **asdict(found),
                "feet": list(body.feet),
                "pose": dict(body.pose),
                "standing": asdict(standing),
                "guesses": guesses,
                "problems": problems,
            },
        )


def _find(given: Doctor) -> tuple[Body, Reading | None]:
    path = Path(given.body)
    if path.suffix.lower() in SUFFIXES:
        reading = read(path, given.asset_root)
    elif given.body in robot_names():
        reading = read_named(given.body)
    else:
        return find_body(given.body), None
    return reading.body(), reading


def _report(
    body: Body,
    found: Examination,
    standing: Standing,
    guesses: list[str],
    problems: list[str],
    reading: Reading | None,
) -> str:
    held = {"free": "free", "planar": "in a vertical plane", "fixed": "fixed to the world"}[found.root]
    head = [
        ("body", body.name),
        ("mass", f"{found.mass:.3f} kg"),
        ("base", f"{found.base}, {held}"),
        ("feet", ", ".join(body.feet) or "none"),
        (
            "standing height",
            f"{found.standing_height:.3f} m (root link, default pose); starts at {found.spawn_height:.3f} m",
        ),
        ("actions", _actions(found)),
        ("left alone for 2 s", _stood(standing)),
        ("sensors", _sensors(found.sensors)),
    ]
    if reading is not None:
        head.insert(1, ("file", str(reading.path)))
    parts = [aligned(head)]
    parts.append(
        aligned(
            [("link", "on", "mass kg", "solid", "")]
            + [(r.name, r.parent or "-", f"{r.mass:.4g}", str(r.solid), "foot" if r.foot else "") for r in found.links]
        )
    )
    if found.joints:
        rows = [("joint", "kind", "range rad or m", "pose", "armature", "damping")]
        for joint in found.joints:
            limits = "no limits" if joint.range is None else f"{joint.range[0]:.3f} to {joint.range[1]:.3f}"
            rows.append(
                (joint.name, joint.kind, limits, f"{joint.pose:.3f}", f"{joint.armature:.4g}", f"{joint.damping:.4g}")
            )
        parts.append(aligned(rows))
    if found.actuators:
        rows = [("actuator", "drives", "kind", "gains", "at most N·m or N")]
        for actuator in found.actuators:
            most = "-" if actuator.limit is None else f"{actuator.limit:.4g}"
            rows.append((actuator.name, actuator.target, actuator.kind, actuator.gains, most))
        parts.append(aligned(rows))
    if reading is not None:
        name = f"{reading.path.stem}.yaml"
        title = f"Guessed; {name} beside the file overrides by the key in parentheses:"
        parts.append(_listed(title, guesses) if guesses else "Nothing had to be guessed.")
    parts.append(_listed("Problems:", problems) if problems else "No problems found.")
    return "\n\n".join(parts)


def _actions(found: Examination) -> str:
    number = len(found.actuators)
    if any(actuator.kind == "position" for actuator in found.actuators):
        return f"{number}; 1 moves a position target by {found.action_scale:g} rad or m"
    return str(number)


def _stood(standing: Standing) -> str:
    if not standing.finite:
        return "unstable"
    touched = f"; also on the ground: {', '.join(standing.touched)}" if standing.touched else ""
    moved = f"tilt up to {standing.tilt:.0f} degrees, drift {standing.drift:.3f} m"
    return f"root at {standing.height:.3f} m, {moved}{touched}"


def _sensors(names: list[str]) -> str:
    touch = sum(name.startswith("touch/") for name in names)
    ends = sum(name.startswith("limb/end/") for name in names)
    others = [name for name in names if not name.startswith(("touch/", "limb/end/"))]
    return f"{', '.join(others)}; touch of {touch} links; place of {ends} limb ends"


def _listed(title: str, sentences: list[str]) -> str:
    return "\n".join((title, *(f"  - {sentence}" for sentence in sentences)))
