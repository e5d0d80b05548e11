"""The ids under which Gymnasium finds our tasks. Registered on ``import embodied``."""

from __future__ import annotations

import re

import gymnasium

EPISODE_STEPS = 1000
"""Control steps after which an episode of this package's own tasks is truncated."""
SHORTER = {"heading": 500, "location": 500, "reach": 500, "strike": 500}
"""Tasks whose episodes are cut off earlier."""
TASKS = (
    *("flat", "variable", "manipulation"),
    *("patrol", "point_nav", "obstacle", "escape", "incline", "push_box_incline", "manipulate_ball", "exploration"),
    *("velocity", "velocity_rough"),
    *("heading", "location", "reach", "strike"),
)
"""Every task that this package registers."""


def gymnasium_id(task: str) -> str:
    """``point_nav`` becomes ``embodied/PointNav-v0``."""
    words = re.sub(r"[^0-9A-Za-z]+", " ", task).split()
    return f"embodied/{''.join(word[0].upper() + word[1:] for word in words)}-v0"


def register() -> None:
    """Registers this package's tasks; nothing of theirs is imported until one is made."""
    for name in TASKS:
        register_id(name, SHORTER.get(name, EPISODE_STEPS))


def register_id(task: str, episode_steps: int | None) -> None:
    """Makes a task known to Gymnasium, under a new id or in place of the one that had it.

    Args:
        task: its registered name.
        episode_steps: when Gymnasium is to truncate its episodes; None leaves that to the task.
    """
    name = gymnasium_id(task)
    door = "GymnasiumEnv" if episode_steps is None else "UntimedGymnasiumEnv"
    gymnasium.registry.pop(name, None)
    gymnasium.register(
        name,
        entry_point=f"embodied.envs.doors.gymnasium:{door}",
        vector_entry_point="embodied.envs.doors.gymnasium_vector:GymnasiumVectorEnv",
        max_episode_steps=episode_steps,
        kwargs={"task": task},
    )
