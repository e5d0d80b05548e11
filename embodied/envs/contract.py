"""What a task gives an environment, looked at once: a mistake is named before anything is learned from it."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor

from embodied.runs.errors import UserError
from embodied.scenes import Scene
from embodied.senses import ObservationSpec
from embodied.tasks import Task


class RewardNotFinite(ArithmeticError):
    """A task's reward is not finite in a world whose physics are well."""


def refuse_infinite_rewards(task: Task, names: tuple[str, ...], terms: np.ndarray) -> None:
    """Raises RewardNotFinite naming the first of the (terms, W) reward terms that is not finite anywhere."""
    if not np.isfinite(terms).all():
        wrong = next(name for name, term in zip(names, terms, strict=True) if not np.isfinite(term).all())
        raise RewardNotFinite(f"the reward term {wrong!r} of the task {_name(task)} is not finite")


def refuse_broken_scene(task: Task, scene: Any) -> None:
    """Raises UserError where what a task calls its scene lacks an agent."""
    if not isinstance(scene, Scene):
        raise UserError(f"{_called(task, 'scene')} gave a {type(scene).__name__}; expected a Scene")
    if missing := [name for name in task.agents if name not in scene.entities]:
        raise UserError(
            f"{_called(task, 'scene')} left out {', '.join(missing)}: the bodies it is given belong into it"
        )


def refuse_broken_senses(task: Task, spec: ObservationSpec, num_worlds: int) -> None:
    """Raises UserError where a sense gives other numbers than its terms say."""
    for group, senses in task.senses().items():
        for sense in senses:
            given, expected = sense.read(), sum(term.size for term in sense.terms)
            if given.shape[0] != num_worlds or given[0].numel() != expected:
                named = ", ".join(term.name for term in sense.terms)
                raise UserError(
                    f"the sense of {named} in group {group!r} of the task {_name(task)} reads {tuple(given.shape)}; "
                    f"expected ({num_worlds}, …) with {expected} numbers of each world"
                )
    if not spec.groups:
        raise UserError(f"{_called(task, 'senses')} gave no observation group")


def refuse_broken_play(task: Task, num_worlds: int, actions: int) -> dict[str, Tensor]:
    """Raises UserError for what a task says of a step that cannot be used; gives its reward terms."""
    if actions == 0:
        raise UserError(f"nothing drives the body: the task {_name(task)} has no action for it")
    if not isinstance(getattr(task, "episode_steps", None), int) or task.episode_steps < 1:
        raise UserError(f"the task {_name(task)} needs episode_steps, control steps until an episode is truncated")
    rewards = task.rewards()
    if not isinstance(rewards, dict) or not rewards:
        raise UserError(f"{_called(task, 'rewards')} gave a {type(rewards).__name__}; expected terms by name")
    for name, term in rewards.items():
        _refuse_other_shape(term, num_worlds, _called(task, "rewards"), name)
    ended = task.terminated()
    _refuse_other_shape(ended, num_worlds, _called(task, "terminated"))
    if ended.dtype != torch.bool:
        raise UserError(f"{_called(task, 'terminated')} gave {ended.dtype}; expected torch.bool")
    for name, value in task.metrics().items():
        _refuse_other_shape(value, num_worlds, _called(task, "metrics"), name)
    for name, value in task.memory.items():
        if not isinstance(value, Tensor) or value.dim() < 1 or value.shape[0] != num_worlds:
            shape = tuple(value.shape) if isinstance(value, Tensor) else type(value).__name__
            raise UserError(f"memory {name!r} of the task {_name(task)} is {shape}; expected ({num_worlds}, …)")
    return rewards


def _refuse_other_shape(value: Any, num_worlds: int, said: str, name: str | None = None) -> None:
    what = f"{said} gave {name!r} as" if name else f"{said} gave"
    if not isinstance(value, Tensor):
        raise UserError(f"{what} a {type(value).__name__}; expected a tensor ({num_worlds},), one number per world")
    if tuple(value.shape) != (num_worlds,):
        raise UserError(f"{what} a tensor {tuple(value.shape)}; expected ({num_worlds},), one number per world")


def _name(task: Task) -> str:
    return getattr(task, "name", type(task).__name__)


def _called(task: Task, method: str) -> str:
    return f"{method}() of the task {_name(task)}"
