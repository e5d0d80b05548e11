"""Tries the policy of this folder: on its test vectors, or with ``--simulate`` in MuJoCo. The command of run_policy.py.

The simulated robot is asked what it was when it was recorded, or what you ask: --give NAME NUMBER NUMBER ..., where the
name is that of a reading that manifest.json calls given.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np


def main(policy_of: Callable[[Path], Any], beside: Callable[[str], Any]) -> int:
    """The exit status: 1 where observations or actions are wrong, 2 where nothing can be run.

    Args:
        policy_of: gives the policy of a folder.
        beside: gives the Python file of a name in this folder.
    """
    parser = argparse.ArgumentParser(description="Compares the policy of this folder with its test vectors.")
    parser.add_argument("--simulate", action="store_true", help="instead: ten seconds in MuJoCo, which it needs")
    parser.add_argument("--start", type=int, default=0, help="number of the recorded start")
    parser.add_argument("--give", nargs="+", action="append", default=[], help="a given reading and its numbers")
    asked, folder = parser.parse_args(), Path(__file__).resolve().parent
    try:
        policy = policy_of(folder)
        return beside("simulate").show(policy, asked.start, asked.give) if asked.simulate else report(policy)
    except ImportError as error:
        parser.error(f"{error.name} is not installed: pip install {error.name}")
    except Exception as error:  # of files that were cut, changed or mixed up, or words that make no sense
        parser.error(f"what lies in {folder} cannot be run so: {error}")


def report(policy: Any) -> int:
    """Compares a policy with its test vectors and says how it went; the exit status."""
    with np.load(policy.folder / "test_vectors.npz", allow_pickle=False) as file:
        each, done, took = compare(policy, dict(file))
    seen, allowed = max(float(values.max()) for values in each.values()), policy.manifest["tolerances"]
    print(f"observations differ by up to {seen:.1e}, of {allowed['observation']:g} allowed")
    print(f"actions differ by up to {done:.1e}, of {allowed['action']:g} allowed")
    print("a decision takes {:.3f} ms, {:.3f} at the 99th percentile".format(*1e3 * np.percentile(took, (50, 99))))
    return int(not (seen <= allowed["observation"] and done <= allowed["action"]))


def compare(
    policy: Any, vectors: dict[str, np.ndarray], clock: Callable[[], float] = time.perf_counter
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
