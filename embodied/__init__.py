"""Evolve robot bodies, train their controllers, and ship what they learned."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from embodied import gymnasium_ids

if TYPE_CHECKING:
    from pathlib import Path

    from embodied.envs import make as make
    from embodied.learning.evaluate import Actor
    from embodied.networks import ActorCritic
    from embodied.skills.prior import SkillPrior
    from embodied.tasks import register_task as register_task
    from morphologies import register_body as register_body

    # Told here: an import of the room it lives in would make that room one of everybody's who imports the package.
    def load(place: str | Path) -> ActorCritic | SkillPrior | Actor:
        """See `embodied.export.load.load`."""
        ...


__all__ = ["load", "make", "register_body", "register_task"]

_WHERE = {
    "make": "embodied.envs",
    "load": "embodied.export.load",
    "register_task": "embodied.tasks",
    "register_body": "morphologies",
}


gymnasium_ids.register()


def __getattr__(name: str) -> Any:
    """Imports the public names when they are first asked for, so that ``import embodied`` stays quick."""
    if name in _WHERE:
        from importlib import import_module

        return getattr(import_module(_WHERE[name]), name)
    raise AttributeError(f"module 'embodied' has no attribute {name!r}")
