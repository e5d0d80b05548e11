"""Scripts: the Python files of a bundle. They are modules of this package, and run without it."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import resources
from typing import Any

from embodied.export.goals import TRANSFORMS

SCRIPTS = {
    "run_policy.py": "readings to observations to actions to controls: all that a robot needs",
    "trial.py": "its command, and the comparison with the test vectors",
    "simulate.py": "the robot under the policy, in MuJoCo",
}
"""Of every bundle, and what they do."""
GOALS = {"goals.py": "part of `run_policy.py`: what is given in the world's frame, as the robot sees it"}
"""Besides, of those that are told what to do in the world's frame."""


def scripts_of(networks: list[Mapping[str, Any]]) -> dict[str, str]:
    """The scripts of a bundle, and what they do; its networks are given as the manifest has them."""
    terms = [term for network in networks for each in network["inputs"] for term in each["terms"]]
    return {**SCRIPTS, **GOALS} if any(term["transform"] in TRANSFORMS for term in terms) else SCRIPTS


def script(name: str) -> bytes:
    """As this version writes it."""
    return (resources.files("embodied.export") / name).read_bytes()
