"""Body: something with joints and motors that can be placed in a scene, and the names that bodies go by."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from importlib import resources
from pathlib import Path

import mujoco

from morphologies.constraints import violation
from morphologies.describe import Description, describe
from morphologies.develop import Root, develop
from morphologies.genome import Genome, GenomeError
from morphologies.serialise import read_genome
from morphologies.skeleton import CLEARANCE, instances, spawn_height
from morphologies.unimal import SPLAYED, UNIMAL, DesignSpace


class UnknownBody(ValueError):
    """A body name that nobody registered; the message has the close ones."""


@dataclass(frozen=True)
class Body:
    """One kind of body. Each call of ``spec`` gives a fresh MjSpec, so a body can stand in many scenes."""

    name: str
    spec: Callable[[], mujoco.MjSpec]
    """A spec with the body as the first child of its world, in the rest pose."""
    root: Root
    """How the body is held: free, in a vertical plane, or fixed."""
    spawn_height: float
    """Height of the root link's origin above the ground at the start of an episode, m."""
    clearance: float = CLEARANCE
    """Part of it: the gap that is left under the body's lowest point, m."""
    pose: Mapping[str, float] = field(default_factory=dict)
    """Default positions of joints by name, rad or m; the model's reference, 0, where not named."""
    feet: tuple[str, ...] = ()
    """Links that it stands on."""
    max_speed: Mapping[str, float] = field(default_factory=dict)
    """Largest speeds of joints by name, rad/s or m/s, where known: motions are held to them, the model is not."""
    action_scale: float = 1.0
    """What one unit of action adds to a position actuator's target, rad or m. Motors take actions as they are."""
    genome: Genome | None = None
    """What the body was developed from, if anything."""

    @property
    def standing_height(self) -> float:
        """Of the root link's origin when the lowest point touches the ground, m."""
        return self.spawn_height - self.clearance

    @cached_property
    def description(self) -> Description:
        """Figures of the body in its default pose."""
        return describe(self.spec().compile(), self.pose)


def body_from_genome(genome: Genome, name: str = "body", space: DesignSpace | None = None, root: Root = "free") -> Body:
    """The body that a genome develops into.

    Args:
        space: the design space it is held to; by default the paper's, or that with splaying limbs where it has any.

    Raises:
        GenomeError: the genome breaks a constraint of the space.
    """
    spaces = (space,) if space is not None else (UNIMAL, SPLAYED)
    found = [violation(genome, each) for each in spaces]
    if None not in found:
        raise GenomeError(found[0] or "")
    held_to = spaces[found.index(None)]
    return Body(
        name=name,
        spec=lambda: develop(genome, held_to, root),
        root=root,
        spawn_height=spawn_height(genome, held_to),
        feet=_leaves(genome, held_to),
        genome=genome,
    )


def _leaves(genome: Genome, space: DesignSpace) -> tuple[str, ...]:
    """The limbs that nothing grows on."""
    limbs = instances(genome, space)
    parents = {limb.parent for limb in limbs}
    return tuple(f"limb/{limb.index}" for limb in limbs if limb.index not in parents)


_registered: dict[str, Callable[[], Body]] = {}


def register_body(name: str, make: Callable[[], Body]) -> None:
    """Makes a body known by name; registering a name again replaces it."""
    if not name or any(c in name for c in "/\\."):
        raise ValueError(f"a body's name is one word without dots and slashes, not {name!r}")
    _registered[name] = make


def body_names() -> list[str]:
    """All names that `find_body` knows, sorted."""
    from morphologies.robots import robot_names

    return sorted({*_registered, *robot_names(), *(path.stem for path in _genome_folder().glob("*.json"))})


def find_body(body: str | Path | Genome | Body, root: Root = "free", asset_root: str | Path | None = None) -> Body:
    """A body from a name, a genome file, a robot file, a genome, or a body itself.

    Args:
        body: what is wanted.
        root: how a genome's body is held. A robot is held as its file says, unless this is not ``free``.
        asset_root: folder that all files of a robot must lie in; its ROS package, or its own folder, by default.

    Raises:
        UnknownBody: a word that is neither a known name nor a file.
        GenomeError: a genome that cannot be read or is not an acceptable body.
        RobotError: a robot file that cannot be read, or is no robot.
    """
    # Late: reading robots takes more than most who ask for a genome need.
    from morphologies.read import SUFFIXES, read_robot
    from morphologies.robots import find_robot, robot_names

    if isinstance(body, Body):
        return body
    if isinstance(body, Genome):
        return body_from_genome(body, root=root)
    if str(body) in _registered:
        made = _registered[str(body)]()
        if not isinstance(made, Body):
            raise UnknownBody(f"what was registered as {str(body)!r} makes a {type(made).__name__}, which is no Body")
        return made
    path = Path(body)
    imposed = None if root == "free" else root
    if path.suffix.lower() in SUFFIXES:
        return read_robot(path, asset_root, imposed)
    if str(body) in robot_names():
        return find_robot(str(body), imposed)
    if path.suffix == "" and not (path.exists() and "/" in str(body)):
        shipped = _genome_folder() / f"{body}.json"
        if "/" in str(body) or not shipped.exists():
            close = difflib.get_close_matches(str(body), body_names(), n=3, cutoff=0.5)
            hint = f"; did you mean {' or '.join(close)}?" if close else f"; known are {', '.join(body_names())}"
            raise UnknownBody(f"there is no body and no file called {str(body)!r}{hint}")
        path = shipped
    genome = read_genome(path)
    try:
        return body_from_genome(genome, name=path.stem, root=root)
    except GenomeError as error:
        raise GenomeError(f"{path}: {error}") from None


def _genome_folder() -> Path:
    """Where the shipped genomes lie: inside an installed wheel, or in the checkout's ``assets``."""
    installed = Path(str(resources.files("morphologies"))) / "_assets" / "genomes"
    return installed if installed.is_dir() else Path(__file__).parent.parent / "assets" / "genomes"
