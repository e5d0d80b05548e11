"""Runs the policy of this folder on a robot. Needs numpy and onnxruntime.

    policy = BundledPolicy("this/folder")            # policy.reset() whenever it takes over
    action = policy.decide(policy.observe(reading))  # once every control period
    controls = policy.controls(action)               # one target or torque per actuator

A reading is a dict of arrays; manifest.json lists their names, sizes, units and frames under "readings".

    python run_policy.py                  # are observations and actions those of the test vectors?
    python run_policy.py --simulate       # ten seconds in MuJoCo, which has to be installed
"""

from __future__ import annotations

import hashlib
import importlib.util
import json
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime

VERSION = 1  # of manifests that this file understands


def down(orientation: np.ndarray, known: dict[str, np.ndarray]) -> np.ndarray:
    """(3,) Which way is down in the frame of a body, from its orientation (w, x, y, z) of any length."""
    length = np.linalg.norm(orientation)
    if not length > 1e-6:
        raise ValueError(f"an orientation is a quaternion (w, x, y, z), and {orientation} is none")
    w, x, y, z = orientation / length
    return np.array([2 * (w * y - x * z), -2 * (w * x + y * z), 2 * (x * x + y * y) - 1])


TRANSFORMS = {  # what becomes of a reading, all readings being known; those of goals are in goals.py
    "none": lambda value, known: value,
    "down": down,
    "first_two_of_three": lambda value, known: value.reshape(-1, 3)[:, :2].ravel(),
}


class BundledPolicy:
    """Observations from readings, actions from observations, controls from actions; for one robot."""

    def __init__(self, folder: str | Path, threads: int = 1) -> None:
        self.folder = Path(folder)
        self.manifest = json.loads((self.folder / "manifest.json").read_text(encoding="utf-8"))
        if self.manifest["version"] > VERSION:
            raise ValueError(f"the manifest has version {self.manifest['version']}; this file reads up to {VERSION}")
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = threads
        self.networks, self.terms = [], {}
        for network in self.manifest["networks"]:
            content = (self.folder / network["file"]).read_bytes()
            if hashlib.sha256(content).hexdigest() != self.manifest["files"][network["file"]]["sha256"]:
                raise ValueError(f"{network['file']} is not the file that the manifest describes")
            session = onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
            self.networks.append((network, session))
            self.terms |= {(i["name"], term["start"]): term for i in network["inputs"] for term in i["terms"]}
        if not {term["transform"] for term in self.terms.values()} <= set(TRANSFORMS):
            TRANSFORMS.update(beside("goals").TRANSFORMS)
        self.action = self.manifest["action"]
        numbers = [[each[key] for key in ("offset", "scale", "low", "high")] for each in self.action["actuators"]]
        self.offset, self.scale, self.low, self.high = np.array(numbers, dtype=np.float64).T
        self.latent = np.zeros(self.manifest["latent"]["size"] if self.manifest["latent"] else 0, dtype=np.float32)
        self.reset()

    def reset(self, last_action: np.ndarray | None = None) -> None:
        """Forgets what came before: to be called when the policy takes over, as if this action had been the last."""
        self.last_action = np.array(0.0 * self.offset if last_action is None else last_action, dtype=np.float32)
        self.steps, self.about, self.past = 0, 0.0, {}

    def observe(self, reading: dict[str, Any]) -> dict[str, np.ndarray]:
        """The networks' inputs by name. Once per control period: terms with a history remember what they showed."""
        known = {each["name"]: checked(each["name"], each["size"], reading) for each in self.manifest["readings"]}
        known["last_action"] = self.last_action.astype(np.float64)
        shown = {key: TRANSFORMS[term["transform"]](known[term["reading"]], known) for key, term in self.terms.items()}
        self.about = known.get(self.action["about_reading"], 0.0)
        parts: dict[str, list[np.ndarray]] = {}
        for key, value in shown.items():  # what is refused was refused above, and has left no trace
            term = self.terms[key]
            value = (value - term["subtract"]) * term["scale"]
            if term["clip"] is not None:
                value = np.clip(value, -term["clip"], term["clip"])
            if term["history"] > 1:  # the oldest first; until there is a past, the first reading stands for it
                self.past[key] = [*self.past.get(key, [value] * term["history"])[1:], value]
                value = np.concatenate(self.past[key])
            parts.setdefault(key[0], []).append(value)
        return {name: np.concatenate(values).astype(np.float32) for name, values in parts.items()}

    def decide(self, observation: dict[str, np.ndarray]) -> np.ndarray:
        """The action; of a skill prior, that of the skill ``policy.latent``, which a high-level network may set."""
        known = {**observation, "latent": self.latent, "action": self.last_action}
        for network, session in self.networks:
            if self.steps % network["every"] == 0:
                inputs = {each["name"]: known[each["name"]][None] for each in network["inputs"]}
                known[network["output"]["name"]] = session.run(None, inputs)[0][0]
        if not np.isfinite(known["action"]).all():
            raise ValueError(f"the action is not finite; the latent is {known['latent']}")
        limit = np.inf if self.action["clip"] is None else self.action["clip"]
        self.steps, self.latent = self.steps + 1, known["latent"]
        self.last_action = np.clip(known["action"], -limit, limit)
        return self.last_action

    def controls(self, action: np.ndarray) -> np.ndarray:
        """What each actuator is told, in the manifest's units and order of actuators."""
        return np.clip(self.about + self.offset + self.scale * action, self.low, self.high)

    def sample_latent(self, generator: np.random.Generator) -> np.ndarray:
        """A skill drawn as in training: uniform on the unit sphere."""
        drawn = generator.standard_normal(len(self.latent))
        return (drawn / np.linalg.norm(drawn)).astype(np.float32)


def checked(name: str, size: int, reading: dict[str, Any]) -> np.ndarray:
    """A copy of what was read under a name, flat; refused unless it is so many finite numbers."""
    if name not in reading:
        raise KeyError(f"the reading {name} is missing; it has {size} numbers")
    try:
        value = np.array(reading[name], dtype=np.float64).ravel()
    except (TypeError, ValueError):
        raise ValueError(f"the reading {name} is no array of numbers: {reading[name]!r:.60}") from None
    if value.size != size:
        raise ValueError(f"the reading {name} has {value.size} numbers; expected {size}")
    if not (np.abs(value) < 1e30).all():
        raise ValueError(f"the reading {name} is not finite: {value}")
    return value


def beside(name: str) -> Any:
    """The Python file of this name that lies beside this one, wherever this one was imported from."""
    spec: Any = importlib.util.spec_from_file_location(name, Path(__file__).with_name(f"{name}.py"))
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


if __name__ == "__main__":  # the command and what it does have no place on a robot
    raise SystemExit(beside("trial").main(BundledPolicy, beside))
