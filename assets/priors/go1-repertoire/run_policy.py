"""Runs the policy of this folder: on a robot as a class, or in MuJoCo. Needs numpy and onnxruntime.

    python run_policy.py                  # are observations and actions those of the test vectors?
    python run_policy.py --simulate       # ten seconds in MuJoCo; needs mujoco, too

The simulated robot is asked what it was when it was recorded, or what you ask: --give NAME NUMBER NUMBER ..., where the
name is that of a reading that manifest.json calls given.

On a robot, once every control period:

    policy = BundledPolicy("this/folder")            # policy.reset() whenever it takes over
    action = policy.decide(policy.observe(reading))
    controls = policy.controls(action)               # one target or torque per actuator

A reading is a dict of arrays, the names, units and frames of which manifest.json lists under "readings".
"""

from __future__ import annotations

import argparse
import hashlib
import json
import time
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime

VERSION = 1
"""Of manifests that this file understands."""


def axes_of(quaternion: np.ndarray) -> np.ndarray:
    """(3, 3) A body's axes in the world as columns, from its orientation (w, x, y, z)."""
    length = np.linalg.norm(quaternion)
    if not length > 1e-6:
        raise ValueError(f"an orientation is a quaternion (w, x, y, z), and {quaternion} is none")
    w, x, y, z = quaternion / length
    rows = [1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)]
    rows += [2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)]
    rows += [2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)]
    return np.array(rows).reshape(3, 3)


def along_heading(vectors: np.ndarray, known: dict[str, Any]) -> np.ndarray:
    """World vectors in the frame that stands upright in the root link and looks where its x axis does."""
    ahead = axes_of(np.asarray(known["orientation"], dtype=np.float64))[:2, 0]
    length = np.linalg.norm(ahead)
    cosine, sine = ahead / length if length > 1e-9 else (1.0, 0.0)
    turn = np.array([[cosine, sine, 0.0], [-sine, cosine, 0.0], [0.0, 0.0, 1.0]])
    return (vectors.reshape(-1, 3) @ turn.T).ravel()


def way_along_heading(points: np.ndarray, known: dict[str, Any]) -> np.ndarray:
    """From the root link's origin to world points (x, y, z), in the frame of `along_heading`."""
    return along_heading(points.reshape(-1, 3) - np.asarray(known["position"], dtype=np.float64), known)


def level_way_along_heading(places: np.ndarray, known: dict[str, Any]) -> np.ndarray:
    """The same to world places (x, y), the height left out: the third number of each is 0."""
    level = places.reshape(-1, 2) - np.asarray(known["position"], dtype=np.float64)[:2]
    return along_heading(np.pad(level, ((0, 0), (0, 1))), known)


def way_from_root(points: np.ndarray, known: dict[str, Any]) -> np.ndarray:
    """From the root link's origin to world points, in its frame."""
    axes = axes_of(np.asarray(known["orientation"], dtype=np.float64))
    return ((points.reshape(-1, 3) - known["position"]) @ axes).ravel()


def turn_from_root(quaternions: np.ndarray, known: dict[str, Any]) -> np.ndarray:
    """Rotation vectors in the root link's frame, rad, from its orientation to others, (w, x, y, z) each."""
    w, x, y, z = np.asarray(known["orientation"], dtype=np.float64)
    undo = np.array([[w, x, y, z], [-x, w, z, -y], [-y, -z, w, x], [-z, y, -x, w]])
    turns = quaternions.reshape(-1, 4) @ undo.T
    turns = np.where(turns[:, :1] < 0.0, -turns, turns)
    sines = np.linalg.norm(turns[:, 1:], axis=1, keepdims=True)
    angles = 2.0 * np.arctan2(sines, turns[:, :1])
    return (turns[:, 1:] * np.where(sines > 1e-9, angles / np.maximum(sines, 1e-9), 2.0)).ravel()


TRANSFORMS = {
    "none": lambda value, known: value.ravel(),
    "down": lambda value, known: -axes_of(value)[2],
    "first_two_of_three": lambda value, known: value.reshape(-1, 3)[:, :2].ravel(),
    "along_heading": along_heading,
    "way_along_heading": way_along_heading,
    "level_way_along_heading": level_way_along_heading,
    "way_from_root": way_from_root,
    "turn_from_root": turn_from_root,
}
"""By name: what becomes of a reading, all readings being known."""


class BundledPolicy:
    """Observations from readings, actions from observations, controls from actions; for one robot."""

    def __init__(self, folder: str | Path, threads: int = 1) -> None:
        """Reads manifest and networks; refuses what is newer than this file, or does not belong together."""
        self.folder = Path(folder)
        self.manifest: dict[str, Any] = json.loads((self.folder / "manifest.json").read_text(encoding="utf-8"))
        if self.manifest["version"] > VERSION:
            raise ValueError(f"the manifest has version {self.manifest['version']}; this file reads up to {VERSION}")
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = threads
        self.networks = []
        for network in self.manifest["networks"]:
            content = (self.folder / network["file"]).read_bytes()
            if hashlib.sha256(content).hexdigest() != self.manifest["files"][network["file"]]["sha256"]:
                raise ValueError(f"{network['file']} is not the file that the manifest describes")
            session = onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
            self.networks.append((network, session))
        self.terms = {
            each["name"]: [self._prepared(term) for term in each["terms"]]
            for network, _ in self.networks
            for each in network["inputs"]
            if each["terms"]
        }
        self.sizes = {each["name"]: each["size"] for each in self.manifest["readings"]}
        action = self.manifest["action"]
        self.offset, self.scale, self.low, self.high = (
            np.array([actuator[key] for actuator in action["actuators"]]) for key in ("offset", "scale", "low", "high")
        )
        self.about: str | None = action["about_reading"]
        self.clip = np.inf if action["clip"] is None else action["clip"]
        self.latent = np.zeros(self.manifest["latent"]["size"] if self.manifest["latent"] else 0, dtype=np.float32)
        self.reset()

    @staticmethod
    def _prepared(term: dict[str, Any]) -> dict[str, Any]:
        limit = np.inf if term["clip"] is None else term["clip"]
        arrays = {"subtract": np.array(term["subtract"], float), "scale": np.array(term["scale"], float)}
        return {**term, **arrays, "clip": limit, "transform": TRANSFORMS[term["transform"]]}

    def reset(self, last_action: np.ndarray | None = None) -> None:
        """Forgets what came before: to be called when the policy takes over, as if this action had been the last."""
        none = np.zeros(len(self.offset))
        self.last_action = np.asarray(none if last_action is None else last_action, dtype=np.float32)
        self.steps, self.target = 0, np.zeros(len(self.offset))
        self.past: dict[tuple[str, str], list[np.ndarray]] = {}

    def observe(self, reading: dict[str, Any]) -> dict[str, np.ndarray]:
        """The networks' inputs by name. Once per control period, for terms with a history remember what they showed."""
        known: dict[str, Any] = {"last_action": self.last_action}
        for name, size in self.sizes.items():
            known[name] = self._checked(name, size, reading)
        shown = {  # all of them before anything is remembered: what is refused leaves no trace
            (name, term["name"]): term["transform"](np.asarray(known[term["reading"]], dtype=np.float64), known)
            for name, terms in self.terms.items()
            for term in terms
        }
        if self.about is not None:
            self.target = known[self.about]
        observation = {}
        for name, terms in self.terms.items():
            parts = []
            for term in terms:
                value = (shown[name, term["name"]] - term["subtract"]) * term["scale"]
                value = np.clip(value, -term["clip"], term["clip"])
                if term["history"] > 1:  # the oldest first; until there is a past, the first reading stands for it
                    past = self.past.setdefault((name, term["name"]), [value] * term["history"])
                    past[:] = [*past[1:], value]
                    value = np.concatenate(past)
                parts.append(value)
            observation[name] = np.concatenate(parts).astype(np.float32)
        return observation

    @staticmethod
    def _checked(name: str, size: int, reading: dict[str, Any]) -> np.ndarray:
        if name not in reading:
            raise KeyError(f"the reading {name} is missing; it has {size} numbers")
        try:
            value = np.asarray(reading[name], dtype=np.float64)
        except (TypeError, ValueError):
            raise ValueError(f"the reading {name} is no array of numbers: {reading[name]!r:.60}") from None
        if value.size != size:
            raise ValueError(f"the reading {name} has {value.size} numbers; expected {size}")
        if not (np.abs(value) < 1e30).all():
            raise ValueError(f"the reading {name} is not finite: {value.ravel()}")
        return value

    def decide(self, observation: dict[str, np.ndarray]) -> np.ndarray:
        """The action; of a skill prior, that of the skill ``policy.latent``, which a high-level network may set."""
        action = self.last_action
        for network, session in self.networks:
            if self.steps % network["every"]:
                continue
            known = {**observation, "latent": self.latent}
            (output,) = session.run(None, {each["name"]: known[each["name"]][None] for each in network["inputs"]})
            if network["output"]["name"] == "latent":
                self.latent = output[0]
            else:
                action = output[0]
        if not np.isfinite(action).all():
            raise ValueError(f"the action is not finite; the latent is {self.latent}")
        self.steps += 1
        self.last_action = np.clip(action, -self.clip, self.clip)
        return self.last_action

    def controls(self, action: np.ndarray) -> np.ndarray:
        """What each actuator is told, in the manifest's units and order of actuators."""
        return np.clip(self.target + self.offset + self.scale * action, self.low, self.high)

    def sample_latent(self, generator: np.random.Generator) -> np.ndarray:
        """A skill drawn as in training: uniform on the unit sphere."""
        drawn = generator.standard_normal(len(self.latent))
        return (drawn / np.linalg.norm(drawn)).astype(np.float32)


class Simulation:
    """The robot of the bundle in MuJoCo, on level ground."""

    def __init__(self, policy: BundledPolicy, model: Any = None) -> None:
        """By default the model is the bundle's own scene."""
        import mujoco

        robot, timing = policy.manifest["robot"], policy.manifest["timing"]
        self.policy, self.mujoco, self.substeps = policy, mujoco, timing["simulation_steps"]
        self.model = model or mujoco.MjModel.from_xml_path(str(policy.folder / robot["scene"]))
        self.data = mujoco.MjData(self.model)
        self.root = self.data.joint(robot["root_joint"])
        joints = [self.model.joint(joint["name"]) for joint in robot["joints"]]
        self.positions, self.velocities = [j.qposadr[0] for j in joints], [j.dofadr[0] for j in joints]
        self.actuators = [self.model.actuator(a["name"]).id for a in policy.manifest["action"]["actuators"]]

    def reading(self, given: dict[str, Any]) -> dict[str, Any]:
        """What the instruments read; what they cannot, such as a command, is given."""
        data, found = self.data, dict(given)
        state = {"joint_pos": data.qpos[self.positions], "joint_vel": data.qvel[self.velocities]}
        state |= {"position": self.root.qpos[:3], "orientation": self.root.qpos[3:]}
        state |= {"linear": self.root.qvel[:3], "angular": self.root.qvel[3:]}
        for each in self.policy.manifest["readings"]:
            if each["state"]:
                found[each["name"]] = np.array(state[each["state"]])
            elif each["sensors"]:
                found[each["name"]] = np.concatenate([data.sensor(name).data for name in each["sensors"]])
        return found

    def run(
        self,
        start: dict[str, np.ndarray],
        given: dict[str, np.ndarray],
        steps: int,
        actions: np.ndarray | None = None,
        watch: Any = None,
    ) -> tuple[np.ndarray, np.ndarray]:
        """From a start, with (steps, n) of what is given: (steps, joints) positions and (steps, 7) root poses.

        Where ``actions`` are given, (steps, n), they are taken instead of the policy's; ``watch`` is called after each
        control step.
        """
        mujoco, data, policy = self.mujoco, self.data, self.policy
        mujoco.mj_resetData(self.model, data)
        self.root.qpos[:], self.root.qvel[:] = start["root_pose"], start["root_velocity"]
        data.qpos[self.positions], data.qvel[self.velocities] = start["joint_pos"], start["joint_vel"]
        data.ctrl[self.actuators] = policy.offset  # what the instruments read at first was felt while standing so
        mujoco.mj_forward(self.model, data)
        policy.reset(start["last_action"])
        joints, roots = [], []
        for step in range(steps):
            now = {name: values[step] for name, values in given.items()}
            policy.latent = np.asarray(now.pop("latent", policy.latent), dtype=np.float32)
            observation = policy.observe(self.reading(now))
            action = policy.decide(observation) if actions is None else actions[step]
            data.ctrl[self.actuators] = policy.controls(action)
            for _ in range(self.substeps):
                mujoco.mj_step(self.model, data)
            mujoco.mj_step1(self.model, data)  # the position and velocity stages of the new state
            joints.append(data.qpos[self.positions])
            roots.append(self.root.qpos.copy())
            if watch is not None:
                watch()
        return np.array(joints), np.array(roots)


def compare(
    policy: BundledPolicy, vectors: dict[str, np.ndarray], clock: Callable[[], float] = time.perf_counter
) -> tuple[dict[str, np.ndarray], float, np.ndarray]:
    """On the test vectors the largest errors of each input's columns and of actions; and each decision's time, s."""
    readings = {name.split("/")[1]: values for name, values in vectors.items() if name.startswith("reading/")}
    worst_seen: dict[str, np.ndarray] = {}
    worst_done, took = 0.0, []
    for start, actions in enumerate(vectors["action"]):
        policy.reset(vectors["last_action"][start])
        for step, wanted in enumerate(actions):
            reading = {name: values[start, step] for name, values in readings.items()}
            if "latent" in vectors:
                policy.latent = vectors["latent"][start, step]
            begun = clock()
            observation = policy.observe(reading)
            action = policy.decide(observation)
            policy.controls(action)
            took.append(clock() - begun)
            for name, seen in observation.items():
                off = np.abs(seen - vectors[f"observation/{name}"][start, step])
                worst_seen[name] = np.maximum(worst_seen.get(name, 0.0), off)
            worst_done = max(worst_done, float(np.abs(action - wanted).max()))
            policy.last_action = wanted  # an action's error is not to come back as one of the next observation
    return worst_seen, worst_done, np.array(took)


def told(policy: BundledPolicy, given: list[list[str]], refuse: Callable[[str], Any]) -> dict[str, np.ndarray]:
    """Readings by name from words, name and numbers each; ``refuse`` is told what is wrong with them."""
    sizes = {each["name"]: each["size"] for each in policy.manifest["readings"] if each["source"] == "given"}
    found = {}
    for name, *words in given:
        if name not in sizes:
            refuse(f"{name} is nothing that is given to this policy; there is {', '.join(sizes) or 'nothing'}")
        try:
            found[name] = np.array([float(word) for word in words])
            if not np.isfinite(found[name]).all():
                raise ValueError
        except ValueError:
            refuse(f"{name} takes finite numbers, not {' '.join(words)}")
        if len(found[name]) != sizes[name]:
            refuse(f"{name} takes {sizes[name]} numbers, not {len(words)}")
    return found


def main() -> int:
    """The command; the exit status is 1 where observations or actions are wrong, 2 where nothing can be run."""
    parser = argparse.ArgumentParser(description="Checks the policy of this folder, or simulates it.")
    parser.add_argument("--simulate", action="store_true", help="ten seconds in MuJoCo, which has to be installed")
    parser.add_argument("--start", type=int, default=0, help="number of the recorded start")
    parser.add_argument("--give", nargs="+", action="append", default=[], help="a given reading and its numbers")
    given = parser.parse_args()
    folder = Path(__file__).resolve().parent
    try:
        return run(folder, given, parser.error)
    except ImportError as error:
        parser.error(f"{error.name} is not installed: pip install {error.name}")
    except (OSError, EOFError, ValueError, KeyError, TypeError, zipfile.BadZipFile) as error:
        parser.error(f"what lies in {folder} cannot be run: {error}")


def run(folder: Path, given: argparse.Namespace, refuse: Callable[[str], Any]) -> int:
    """What was asked for, of the bundle in a folder; the exit status."""
    policy = BundledPolicy(folder)
    asked = told(policy, given.give, refuse)
    if not given.simulate:
        with np.load(policy.folder / "test_vectors.npz", allow_pickle=False) as file:
            each, done, took = compare(policy, dict(file))
        seen = max(float(values.max()) for values in each.values())
        allowed = policy.manifest["tolerances"]
        print(f"observations differ by up to {seen:.1e}, of {allowed['observation']:g} allowed")
        print(f"actions differ by up to {done:.1e}, of {allowed['action']:g} allowed")
        print("a decision takes {:.3f} ms, {:.3f} at the 99th percentile".format(*1e3 * np.percentile(took, (50, 99))))
        return int(not (seen <= allowed["observation"] and done <= allowed["action"]))
    with np.load(policy.folder / "closed_loop.npz", allow_pickle=False) as file:
        starts = len(file["root_pose"])
        if not 0 <= given.start < starts:
            refuse(f"there are the starts 0 to {starts - 1}, and none of number {given.start}")
        recorded = {name: values[given.start] for name, values in file.items()}
    start = {name.split("/")[1]: values for name, values in recorded.items() if name.startswith("start/")}
    inputs = {name.split("/")[1]: values for name, values in recorded.items() if name.startswith("given/")}
    steps = len(recorded["root_pose"])
    inputs |= {name: np.tile(values, (steps, 1)) for name, values in asked.items()}
    joints, roots = Simulation(policy).run(start, inputs, steps)
    if not asked:
        off = float(np.abs(joints[: len(recorded["joint_pos"])] - recorded["joint_pos"]).max())
        print(f"first half second: joint positions within {off:.1e} rad of the recorded ones")
    for second, (x, y, z) in enumerate(roots[:: max(1, len(roots) // 10), :3]):
        print(f"{second:2d} s: trunk at ({x:6.2f}, {y:6.2f}, {z:5.2f}) m")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
