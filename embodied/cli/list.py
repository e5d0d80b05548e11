"""``embodied list``: the tasks, bodies and presets there are."""

from __future__ import annotations

from embodied.runs.configuration import preset_names
from embodied.tasks import task_names
from morphologies import body_names


def run(arguments: list[str]) -> None:
    """The command."""
    print("tasks    " + " ".join(task_names()))
    print("bodies   " + " ".join(body_names()))
    for command in ("train", "evolve"):
        print(f"presets  {command}: " + (" ".join(preset_names(command)) or "none"))
