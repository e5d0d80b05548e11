"""The ids under which Gymnasium finds our tasks. Registered on ``import embodied``."""

import gymnasium

TASKS = ("flat",)
"""Every task that this package registers."""


def gymnasium_id(task: str) -> str:
    """``point_nav`` becomes ``embodied/PointNav-v0``."""
    return f"embodied/{task.title().replace('_', '')}-v0"


def register() -> None:
    """Registers the tasks; nothing of theirs is imported until one is made."""
    for name in TASKS:
        gymnasium.register(
            gymnasium_id(name),
            entry_point="embodied.envs.doors.gymnasium:GymnasiumEnv",
            kwargs={"task": name},
        )
