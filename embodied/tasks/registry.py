"""The names that tasks go by; other packages add theirs through the entry-point group ``embodied.plugins``."""

from __future__ import annotations

import difflib
from collections.abc import Callable
from functools import cache
from importlib.metadata import entry_points

from embodied.tasks.flat import Flat
from embodied.tasks.task import Task
from embodied.tasks.variable import Variable


class UnknownTask(ValueError):
    """A task name that nobody registered; the message has the close ones."""


_registered: dict[str, Callable[[], Task]] = {"flat": Flat, "variable": Variable}


def register_task(name: str, make: Callable[[], Task]) -> None:
    """Makes a task known by name; registering a name again replaces it."""
    _registered[name] = make


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

    Raises:
        UnknownTask: nobody registered the name.
    """
    if isinstance(task, Task):
        return task
    if task not in task_names():
        close = difflib.get_close_matches(task, _registered, n=3, cutoff=0.5)
        hint = f"; did you mean {' or '.join(close)}?" if close else f"; known are {', '.join(sorted(_registered))}"
        raise UnknownTask(f"there is no task called {task!r}{hint}")
    return _registered[task]()
