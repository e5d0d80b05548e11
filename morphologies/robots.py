"""Robots by name: those written by this project, and dm_control's where that is installed."""

from __future__ import annotations

import importlib.util
from importlib import resources
from pathlib import Path

from morphologies.body import Body
from morphologies.develop import Root
from morphologies.read import Overrides, Reading, RobotError, read

DM_CONTROL = {
    "dog": "suite/dog.xml",
    "humanoid": "suite/humanoid.xml",
    "quadruped": "suite/quadruped.xml",
    "walker": "suite/walker.xml",
}
"""Files by name, inside the package."""


def robot_folder() -> Path:
    """Where the shipped robots lie: inside an installed wheel, or in the checkout's ``assets``."""
    installed = Path(str(resources.files("morphologies"))) / "_assets" / "robots"
    return installed if installed.is_dir() else Path(__file__).parent.parent / "assets" / "robots"


def robot_names() -> list[str]:
    """All robots that go by a name, dm_control's among them whether it is installed or not."""
    return sorted({*DM_CONTROL, *(path.stem for path in robot_folder().glob("*.xml"))})


def find_robot(name: str, root: Root | None = None) -> Body:
    """The robot that goes by a name of `robot_names`.

    Raises:
        RobotError: it comes with dm_control, which is not installed.
    """
    return read_named(name, root).body()


def read_named(name: str, root: Root | None = None) -> Reading:
    """What is understood of it; see `find_robot`."""
    path, asset_root = robot_file(name)
    overrides = Overrides() if name in DM_CONTROL else None
    return read(path, asset_root, root, overrides, trusted=True)


def robot_file(name: str) -> tuple[Path, Path | None]:
    """Where a robot's file lies, and its asset root.

    Raises:
        RobotError: it comes with dm_control, which is not installed.
    """
    if name not in DM_CONTROL:
        return robot_folder() / f"{name}.xml", None
    # Found without importing it: that would take seconds and look for a screen.
    found = importlib.util.find_spec("dm_control")
    if found is None or not found.submodule_search_locations:
        raise RobotError(name, "is a robot of dm_control, which is not installed: pip install 'embodied[robots]'")
    package = Path(next(iter(found.submodule_search_locations)))
    return package / DM_CONTROL[name], package
