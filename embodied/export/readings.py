"""Readings: which instruments an observation is built from, and how each of its terms comes from one of them.

A term is ``clip((transform(reading) - subtract) * scale, ±clip)`` of its last ``history`` control steps, the oldest
first. Senses whose terms are not known here are readings of their own: whoever runs the policy has to give them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from embodied.scenes import EntityView
from embodied.scenes.entity import Entity
from embodied.senses import Term
from embodied.tasks.heading import SPEED
from embodied.tasks.location import FARTHEST as PLACES
from embodied.tasks.reach import FARTHEST as POINTS

MEASURED, ESTIMATED, GIVEN = "measured", "estimated", "given"
"""By an instrument; by a state estimator, for no instrument of a robot reads it; by whoever commands the robot."""
LAST_ACTION = "last_action"
"""The term that the policy's own memory holds; no reading."""
IMU = "imu"
"""The inertial unit's frame."""


@dataclass(frozen=True)
class Instrument:
    """A reading that robots have."""

    unit: str
    frame: str
    source: str
    about: str
    read: Callable[[EntityView], Any] | None = None
    """From worlds, (W, n); None of what is given."""
    state: str | None = None
    """What of the state it is, in a simulation: see `Simulation.reading`."""
    sensors: Callable[[Entity], list[str]] | None = None
    """Names of the MJCF's sensors that make it up."""


def _sensor(name: str) -> dict[str, Any]:
    return {"read": lambda view: view.sensor(name), "sensors": lambda entity: [name]}


def _touch(entity: Entity) -> list[str]:
    return [f"touch/{link}" for link in entity.link_names]


def _limb_ends(entity: Entity) -> list[str]:
    return [name for name in entity.sensors if name.startswith("limb/end/")]


def _many(names: Callable[[Entity], list[str]]) -> dict[str, Any]:
    return {"read": lambda view: view.sensor(*names(view.entity)), "sensors": names}


INSTRUMENTS: dict[str, Instrument] = {
    "joint_pos": Instrument(
        "rad or m", "", MEASURED, "positions of all joints", lambda view: view.joint_pos, "joint_pos"
    ),
    "joint_vel": Instrument(
        "rad/s or m/s", "", MEASURED, "velocities of all joints", lambda view: view.joint_vel, "joint_vel"
    ),
    "orientation": Instrument(
        "1",
        "root link in the world",
        MEASURED,
        "quaternion (w, x, y, z) that turns vectors of the root link into the world's",
        lambda view: view.root_quat,
        "orientation",
    ),
    "position": Instrument("m", "world", ESTIMATED, "of the root link", lambda view: view.root_pos, "position"),
    "gyro": Instrument("rad/s", IMU, MEASURED, "angular velocity", **_sensor("gyro")),
    "accelerometer": Instrument(
        "m/s²", IMU, MEASURED, "proper acceleration: g upwards at rest", **_sensor("accelerometer")
    ),
    "velocimeter": Instrument("m/s", IMU, ESTIMATED, "linear velocity", **_sensor("velocimeter")),
    "root_linear_velocity": Instrument(
        "m/s", "world", ESTIMATED, "of the root link", lambda view: view.root_velocity[:, :3], "linear"
    ),
    "root_angular_velocity": Instrument(
        "rad/s", "root link", MEASURED, "of the root link", lambda view: view.root_velocity[:, 3:], "angular"
    ),
    "touch": Instrument("N", "", MEASURED, "normal force on every link", **_many(_touch)),
    "limb_ends": Instrument(
        "m", "root link", MEASURED, "x, y, z of every limb's end, by forward kinematics", **_many(_limb_ends)
    ),
    "goal_direction": Instrument("1", "world", GIVEN, "where to go: a level unit vector (x, y, 0)"),
    "goal_facing": Instrument(
        "1", "world", GIVEN, "where to look: a level unit vector (x, y, 0); in training at most 30° from goal_direction"
    ),
    "goal_speed": Instrument(
        "m/s", "", GIVEN, f"how fast along goal_direction: {SPEED[0]:g} to {SPEED[1]:g} in training"
    ),
    "goal_place": Instrument(
        "m", "world", GIVEN, f"the place (x, y) to go to and stay at: up to {PLACES:g} m away in training"
    ),
    "goal_point": Instrument(
        "m",
        "world",
        GIVEN,
        f"the point (x, y, z) to touch: up to {POINTS:g} m aside in training, on level ground at z = 0",
    ),
    "reference_position": Instrument("m", "world", GIVEN, "where the root link is to be, at each moment ahead"),
    "reference_rotation": Instrument(
        "1", "root link in the world", GIVEN, "its orientation then, a quaternion (w, x, y, z) each"
    ),
    "reference_joints": Instrument("rad", "", GIVEN, "positions of all joints then"),
    "reference_target": Instrument("rad", "", GIVEN, "of each actuator's joint at the end of this control period"),
}  # fmt: skip
"""By name."""


TILT_ALONE = "; only its tilt is read"
HEADING_TOO = (
    "; its heading counts: it has to be that of the world in which commands are given, and not to drift from it"
)
"""What else there is to say of the orientation."""


@dataclass(frozen=True)
class Recipe:
    """How a term comes from a reading."""

    reading: str
    transform: str = "none"
    """A name of `run_policy.TRANSFORMS` or `goals.TRANSFORMS`."""
    from_pose: bool = False
    """Whether the default pose is subtracted, from each moment that the reading shows."""
    also: tuple[str, ...] = ()
    """Readings that the transform needs besides."""


RECIPES = {
    "joint_pos": Recipe("joint_pos"),
    "joint_deviation": Recipe("joint_pos", from_pose=True),
    "joint_vel": Recipe("joint_vel"),
    "gravity": Recipe("orientation", "down"),
    "limb_ends": Recipe("limb_ends", "first_two_of_three"),
    **{
        name: Recipe(name)
        for name in ("gyro", "accelerometer", "velocimeter", "root_linear_velocity", "root_angular_velocity", "touch")
    },
    **{name: Recipe(name, "along_heading", also=("orientation",)) for name in ("goal_direction", "goal_facing")},
    "goal_speed": Recipe("goal_speed"),
    "goal_level_offset": Recipe("goal_place", "level_way_along_heading", also=("orientation", "position")),
    "goal_offset": Recipe("goal_point", "way_along_heading", also=("orientation", "position")),
    "reference_position": Recipe("reference_position", "way_from_root", also=("orientation", "position")),
    "reference_rotation": Recipe("reference_rotation", "turn_from_root", also=("orientation",)),
    "reference_joints": Recipe("reference_joints", from_pose=True),
}
"""By the names of terms."""
_FRAMES = {"head": IMU}
"""Senses call the link that carries the instruments the head; its instruments' frame is told as such."""


def recipe_of(term: Term) -> Recipe:
    """How a term is made; of a reading of its own where nothing else is known."""
    return RECIPES.get(term.name, Recipe(term.name))


def describe_terms(terms: Iterable[Term], pose: np.ndarray) -> list[dict[str, Any]]:
    """The terms of one input as the manifest has them.

    Args:
        terms: in their order.
        pose: (joints,) The default one, rad or m.
    """
    found, start = [], 0
    for term in terms:
        recipe = recipe_of(term)
        found.append(
            {
                "name": term.name,
                "start": start,
                "stop": start + term.size,
                "unit": term.unit,
                "frame": _FRAMES.get(term.frame, term.frame),
                "reading": recipe.reading,
                "transform": recipe.transform,
                "also": list(recipe.also),
                "subtract": _repeated(pose, term) if recipe.from_pose else 0.0,
                "scale": 1.0,
                "clip": None,
                "history": term.history,
                "noise_in_training": term.noise,
                "largest_in_training": term.limit,
            }
        )
        start += term.size
    return found


def term_of(described: Mapping[str, Any]) -> Term:
    """A term as `describe_terms` told it."""
    frames: dict[str, str] = {told: frame for frame, told in _FRAMES.items()}
    return Term(
        name=described["name"],
        size=described["stop"] - described["start"],
        unit=described["unit"],
        limit=described["largest_in_training"],
        frame=frames.get(described["frame"]) or described["frame"],
        noise=described["noise_in_training"],
        history=described["history"],
    )


def groups_of(networks: Iterable[Mapping[str, Any]]) -> dict[str, tuple[Term, ...]]:
    """The terms of each observation group that a bundle's networks, told of as in its manifest, read."""
    inputs = (each for network in networks for each in network["inputs"])
    return {each["name"]: tuple(term_of(term) for term in each["terms"]) for each in inputs if each["terms"]}


def _repeated(pose: np.ndarray, term: Term) -> list[float]:
    return [float(value) for value in pose] * (term.size // term.history // len(pose))


def describe_readings(terms: Iterable[Term], entity: Entity, sizes: Mapping[str, int]) -> list[dict[str, Any]]:
    """What the terms are made of, each once, as the manifest has it.

    Args:
        terms: of all inputs.
        entity: the body.
        sizes: of the readings, as they were recorded.
    """
    found: dict[str, dict[str, Any]] = {}
    tilt_alone = True
    for term in terms:
        recipe = recipe_of(term)
        tilt_alone &= "orientation" not in recipe.also
        for name in (recipe.reading, *recipe.also):
            if name in found or name == LAST_ACTION:
                continue
            if name in INSTRUMENTS:
                found[name] = describe_reading(name, entity, sizes[name])
            else:
                about = "as the observation shows it: told by whoever commands the robot"
                frame = _FRAMES.get(term.frame, term.frame)
                found[name] = _reading(name, sizes[name], term.unit, frame, GIVEN, about)
    if "orientation" in found:
        found["orientation"]["about"] += TILT_ALONE if tilt_alone else HEADING_TOO
    return list(found.values())


def describe_reading(name: str, entity: Entity, size: int) -> dict[str, Any]:
    """One of the `INSTRUMENTS`, as the manifest has it."""
    known = INSTRUMENTS[name]
    sensors = known.sensors(entity) if known.sensors else []
    return _reading(name, size, known.unit, known.frame, known.source, known.about, known.state, sensors)


def _reading(
    name: str,
    size: int,
    unit: str,
    frame: str,
    source: str,
    about: str,
    state: str | None = None,
    sensors: Iterable[str] = (),
) -> dict[str, Any]:
    return {
        "name": name, "size": size, "unit": unit, "frame": frame, "source": source, "about": about, "state": state,
        "sensors": list(sensors),
    }  # fmt: skip
