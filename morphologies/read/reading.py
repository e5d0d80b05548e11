"""Reading: what was understood of a robot file, the guesses among it named, and the Body that it makes."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import mujoco
import numpy as np

from morphologies.body import Body
from morphologies.develop import Root
from morphologies.read.compile import compiled, quiet, reason
from morphologies.read.equip import GRAVITY, actuated, adapt_actuators, add_actuators, driven_joints
from morphologies.read.errors import RobotError
from morphologies.read.material import Material
from morphologies.read.overrides import Overrides, matching, unmatched
from morphologies.read.properties import lost_names, set_properties
from morphologies.read.sensors import add_sensors
from morphologies.read.stance import ground_under, inside_ranges, posed, solid_geoms, standing_key, touching_links
from morphologies.read.trim import HINGE, SLIDE, hold_root, name_all, root_link, trimmed
from morphologies.read.urdf import urdf_spec

CLEARANCE = 0.02
"""Gap under the robot at the start of an episode, m: robots are set down, not dropped."""
FINE_TIMESTEP = 1e-3
"""s. Files below it are warned of."""
ACTION_SCALE = 0.25
"""rad per unit of action: customary for legged robots under position control."""


@dataclass
class Reading:
    """A robot as understood."""

    path: Path
    name: str
    spec: mujoco.MjSpec
    """Of the robot alone, equipped; copies of it are given away."""
    root: Root
    base: str
    """Name of the root link."""
    feet: tuple[str, ...]
    pose: dict[str, float]
    """Default positions of joints by name, where not the reference."""
    max_speed: dict[str, float]
    """Largest speeds of joints by name, where known."""
    spawn_height: float
    clearance: float
    action_scale: float
    overrides: Overrides
    material: Material
    """What it was understood from."""
    imposed_root: Root | None
    """How the root link was to be held, over file and overrides."""
    guesses: list[str] = field(default_factory=list)
    """Sentences on what the file did not say, with the override's name in parentheses."""
    problems: list[str] = field(default_factory=list)
    """Sentences on what looks wrong."""
    timestep: float = 0.002
    """The file's own, s. Scenes choose theirs."""

    def body(self) -> Body:
        """The Body; each of its specs is a copy."""
        return Body(
            name=self.name,
            spec=self.spec.copy,
            root=self.root,
            spawn_height=self.spawn_height,
            clearance=self.clearance,
            pose=dict(self.pose),
            max_speed=dict(self.max_speed),
            feet=self.feet,
            action_scale=self.action_scale,
        )


def understand(
    material: Material, path: Path, overrides: Overrides, root: Root | None = None, beside: Path | None = None
) -> Reading:
    """Makes a robot of what a file says.

    Args:
        material: the file's content, see `gather`.
        path: is named in errors.
        overrides: what the YAML beside it says.
        root: imposes a kind of root, over file and overrides.
        beside: the YAML, named in errors about its names.

    Raises:
        RobotError: it does not compile, holds no robot, or an override names what is not there.
    """
    guesses: list[str] = []
    problems = list(material.notes)
    yaml = beside or path
    if material.kind == "urdf":
        source = urdf_spec(material, path, overrides, guesses, problems)
    else:
        try:
            with quiet():
                source = mujoco.MjSpec.from_string(material.text, assets=material.files)
        except (ValueError, RuntimeError, TypeError, mujoco.FatalError) as error:
            raise RobotError(path, f"is no MJCF: {reason(error)}") from None
    name_all(source)
    model = compiled(source, path, problems)
    _compare_worlds(source, problems)
    key = standing_key(model)
    base = root_link(source, path, overrides.base)
    tops = [body for body in source.bodies if body.parent == source.worldbody]
    if overrides.base is None and len(tops) > 1:
        guesses.append(f"{base.name!r} is the robot, of {len(tops)} things in the file (base)")
    home = float(_reference_height(model, base.id))
    spec = trimmed(source, model, base, overrides.sensors, guesses)
    spec.compiler.balanceinertia = source.compiler.balanceinertia
    held = hold_root(spec, root or overrides.root)  # type: ignore[arg-type]
    if lost := lost_names(spec, overrides):
        raise RobotError(yaml, lost)
    set_properties(spec, overrides, held)
    if held == "fixed" and root is None and overrides.root is None:
        guesses.append("its root is fixed to the world, for the file gives it no joint to fall with (root)")
    model = compiled(spec, path)
    root_joints = {j.name for j in spec.worldbody.first_body().joints} if held != "fixed" else set()
    pose = _pose(model, root_joints, key, overrides, yaml, guesses)
    data = posed(model, pose)
    links = [model.body(b).name for b in range(1, model.nbody)]
    found = ground_under(model, data, held)
    feet = _feet(links, found.feet, overrides, yaml, held, guesses, problems)

    touching = touching_links(model, data)
    if touching and overrides.exclude_touching:
        for one, two in touching:
            spec.add_exclude(bodyname1=one, bodyname2=two)
        pairs = ", ".join(f"{one} and {two}" for one, two in touching[:4])
        more = f" and {len(touching) - 4} more pairs" if len(touching) > 4 else ""
        guesses.append(f"links that touch in the default pose never collide: {pairs}{more} (exclude_touching)")
    joints = driven_joints(spec, root_joints)
    if overrides.gains and (lost := unmatched(tuple(overrides.gains), joints)):
        raise RobotError(yaml, f"gains are given for {', '.join(lost)}, which matches no joint; {_has(joints)}")
    if overrides.control or not actuated(model):
        add_actuators(spec, model, data, joints, list(feet), overrides, guesses)
    else:
        adapt_actuators(spec, model, overrides, guesses)
    add_sensors(spec, model, data, list(feet) or _leaves(model))

    clearance = overrides.clearance if overrides.clearance is not None else CLEARANCE
    if overrides.spawn_height is not None:
        spawn = overrides.spawn_height
        clearance = spawn + found.lowest
    elif held == "fixed":
        spawn = max(home, clearance - found.lowest)
    else:
        spawn = clearance - found.lowest
    if spawn <= 0:
        spawn, clearance = CLEARANCE, CLEARANCE + found.lowest
    reading = Reading(
        path=path,
        name=path.stem,
        spec=spec,
        root=held,
        base=base.name,
        feet=feet,
        pose=pose,
        max_speed=_max_speed(model, root_joints, overrides, yaml),
        spawn_height=float(spawn),
        clearance=float(clearance),
        action_scale=overrides.action_scale or ACTION_SCALE,
        overrides=overrides,
        material=material,
        imposed_root=root,
        guesses=guesses,
        problems=problems,
        timestep=float(source.option.timestep),
    )
    compiled(reading.spec, path)
    return reading


def _compare_worlds(source: mujoco.MjSpec, problems: list[str]) -> None:
    """Tells where the file's own world is another than the scenes'."""
    option = source.option
    gravity = float(np.linalg.norm(option.gravity))
    if not 0.9 * GRAVITY < gravity < 1.1 * GRAVITY:
        problems.append(f"the file's gravity is {gravity:g}, not {GRAVITY:g} m/s²: its lengths may not be in metres")
    if option.timestep < FINE_TIMESTEP:
        problems.append(
            f"the file is made for a time step of {option.timestep * 1e3:g} ms; at 5 ms, as most tasks have, it may "
            "not be stable"
        )
    if option.density or option.viscosity:
        problems.append("the file's world is filled with a fluid, which scenes are not")


def _reference_height(model: mujoco.MjModel, link: int) -> float:
    data = mujoco.MjData(model)
    mujoco.mj_kinematics(model, data)
    return data.xpos[link, 2]


def _has(names: list[str]) -> str:
    return f"it has {', '.join(names)}" if names else "it has none"


def _max_speed(model: mujoco.MjModel, root_joints: set[str], overrides: Overrides, yaml: Path) -> dict[str, float]:
    names = [model.joint(j).name for j in range(model.njnt) if int(model.jnt_type[j]) in (HINGE, SLIDE)]
    names = [name for name in names if name not in root_joints]
    if lost := unmatched(tuple(overrides.max_speed), names):
        raise RobotError(yaml, f"max_speed names {', '.join(lost)}, which matches no joint; {_has(names)}")
    return {n: speed for pattern, speed in overrides.max_speed.items() for n in matching((pattern,), names)}


def _pose(
    model: mujoco.MjModel,
    root_joints: set[str],
    key: tuple[str, dict[str, float]] | None,
    overrides: Overrides,
    yaml: Path,
    guesses: list[str],
) -> dict[str, float]:
    movable = [j for j in range(model.njnt) if int(model.jnt_type[j]) in (HINGE, SLIDE)]
    movable = [j for j in movable if model.joint(j).name not in root_joints]
    names = [model.joint(j).name for j in movable]
    if lost := unmatched(tuple(overrides.pose), names):
        raise RobotError(yaml, f"the pose names {', '.join(lost)}, which matches no joint; {_has(names)}")
    pose = {}
    if key is not None:
        pose = {name: value for name, value in key[1].items() if name in names}
        guesses.append(f"the default pose is the file's keyframe {key[0]!r} (pose)")
    else:
        pose = inside_ranges(model, movable)
        if unsaid := [n for n in pose if not matching(tuple(overrides.pose), [n])]:
            guesses.append(f"{len(unsaid)} joints whose range does not hold their reference stand inside it (pose)")
        if not overrides.pose:
            guesses.append("the default pose is the file's reference pose (pose)")
    for pattern, value in overrides.pose.items():
        for name in matching((pattern,), names):
            pose[name] = value
    for joint in movable:
        name = model.joint(joint).name
        low, high = model.jnt_range[joint]
        if name in pose and model.jnt_limited[joint] and not low - 1e-6 <= pose[name] <= high + 1e-6:
            if matching(tuple(overrides.pose), [name]):
                raise RobotError(yaml, f"the pose puts {name} at {pose[name]:g}, outside its range {low:g} to {high:g}")
            pose[name] = float(np.clip(pose[name], low, high))
    return {name: pose[name] for name in names if pose.get(name)}


def _feet(
    links: list[str],
    found: list[str],
    overrides: Overrides,
    yaml: Path,
    root: Root,
    guesses: list[str],
    problems: list[str],
) -> tuple[str, ...]:
    if overrides.feet is not None:
        if lost := unmatched(overrides.feet, links):
            raise RobotError(yaml, f"names the feet {', '.join(lost)}, which matches no link; {_has(links)}")
        return tuple(matching(overrides.feet, links))
    if root == "fixed":
        return ()
    if found:
        guesses.append(f"feet are the outermost links nearest the ground: {', '.join(found)} (feet)")
    else:
        problems.append("no feet: no outermost link ends near the ground in the default pose (feet, pose)")
    return tuple(found)


def _leaves(model: mujoco.MjModel) -> list[str]:
    """Links that nothing hangs on and that have solid geoms; all leaves where none has."""
    parents = set(model.body_parentid.tolist())
    leaves = [b for b in range(2, model.nbody) if b not in parents]
    solid = {int(model.geom_bodyid[g]) for g in solid_geoms(model)}
    return [model.body(b).name for b in leaves if b in solid] or [model.body(b).name for b in leaves]
