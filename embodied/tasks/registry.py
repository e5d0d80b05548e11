"""The names that tasks go by; other packages add theirs through the entry-point group ``embodied.plugins``."""

from __future__ import annotations

import difflib
import os
import re
import sys
from collections.abc import Callable
from functools import cache
from importlib import import_module
from importlib.metadata import entry_points

from embodied.gymnasium_ids import gymnasium_id, register_id
from embodied.tasks.task import Task


class UnknownTask(ValueError):
    """A task name that nobody registered; the message has the close ones."""


OWN: dict[str, str] = {
    "flat": "Flat",
    "variable": "Variable",
    "patrol": "Patrol",
    "point_nav": "PointNav",
    "manipulation": "Manipulation",
    "manipulate_ball": "ManipulateBall",
    "exploration": "Exploration",
    "incline": "Incline",
    "push_box_incline": "PushBoxIncline",
    "escape": "Escape",
    "obstacle": "Obstacle",
    "velocity": "Velocity",
    "velocity_rough": "VelocityRough",
    "heading": "Heading",
    "location": "Location",
    "reach": "Reach",
    "strike": "Strike",
}
"""This package's tasks: class names, each in the module that is named like the task."""


def _own(name: str) -> Callable[[], Task]:
    """Makes a task of this package, whose module is imported when the first is made."""
    return lambda: getattr(import_module(f"embodied.tasks.{name}"), OWN[name])()


_registered: dict[str, Callable[[], Task]] = {name: _own(name) for name in OWN}


def register_task(name: str, make: Callable[[], Task]) -> None:
    """Makes a task known by name, to Gymnasium too; registering a name again replaces it.

    Args:
        name: words of small letters and digits, joined by underscores.
        make: gives a fresh task each time, such as its class.

    Raises:
        ValueError: another kind of name, one that Gymnasium could not tell from another task's, or a task itself.
    """
    if not re.fullmatch(r"[a-z][a-z0-9]*(_[a-z0-9]+)*", name):
        raise ValueError(f"a task's name is words of small letters and digits joined by underscores, not {name!r}")
    taken = next((other for other in _registered if gymnasium_id(other) == gymnasium_id(name) and other != name), None)
    if taken is not None:
        raise ValueError(f"{name!r} would have the Gymnasium id {gymnasium_id(name)}, which is that of {taken!r}")
    if not callable(make):
        raise ValueError(f"register the class of the task, or a function that makes it, not {type(make).__name__}")
    _registered[name] = make
    register_id(name, getattr(make, "episode_steps", None))


@cache
def load_plugins() -> None:
    """Calls every installed plugin once, so that it can register tasks and bodies."""
    for plugin in entry_points(group="embodied.plugins"):
        plugin.load()()


def task_names() -> list[str]:
    """All registered names, sorted."""
    load_plugins()
    return sorted(_registered)


def find_task(task: str | Task) -> Task:
    """A fresh task by its name, or the task itself.

    A name with a colon, ``module:Class``, is a class in a module that can be imported from where Python looks or from
    the current folder: a task of one's own needs no registration.

    Raises:
        UnknownTask: nobody registered the name, or there is no such class.
    """
    if isinstance(task, Task):
        return task
    if not isinstance(task, str):
        raise UnknownTask(f"a task is a name or a Task, not {task!r}" + (": make one" if callable(task) else ""))
    if ":" in task:
        return _imported(task)
    if task not in task_names():
        close = difflib.get_close_matches(task, _registered, n=3, cutoff=0.5)
        hint = f"; did you mean {' or '.join(close)}?" if close else f"; known are {', '.join(sorted(_registered))}"
        raise UnknownTask(f"there is no task called {task!r}{hint}")
    made = _registered[task]()
    if not isinstance(made, Task):
        raise UnknownTask(f"what was registered as {task!r} makes a {type(made).__name__}, which is no Task")
    return made


def _imported(task: str) -> Task:
    module, _, name = task.partition(":")
    if os.getcwd() not in sys.path:
        sys.path.append(os.getcwd())
    try:
        made = getattr(import_module(module), name)()
    except ModuleNotFoundError as error:
        if error.name != module:
            raise
        raise UnknownTask(f"there is no module {module!r} here or where Python looks, for the task {task!r}") from None
    except (AttributeError, TypeError, ValueError) as error:
        raise UnknownTask(f"the task {task!r} cannot be made: {error}") from error
    if not isinstance(made, Task):
        raise UnknownTask(f"{task!r} makes a {type(made).__name__}, which is no embodied.tasks.Task")
    return made
