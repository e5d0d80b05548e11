"""Tasks: what is asked of a body, written once for every World."""

from embodied.tasks.registry import UnknownTask, find_task, register_task, task_names
from embodied.tasks.task import Task

__all__ = ["Task", "UnknownTask", "find_task", "register_task", "task_names"]
