"""Bundle: everything a hardware team would otherwise ask about, in one folder."""

from __future__ import annotations

import platform
import tempfile
from dataclasses import asdict
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np

from embodied.envs.env import Env
from embodied.export.arrays import read_arrays, written_arrays
from embodied.export.check import judge
from embodied.export.deployable import Deployable, action_limit
from embodied.export.errors import BundleError
from embodied.export.graph import IR_VERSION, OPSET
from embodied.export.manifest import FORMAT, SCHEMA, VERSION, finished, schema_text
from embodied.export.networks import ACTION, Network
from embodied.export.readings import describe_reading, describe_readings, describe_terms
from embodied.export.readme import readme
from embodied.export.record import CLOSE, SECONDS, STARTS, Recording, chance_of, figures_of, record
from embodied.export.returns import recorded_return
from embodied.export.robot import describe_action, describe_robot
from embodied.export.scene_file import refuse_other_physics, scene_text
from embodied.export.scripts import script, scripts_of
from embodied.export.tolerances import TOLERANCES
from embodied.scenes import Scene
from embodied.scenes.arenas.flat import FlatArena
from embodied.scenes.entity import Entity
from morphologies import Body
from morphologies.fabricate import FabricationError, fabricate
from morphologies.fabricate.anatomy import take_apart
from morphologies.fabricate.mjcf import MJCF_FOLDER

ROBOT = "robot"
"""Folder of the robot's files."""
LEFT_OUT = (".glb", "parts.md", "parts.json")
"""What `embodied export` writes of a body for a workshop; a policy's user has no need of it."""
VECTORS, CLOSED_LOOP = "test_vectors.npz", "closed_loop.npz"
LIBRARIES = ("embodied", "mujoco", "numpy", "onnx", "onnxruntime", "torch")


def make_bundle(given: Deployable, name: str, licence: str, seed: int = 0) -> tuple[dict[str, bytes], list[str]]:
    """The files of a bundle by path, its manifest and checksums among them, and sentences on what does not come along.

    Args:
        given: what is handed over.
        name: of the bundle.
        licence: under which it is given.
        seed: of the recorded starts.

    Raises:
        BundleError: what cannot be handed over, or does not come out of the bundle as it goes in.
    """
    try:
        fabricated, anatomy = fabricate(given.body), take_apart(given.body)
    except FabricationError as error:
        raise BundleError(given.body.name, str(error)) from None
    files = {f"{ROBOT}/{path}": content for path, content in fabricated.files.items() if not path.endswith(LEFT_OUT)}
    mjcf, scene_path, urdf = (
        f"{ROBOT}/{MJCF_FOLDER}/{fabricated.name}.xml",
        f"{ROBOT}/{MJCF_FOLDER}/scene.xml",
        f"{ROBOT}/{fabricated.name}.urdf",
    )
    if scene_path in files:
        raise BundleError(given.body.name, "is called scene, as the bundle's own file is; give it another name")
    task = given.play()
    env = Env(task, dict.fromkeys(task.agents, given.body), STARTS, seed)
    try:
        plain = _plain_scene(env.scene, given.body)
        files[scene_path] = scene_text(plain, Path(mjcf).name).encode()
        entity = env.scene.entities[task.agents[0]]
        try:
            networks = given.networks(env.spec.groups)
        except KeyError as group:
            raise BundleError(
                given.task, f"shows no {group}, which the policy reads: it was trained on another"
            ) from None
        sizes = {name: sum(term.size for term in terms) for name, terms in env.spec.groups.items()}
        read = [each for network in networks for each in network.inputs if each.terms]
        if any(each.size != sizes[each.name] for each in read) or networks[-1].size != env.action_space.shape[0]:
            raise BundleError(given.task, "is not what the policy was trained on: it reads or gives other numbers")
        terms = {each.name: each.terms for network in networks for each in network.inputs if each.terms}
        every_term = tuple(term for group in terms.values() for term in group)
        clip = action_limit(every_term)
        recording = record(env, given.actor, terms, seed, clip, given.meaning)
        sizes = {
            name.removeprefix("reading/"): values.shape[-1]
            for name, values in recording.vectors.items()
            if name.startswith("reading/")
        }
        manifest = {
            "format": FORMAT,
            "version": VERSION,
            "name": name,
            "kind": given.kind,
            "about": _about(given),
            "licence": licence,
            "robot": describe_robot(entity, anatomy, {"mjcf": mjcf, "scene": scene_path, "urdf": urdf}),
            "conventions": CONVENTIONS,
            "timing": {
                "control_period": env.scene.control_dt,
                "simulation_period": env.scene.timestep,
                "simulation_steps": env.scene.decimation,
            },
            "readings": [*describe_readings(every_term, entity, sizes), *_about_reading(given, entity)],
            "networks": [_described(network, entity.pose) for network in networks],
            "action": describe_action(entity, anatomy, clip, given.meaning),
            "latent": given.latent,
            "training": {"task": given.task, **given.training, "data": list(given.data)},
            "closed_loop": _closed_loop(recording, env.scene.control_dt),
            **({"return": recorded_return(given.play, given.body, given.actor, seed)} if given.rewarded else {}),
            "tolerances": TOLERANCES,
            "notes": list(given.notes),
            "made_with": {"python": platform.python_version(), **{name: _version(name) for name in LIBRARIES}},
        }
        files |= {f"{network.name}.onnx": network.onnx for network in networks}
        files[VECTORS], files[CLOSED_LOOP] = written_arrays(recording.vectors), written_arrays(recording.closed_loop)
        files |= {name: script(name) for name in scripts_of(manifest["networks"])}
        files[SCHEMA] = schema_text().encode()
        files["README.md"] = readme(manifest, read_arrays(files[VECTORS], VECTORS)).encode()
        whole = finished(manifest, files)
        with tempfile.TemporaryDirectory() as folder:
            place = Path(folder)
            for path, content in whole.items():
                (place / path).parent.mkdir(parents=True, exist_ok=True)
                (place / path).write_bytes(content)
            refuse_other_physics(place / scene_path, plain)
            judge(place, manifest["name"], given.body)
    finally:
        env.close()
    return whole, fabricated.notes


def _plain_scene(scene: Scene, body: Body) -> Scene:
    """The scene with nothing but the robot, where all else in it touches nothing.

    Raises:
        BundleError: other ground, or something to push about.
    """
    (agent, *others) = scene.entities
    things = [name for name in others if scene.entities[name].mocap < 0]
    if things:
        raise BundleError(
            body.name,
            f"its task has things beside the robot ({', '.join(things)}): no instrument of the robot reads where that "
            "is and how it moves, and a bundle, which holds a robot alone, could not be checked with it",
        )
    if not isinstance(scene.arena, FlatArena):
        raise BundleError(body.name, "its task has other ground than level; bundles hold a robot alone")
    return Scene(scene.arena, {agent: body}, scene.timestep, scene.decimation)


CONVENTIONS = {
    "units": "SI units and radians",
    "quaternion": "wxyz",
    "frames": "World: z up. Root link: x ahead, y to the left, z up, where the robot's files place it. imu: the "
    "inertial unit's own frame, see robot.imu. Quaternions turn vectors of the link into the world's.",
}


def _about_reading(given: Deployable, entity: Entity) -> list[dict[str, Any]]:
    about = given.meaning.about if given.meaning else None
    return [describe_reading(about, entity, len(entity.actuators))] if about else []


def _about(given: Deployable) -> str:
    what = "A skill prior" if given.kind == "prior" else "A policy"
    return f"{what} for {given.body.name}, trained by embodied on the task {given.task}."


def _version(library: str) -> str:
    try:
        return metadata.version(library)
    except metadata.PackageNotFoundError:
        return "not installed"


def _described(network: Network, pose: np.ndarray) -> dict[str, Any]:
    meaning = "an action; see action" if network.output == ACTION else "a latent, of unit length"
    return {
        "name": network.name,
        "file": f"{network.name}.onnx",
        "opset": OPSET,
        "ir_version": IR_VERSION,
        "batch": "dynamic",
        "normaliser": "inside",
        "every": network.every,
        "inputs": [
            {"name": each.name, "size": each.size, "terms": describe_terms(each.terms, pose)} for each in network.inputs
        ],
        "output": {"name": network.output, "size": network.size, "about": meaning},
        "memory": [],
    }


def _closed_loop(recording: Recording, control_dt: float) -> dict[str, Any]:
    loop = recording.closed_loop
    found = figures_of(loop["root_pose"], loop["start/root_pose"], control_dt)
    return {
        "starts": STARTS,
        "seconds": SECONDS,
        "compared_seconds": CLOSE,
        "upright": found.upright,
        "speed": found.speed,
        "chance": asdict(chance_of(recording, control_dt)),
    }
