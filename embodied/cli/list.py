"""``embodied list``: the tasks, bodies, robots and presets there are, each with a line on what it is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from tyro.conf import Positional

from embodied.cli.arguments import parse
from embodied.runs.configuration import preset_names
from embodied.runs.table import aligned
from embodied.tasks import find_task, task_names
from morphologies import body_names, find_body
from morphologies.robots import DM_CONTROL, robot_names

WITH_PRESETS = ("train", "evolve", "pretrain imitate", "pretrain ase")
"""Commands that presets are for."""


@dataclass(frozen=True)
class List:
    """What there is."""

    what: Positional[Literal["tasks", "bodies", "robots", "presets", "all"]] = "all"
    """Which of it; names alone where it is all."""


def run(arguments: list[str]) -> None:
    """The command."""
    given = parse("list", List, arguments, "The tasks, bodies, robots and presets there are.")
    if given.what == "all":
        rows = [("tasks", task_names()), ("bodies", _bodies()), ("robots", robot_names())]
        rows += [(f"presets of {command}", preset_names(command) or ["none"]) for command in WITH_PRESETS]
        print(aligned([(kind, " ".join(names)) for kind, names in rows]))
        print("\nembodied list tasks | bodies | robots | presets says more of each.")
    else:
        print(
            aligned(
                {"tasks": _task_rows, "bodies": _body_rows, "robots": _robot_rows, "presets": _preset_rows}[
                    given.what
                ]()
            )
        )


def _bodies() -> list[str]:
    return sorted(set(body_names()) - set(robot_names()))


def _task_rows() -> list[tuple[str, ...]]:
    rows = [("task", "body", "steps", "what it asks")]
    for name in task_names():
        task = find_task(name)
        asked = (type(task).__doc__ or "").strip().splitlines()
        rows.append((name, task.default_body, str(task.episode_steps), asked[0] if asked else ""))
    return rows


def _body_rows() -> list[tuple[str, ...]]:
    rows = [("body", "links", "hinges", "mass", "height")]
    for name in _bodies():
        body = find_body(name)
        about = body.description
        rows.append(
            (name, str(about.limbs + 1), str(about.joints), f"{about.mass:.1f} kg", f"{body.spawn_height:.2f} m")
        )
    return rows


def _robot_rows() -> list[tuple[str, ...]]:
    return [("robot", "from")] + [(name, "dm_control" if name in DM_CONTROL else "embodied") for name in robot_names()]


def _preset_rows() -> list[tuple[str, ...]]:
    found = [(command, name) for command in WITH_PRESETS for name in preset_names(command)]
    return [("command", "preset"), *found]
