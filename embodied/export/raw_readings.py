"""Raw readings: what instruments and whoever commands the robot would say in the framework's worlds at a moment."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch

from embodied.export.commands import commands_of
from embodied.export.given import undone
from embodied.export.readings import INSTRUMENTS, LAST_ACTION, recipe_of
from embodied.scenes import EntityView
from embodied.senses import Term
from embodied.tasks import Task
from embodied.vector_env import Observation


def array_of(values: torch.Tensor) -> np.ndarray:
    """A copy."""
    return values.detach().cpu().numpy().copy()


def measured_of(robot: EntityView, groups: Mapping[str, tuple[Term, ...]]) -> dict[str, np.ndarray]:
    """(W, n) By name: what instruments read, of all that the terms of these groups are made of."""
    recipes = [recipe_of(term) for terms in groups.values() for term in terms]
    names = {name for recipe in recipes for name in (recipe.reading, *recipe.also)}
    known = {name: INSTRUMENTS[name].read for name in names if name in INSTRUMENTS}
    return {name: array_of(read(robot)) for name, read in known.items() if read is not None}


def given_of(
    task: Task, robot: EntityView, observation: Observation, groups: Mapping[str, tuple[Term, ...]]
) -> dict[str, np.ndarray]:
    """(W, n) By name: what no instrument reads: the task's commands, all else from what the observation shows of it."""
    commands = {name: array_of(each).astype(np.float64) for name, each in commands_of(task).items()}
    found = {}
    for group, terms in groups.items():
        start = 0
        for term in terms:
            recipe, size = recipe_of(term), term.size // term.history
            start += term.size
            known = INSTRUMENTS.get(recipe.reading)
            if recipe.reading in commands:
                found[recipe.reading] = commands[recipe.reading]
            elif recipe.reading != LAST_ACTION and (known is None or known.read is None):
                shown = array_of(observation[group][:, start - size : start]).astype(np.float64)
                if recipe.from_pose:
                    shown = shown + np.tile(robot.entity.pose, size // len(robot.entity.pose))
                found[recipe.reading] = undone(recipe.transform, shown, array_of(robot.root_pose)[: len(shown)])
    return found
