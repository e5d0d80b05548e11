"""Commands: what a task asks of its robot, in the world's frame, as whoever commands a robot would say it.

Read from the task itself, so that what a bundle is held to does not come from the observation that it is to rebuild.
"""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor

from embodied.tasks import Task
from embodied.tasks.heading import Heading
from embodied.tasks.location import Location
from embodied.tasks.reach import Reach


def commands_of(task: Task) -> Mapping[str, Tensor]:
    """(W, n) each, as they are now; nothing of a task that is not known here."""
    if isinstance(task, Heading):
        direction, facing = task.memory["asked"].unbind(1)
        return {"goal_direction": direction, "goal_facing": facing, "goal_speed": task.memory["speed"]}
    if isinstance(task, Location):
        return {"goal_place": task.goal.root_pos[:, :2]}
    if isinstance(task, Reach):
        return {"goal_point": task.goal.root_pos}
    return {}
