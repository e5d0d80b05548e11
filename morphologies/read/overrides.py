"""Overrides: what a small YAML beside a robot file says where a guess would be wrong."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import yaml

from morphologies.read.errors import RobotError

MAX_BYTES = 1 << 20
CONTROLS = ("torque", "position")
ROOTS = ("free", "planar", "fixed")


@dataclass(frozen=True)
class Gains:
    """Of the position actuators whose joints a pattern matches; None keeps what is there or guessed."""

    kp: float | None = None
    """N·m/rad, or N/m of slides."""
    kv: float | None = None
    """N·m·s/rad, or N·s/m."""
    effort: float | None = None
    """Largest torque, N·m, or force, N."""


@dataclass(frozen=True)
class JointProperties:
    """Of the joints that a pattern matches; None keeps what is there. As MuJoCo has them."""

    armature: float | None = None
    """Inertia of the rotor as the joint feels it, kg·m² or kg."""
    stiffness: float | None = None
    """N·m/rad or N/m."""
    rest: float | None = None
    """Where the stiffness pulls to, rad or m."""
    limit_solref: tuple[float, ...] | None = None
    """(2,) Of the joint's limits."""
    limit_solimp: tuple[float, ...] | None = None
    """(5,)."""


@dataclass(frozen=True)
class ContactProperties:
    """Of the solid shapes of the links that a pattern matches; None keeps what is there. As MuJoCo has them."""

    friction: tuple[float, ...] | None = None
    """(3,) Sliding, torsional, rolling."""
    condim: int | None = None
    """1, 3, 4 or 6."""
    priority: int | None = None
    """Of two shapes that touch the one with the higher priority says how."""
    solref: tuple[float, ...] | None = None
    """(2,)."""
    solimp: tuple[float, ...] | None = None
    """(5,)."""


LENGTHS = {"friction": 3, "solref": 2, "solimp": 5, "limit_solref": 2, "limit_solimp": 5}
"""How many numbers the properties that are lists have."""
WHOLE = {"condim": (1, 3, 4, 6), "priority": range(-1000, 1001)}
WHOLE_SAID = {"condim": "1, 3, 4 or 6", "priority": "a whole number from -1000 to 1000"}
"""Properties that are whole numbers, and which."""


@dataclass(frozen=True)
class Overrides:
    """All keys of the YAML; None or empty leaves a thing to the file, and where that is silent to a guess."""

    base: str | None = None
    """Name of the root link."""
    root: str | None = None
    """How it is held: free, planar or fixed."""
    feet: tuple[str, ...] | None = None
    """Names of the links that are feet, or patterns of names such as ``*_foot``."""
    pose: dict[str, float] = field(default_factory=dict)
    """Default joint positions, rad or m, by name or pattern; later lines win."""
    max_speed: dict[str, float] = field(default_factory=dict)
    """Largest speeds of joints, rad/s or m/s, by name or pattern; later lines win. Motions are held to them."""
    spawn_height: float | None = None
    """Of the root link's origin at the start of an episode, m."""
    clearance: float | None = None
    """Gap under the lowest point at the start of an episode, m."""
    action_scale: float | None = None
    """What one unit of action adds to a position actuator's target, rad or m."""
    control: str | None = None
    """``torque`` or ``position``: replaces the file's actuators by one of this kind per hinge and slide."""
    gains: dict[str, Gains] = field(default_factory=dict)
    """Gains by joint name or pattern; later lines win."""
    joints: dict[str, JointProperties] = field(default_factory=dict)
    """What joints are like, by name or pattern; later lines win."""
    contacts: dict[str, ContactProperties] = field(default_factory=dict)
    """How links touch things, by name or pattern; later lines win."""
    sensors: tuple[str, ...] = ()
    """Names or patterns of the file's own sensors that are to be kept."""
    exclude_touching: bool = True
    """Links that touch each other in the default pose never collide."""
    exclude: tuple[tuple[str, str], ...] = ()
    """Pairs of links that never collide."""
    scale: float | None = None
    """Mesh files are that much smaller than their numbers, e.g. 0.001 for millimetres. URDF only."""


def overrides_from(data: dict[str, Any]) -> Overrides:
    """Overrides from their ``dataclasses.asdict`` after a way through JSON."""
    data = {"max_speed": {}, **data}  # what was kept before there was this key
    gains = {pattern: Gains(**values) for pattern, values in data["gains"].items()}
    joints = {pattern: JointProperties(**_tuples(values)) for pattern, values in data.get("joints", {}).items()}
    contacts = {pattern: ContactProperties(**_tuples(values)) for pattern, values in data.get("contacts", {}).items()}
    listed = {name: None if data[name] is None else tuple(data[name]) for name in ("feet", "sensors")}
    exclude = tuple((one, two) for one, two in data.get("exclude", ()))
    return Overrides(**{**data, **listed, "gains": gains, "joints": joints, "contacts": contacts, "exclude": exclude})


def _tuples(values: dict[str, Any]) -> dict[str, Any]:
    return {name: tuple(value) if isinstance(value, list) else value for name, value in values.items()}


def overrides_beside(path: Path) -> tuple[Overrides, Path | None]:
    """Reads ``robot.yaml`` beside ``robot.xml`` or ``robot.urdf``, and says where it lies; none is no error.

    Raises:
        RobotError: it is there and cannot be understood.
    """
    for suffix in (".yaml", ".yml"):
        beside = path.with_suffix(suffix)
        if beside.is_file():
            return read_overrides(beside), beside
    return Overrides(), None


def read_overrides(path: Path) -> Overrides:
    """Reads the YAML.

    Raises:
        RobotError: an unknown key, a value of another kind than expected, or no YAML at all.
    """
    try:
        with path.open("rb") as file:
            raw = file.read(MAX_BYTES + 1)
        if len(raw) > MAX_BYTES:
            raise RobotError(path, f"is larger than {MAX_BYTES:,} bytes")
        text = raw.decode("utf-8")
        if any(isinstance(token, yaml.AliasToken) for token in yaml.scan(text)):
            raise RobotError(path, "uses YAML aliases; write the values out")
        data = yaml.safe_load(text)
    except OSError as error:
        raise RobotError(path, f"cannot be read: {error.strerror or error}") from None
    except UnicodeDecodeError:
        raise RobotError(path, "is not UTF-8 text") from None
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        if isinstance(error, RobotError):
            raise
        raise RobotError(path, f"is not YAML: {error}") from None
    if data is None:
        return Overrides()
    return _Reader(path).overrides(data)


class _Reader:
    def __init__(self, path: Path) -> None:
        self._path = path

    def overrides(self, data: Any) -> Overrides:
        known = Overrides.__dataclass_fields__
        fields = self._mapping(data, "the file")
        for key in fields:
            if key not in known:
                raise RobotError(self._path, f"does not know the key {key!r}; known are {', '.join(known)}")
        values: dict[str, Any] = {}
        for key, value in fields.items():
            if value is None:
                continue
            if key == "base":
                values[key] = self._text(value, key)
            elif key in ("root", "control"):
                values[key] = self._choice(value, key, ROOTS if key == "root" else CONTROLS)
            elif key in ("feet", "sensors"):
                values[key] = self._texts(value, key)
            elif key == "pose":
                values[key] = {n: self._number(v, f"pose of {n}") for n, v in self._mapping(value, key).items()}
            elif key == "max_speed":
                values[key] = {n: self._positive(v, f"max_speed of {n}") for n, v in self._mapping(value, key).items()}
            elif key == "gains":
                values[key] = {n: self._gains(v, n) for n, v in self._mapping(value, key).items()}
            elif key in ("joints", "contacts"):
                kind = JointProperties if key == "joints" else ContactProperties
                values[key] = {n: kind(**self._properties(v, kind, n)) for n, v in self._mapping(value, key).items()}
            elif key == "exclude":
                values[key] = self._pairs(value, key)
            elif key == "exclude_touching":
                if not isinstance(value, bool):
                    raise RobotError(self._path, f"{key} must be true or false, not {value!r}")
                values[key] = value
            else:
                values[key] = self._positive(value, key)
        return Overrides(**values)

    def _gains(self, value: Any, pattern: str) -> Gains:
        fields = self._mapping(value, f"gains of {pattern}")
        if stray := fields.keys() - Gains.__dataclass_fields__.keys():
            raise RobotError(self._path, f"gains of {pattern} are kp, kv and effort, not {', '.join(sorted(stray))}")
        return Gains(**{n: self._positive(v, f"{n} of {pattern}", zero=n == "kv") for n, v in fields.items()})

    def _properties(self, value: Any, kind: type, pattern: str) -> dict[str, Any]:
        """Those of one pattern, by name."""
        known = kind.__dataclass_fields__
        found: dict[str, Any] = {}
        for name, given in self._mapping(value, f"what is said of {pattern}").items():
            what = f"{name} of {pattern}"
            if name not in known:
                raise RobotError(self._path, f"{pattern} has {', '.join(known)}, not {name}")
            if name in LENGTHS:
                if not isinstance(given, list) or len(given) != LENGTHS[name]:
                    raise RobotError(self._path, f"{what} must be {LENGTHS[name]} numbers, not {given!r}")
                found[name] = tuple(self._number(v, what) for v in given)
            elif name in WHOLE:
                if isinstance(given, bool) or given not in WHOLE[name]:
                    raise RobotError(self._path, f"{what} must be {WHOLE_SAID[name]}, not {given!r}")
                found[name] = int(given)
            else:
                found[name] = self._number(given, what)
                if found[name] < 0 and name != "rest":
                    raise RobotError(self._path, f"{what} must not be below 0, as {given!r} is")
        return found

    def _pairs(self, value: Any, what: str) -> tuple[tuple[str, str], ...]:
        pairs = [self._texts(item, what) for item in value] if isinstance(value, list) else []
        if not isinstance(value, list) or any(len(pair) != 2 or pair[0] == pair[1] for pair in pairs):
            raise RobotError(self._path, f"{what} must be a list of pairs of links, such as [[arm, trunk]]")
        return tuple((pair[0], pair[1]) for pair in pairs)

    def _mapping(self, value: Any, what: str) -> dict[str, Any]:
        if not isinstance(value, dict) or not all(isinstance(key, str) for key in value):
            raise RobotError(self._path, f"{what} must be names with values, not {value!r}")
        return value

    def _text(self, value: Any, what: str) -> str:
        if not isinstance(value, str):
            raise RobotError(self._path, f"{what} must be a name, not {value!r}")
        return value

    def _texts(self, value: Any, what: str) -> tuple[str, ...]:
        if not isinstance(value, list):
            raise RobotError(self._path, f"{what} must be a list of names, not {value!r}")
        return tuple(self._text(item, what) for item in value)

    def _choice(self, value: Any, what: str, choices: tuple[str, ...]) -> str:
        if value not in choices:
            raise RobotError(self._path, f"{what} must be {' or '.join(choices)}, not {value!r}")
        return value

    def _number(self, value: Any, what: str) -> float:
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
            raise RobotError(self._path, f"{what} must be a finite number, not {value!r}")
        return float(value)

    def _positive(self, value: Any, what: str, zero: bool = False) -> float:
        number = self._number(value, what)
        if number < 0 or (number == 0 and not zero and what != "clearance"):
            raise RobotError(self._path, f"{what} must be above 0, not {value!r}")
        return number


def matching(patterns: tuple[str, ...], names: list[str]) -> list[str]:
    """The names that are one of the patterns or match one, in the order of the names."""
    return [name for name in names if any(name == p or fnmatchcase(name, p) for p in patterns)]


def unmatched(patterns: tuple[str, ...], names: list[str]) -> list[str]:
    """The patterns that no name matches."""
    return [p for p in patterns if not matching((p,), names)]
