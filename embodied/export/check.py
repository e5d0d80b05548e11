"""Check: is a bundle whole, does it say what its schema asks, and does it do what the framework did?"""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import mujoco
import numpy as np

from embodied.export.deployable import plain_task
from embodied.export.errors import BundleError
from embodied.export.fitting import refuse_no_task, robot_of
from embodied.export.opening import OpenBundle, network_faults, open_bundle
from embodied.export.record import Apart, Figures, apart, figures_of
from embodied.export.returns import bundled_return
from embodied.export.scripts import script, scripts_of
from embodied.export.tolerances import TOLERANCES
from embodied.tasks import task_names
from morphologies import Body
from morphologies.read.compile import quiet

CLOSED_LOOP = {
    "joint_pos": ("joint positions", "joint_pos"),
    "upright": ("the shares upright", "closed_loop"),
    "speed": ("the mean speeds", "closed_loop"),
}
"""What is compared in closed loop, and the tolerance it is held to, or what chance makes of it if that is more."""


@dataclass(frozen=True)
class Verdict:
    """How a bundle compares with what the framework did, all within the tolerances."""

    manifest: dict[str, Any]
    files: int
    observation: float
    """Largest error on the test vectors."""
    action: float
    replayed: float
    """Largest error of joint positions in the first half second under the actions that the framework took, rad or m."""
    apart: Apart
    """In closed loop, from what the framework did."""
    recorded: Figures
    found: Figures
    returned: float | None
    """Mean return of the episodes that the manifest's ``return`` tells of; None where it was not compared."""
    decision: tuple[float, float]
    """s of the thread's own time, median and 99th percentile, observation and controls included."""
    notes: tuple[str, ...]
    """Sentences on what is worth knowing, and nothing wrong."""


def judge(folder: Path, name: str | None = None, body: Body | None = None) -> Verdict:
    """Holds a bundle to everything.

    Args:
        folder: of the bundle.
        name: what errors call it; its path by default.
        body: of its robot, by default the one that goes by its name.

    Raises:
        BundleError: the first thing that is wrong.
    """
    where = name or str(folder)
    bundle = open_bundle(folder, name)
    vectors, loop = bundle.arrays("test_vectors.npz"), bundle.arrays("closed_loop.npz")
    try:
        observation, action, took = _compared(bundle, vectors)
        replayed, went = _played(bundle, loop, vectors["action"])
        begun, period = loop["start/root_pose"], bundle.manifest["timing"]["control_period"]
        off = apart(loop, went, begun, period)
    except (KeyError, ValueError, IndexError, TypeError, *network_faults()) as error:
        raise BundleError(where, f"does not fit together: {error}") from None
    _refuse_beyond("joint positions under the recorded actions", replayed, "joint_pos", where)
    notes, chance = _notes(bundle), bundle.manifest["closed_loop"]["chance"]
    for name, (what, tolerance) in CLOSED_LOOP.items():
        if chance[name] > TOLERANCES[tolerance]:
            notes.append(f"{what} in closed loop say little: chance alone makes differences of {chance[name]:.1e}")
        _refuse_beyond(f"{what} in closed loop", getattr(off, name), tolerance, where, chance[name])
    recorded, found = (figures_of(each["root_pose"], begun, period) for each in (loop, went))
    earned, about = returned(bundle, body)
    median, slow = (float(np.percentile(took, part)) for part in (50, 99))
    return Verdict(
        manifest=bundle.manifest,
        files=len(bundle.files) + 2,
        observation=observation,
        action=action,
        replayed=replayed,
        apart=off,
        recorded=recorded,
        found=found,
        returned=earned,
        decision=(median, slow),
        notes=(*notes, *about),
    )


def _notes(bundle: OpenBundle) -> list[str]:
    notes = [f"{path} is no part of the bundle" for path in bundle.others]
    others = [name for name in scripts_of(bundle.manifest["networks"]) if bundle.files.get(name) != script(name)]
    if others:
        notes.append(f"{', '.join(others)}: not as this version of embodied writes it, and not run: read it yourself")
    made, here = bundle.manifest["made_with"].get("mujoco"), mujoco.__version__
    if made != here:
        notes.append(f"it was recorded with MuJoCo {made}; this is {here}, whose contacts may come out otherwise")
    return notes


def _compared(bundle: OpenBundle, vectors: dict[str, np.ndarray]) -> tuple[float, float, np.ndarray]:
    """The largest errors of observations and actions on the test vectors, and each decision's time, s."""
    from embodied.export.trial import compare

    # The thread's own time: a busy neighbour is nothing that a bundle could help.
    columns, action, took = compare(bundle.policy, vectors, time.thread_time)
    for network in bundle.manifest["networks"]:
        for each in network["inputs"]:
            for term in each["terms"]:
                off = float(columns[each["name"]][term["start"] : term["stop"]].max())
                _refuse_beyond(f"observations ({term['name']})", off, "observation", bundle.where)
    _refuse_beyond("actions", action, "action", bundle.where)
    return max(float(off.max()) for off in columns.values()), action, took


def _played(
    bundle: OpenBundle, loop: dict[str, np.ndarray], actions: np.ndarray
) -> tuple[float, dict[str, np.ndarray]]:
    """How far joints are off under the framework's actions, and ``joint_pos`` and ``root_pose`` under the bundle's."""
    close, steps, replayed = loop["joint_pos"].shape[1], loop["root_pose"].shape[1], 0.0
    joints, roots = [], []
    with quiet():
        for start, wanted in enumerate(loop["joint_pos"]):
            one = {key.split("/")[1]: each[start] for key, each in loop.items() if key.startswith("start/")}
            told = {key.split("/")[1]: each[start] for key, each in loop.items() if key.startswith("given/")}
            found, _ = bundle.simulation.run(one, told, close, actions=actions[start])
            replayed = max(replayed, float(np.abs(found - wanted).max()))
            positions, poses = bundle.simulation.run(one, told, steps)
            joints.append(positions[:close])
            roots.append(poses)
    return replayed, {"joint_pos": np.array(joints), "root_pose": np.array(roots)}


def returned(bundle: OpenBundle, body: Body | None = None) -> tuple[float | None, list[str]]:
    """The mean return, held to the framework's, and sentences; None where there is none, or the task is not here."""
    told, training = bundle.manifest.get("return"), bundle.manifest["training"]
    if told is None:
        decides = "latent" not in [each["name"] for each in bundle.manifest["networks"][0]["inputs"]]
        known = decides and training["task"] in task_names()
        return None, [
            "no mean return is kept in it, so none was compared; embodied eval tells its own"
        ] if known else []
    try:
        refuse_no_task(bundle.manifest, bundle.where)
        task, robot = plain_task(training["task"]), robot_of(bundle.manifest, bundle.where, body)
        found = bundled_return(bundle.policy, task, robot, told)
    except BundleError as error:
        return None, [f"its return was not compared: it {error.wrong}"]
    except (KeyError, ValueError, IndexError, TypeError, *network_faults()) as error:
        raise BundleError(bundle.where, f"does not fit together: {error}") from None
    off = abs(found - told["mean"]) / max(abs(told["mean"]), 1e-9)
    _refuse_beyond("the mean returns", off, "closed_loop", bundle.where, told["chance"])
    if told["chance"] <= TOLERANCES["closed_loop"]:
        return found, []
    return found, [f"the mean returns say little: chance alone makes differences of {told['chance']:.1e}"]


def _refuse_beyond(what: str, found: float, tolerance: str, where: str, at_least: float = 0.0) -> None:
    allowed = max(TOLERANCES[tolerance], at_least)
    if not found <= allowed:
        raise BundleError(where, f"{what} differ from the framework's by {found:.2e}, more than {allowed:g}")
