"""Fitting: is the robot that goes by a bundle's name here, and the task that goes by its task's, the one it is for?"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from embodied.export.errors import BundleError
from embodied.export.robot import describe_action, describe_robot
from embodied.scenes import Scene
from embodied.scenes.arenas.flat import FlatArena
from embodied.senses import Term
from embodied.tasks import task_names
from morphologies import Body, body_names, find_body
from morphologies.fabricate import FabricationError
from morphologies.fabricate.anatomy import take_apart

NEAR = 1e-6
"""How much of a number of the robot may be rounding."""


def refuse_no_task(manifest: Mapping[str, Any], where: str) -> None:
    """Raises BundleError unless the task that a bundle was trained in can be made here from its name."""
    name = manifest["training"]["task"]
    if name == "tracking":
        raise BundleError(where, "tracks motion clips, which no bundle holds; the run that it was exported from does")
    if name not in task_names():
        raise BundleError(where, f"was trained in {name!r}, which is no task here; there is {', '.join(task_names())}")


def robot_of(manifest: Mapping[str, Any], where: str, body: Body | None = None) -> Body:
    """The body that a bundle is for.

    Args:
        manifest: the bundle's.
        where: what errors call it.
        body: what is thought to be it; the one that goes by its robot's name, where nothing is.

    Raises:
        BundleError: nothing goes by that name, or it is another robot.
    """
    name = manifest["robot"]["name"]
    if body is None:
        if name not in body_names():
            raise BundleError(where, f"is for {name!r}, and no body goes by that name here")
        body = find_body(name)
    wrong = next(_differences(manifest, body), None)
    if wrong is not None:
        raise BundleError(where, f"is for another robot than the {body.name} of this framework: {wrong} differs")
    return body


def refuse_other_groups(
    spec: Mapping[str, tuple[Term, ...]], groups: Mapping[str, tuple[Term, ...]], where: Path | str
) -> None:
    """Raises BundleError unless a task's observation groups are, term by term, what a bundle reads."""
    for name, terms in spec.items():
        if name not in groups:
            raise BundleError(where, f"reads a group {name}, which its task here does not show")
        said, shown = ([(t.name, t.size, t.frame, t.history) for t in each] for each in (terms, groups[name]))
        if said != shown:
            raise BundleError(where, f"reads a group {name} that is made of other terms than that of its task here")


def _differences(manifest: Mapping[str, Any], body: Body) -> Iterator[str]:
    """What differs between the robot that a manifest tells of and a body, by the manifest's names."""
    timing, action = manifest["timing"], manifest["action"]
    try:
        scene = Scene(FlatArena(), {"robot": body}, timing["simulation_period"], timing["simulation_steps"])
        anatomy, entity = take_apart(body), scene.entities["robot"]
        here = {**manifest["robot"], **describe_robot(entity, anatomy, {}), "name": manifest["robot"]["name"]}
        yield from _apart(manifest["robot"], here, "robot")
        yield from _apart(action["actuators"], describe_action(entity, anatomy, None)["actuators"], "action.actuators")
    except FabricationError as error:
        yield str(error)


def _apart(one: Any, other: Any, path: str) -> Iterator[str]:
    if isinstance(one, dict) and isinstance(other, dict) and one.keys() == other.keys():
        for key in one:
            yield from _apart(one[key], other[key], f"{path}.{key}")
    elif isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        for number, (a, b) in enumerate(zip(one, other, strict=True)):
            yield from _apart(a, b, f"{path}[{number}]")
    elif isinstance(one, int | float) and isinstance(other, int | float):
        if not math.isclose(one, other, rel_tol=NEAR, abs_tol=NEAR):
            yield path
    elif one != other:
        yield path
